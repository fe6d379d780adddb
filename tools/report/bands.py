"""What the timeline shows of each rank: bands of threads that stand on each other, over columns of equal time."""

import bisect
import dataclasses
import itertools

REACH = 8  # columns to each side over which heights are averaged


@dataclasses.dataclass
class Stay:
    """A thread on a rank, from when it began or came there until it left."""
    rank: int
    begin_ns: int = 0
    end_ns: float = float("inf")
    asked: bool = False                                     # others asked it to come
    errand: bool = False                                    # it came by itself, for its last turn
    turns: list = dataclasses.field(default_factory=list)   # (begin, end) that it ran there
    # As a band: from column `first` on its heights, in shares of a core, and what it stands on.
    first: int = 0
    height: list = dataclasses.field(default_factory=list)
    base: list = dataclasses.field(default_factory=list)

    def end(self):
        return self.first + len(self.height)

    def middle(self, column):
        """The middle of the band, in the column nearest to `column`; the floor where there is none."""
        if not self.height:
            return 0
        i = int(min(max(column - self.first, 0), len(self.height) - 1))
        return self.base[i] + self.height[i] / 2

    def ran_ns(self):
        return sum(end - begin for begin, end in self.turns)


class CoreTime:
    """The processor time that a rank had, as a line through the trace's samples; all time where it has none."""

    def __init__(self, steps):
        first = steps[0][1] if steps else 1.0
        self.times, self.sums, self.shares = [0], [0.0], [first]
        for when, share in steps:
            if when > self.times[-1]:
                self.sums.append(self.until(when))
                self.times.append(when)
                self.shares.append(share)

    def until(self, when):
        i = bisect.bisect_right(self.times, when) - 1
        return self.sums[i] + self.shares[i] * (when - self.times[i])


def lives(trace):
    """Thread: its stays in order of time, the first where it begins. Turns that name no thread are not in it."""
    departures, turns = {}, {}
    for move in trace.moves:
        if not move.refused:
            departures.setdefault(move.thread, []).append(move)
    for rank, ran in trace.turns.items():
        for begin, end, thread in ran:
            if thread:
                turns.setdefault(thread, []).append((begin, end, rank))
    result = {}
    for thread, mine in turns.items():
        result[thread] = life(sorted(mine), departures.get(thread, ()))
    return result


def life(turns, moves):
    stays = [Stay(moves[0].source if moves else turns[0][2])]
    for move in moves:
        stays[-1].end_ns = move.ns
        stays.append(Stay(move.target, move.ns if move.arrived_ns is None else move.arrived_ns, asked=move.asked))
    at = 0
    for begin, end, rank in turns:
        while at + 1 < len(stays) and (begin >= stays[at].end_ns or stays[at].rank != rank):
            at += 1
        if stays[at].rank != rank:  # how it came there is missing in the trace
            at += 1
            stays.insert(at, Stay(rank, begin))
        stays[at].turns.append((begin, end))
    # The way to where it begins is no move, unless it was to begin here and others sent it away.
    while len(stays) > 1 and not stays[0].turns and not stays[1].asked:
        del stays[0]
    # Who is sent on before its turn comes makes one move of it.
    stays = [stay for i, stay in enumerate(stays) if i == 0 or stay.turns]
    stays[-1].errand = len(stays) > 1 and len(stays[-1].turns) == 1 and not stays[-1].asked
    return stays


def moves_of(stays):
    """Pairs of stays between which a thread moved. An errand is no move: so threads bring home what they have made."""
    for before, after in zip(stays, stays[1:]):
        if before.rank != after.rank and not after.errand:
            yield before, after


@dataclasses.dataclass
class Part:
    """What ran from `begin_ns` to `end_ns`."""
    name: str
    begin_ns: int
    end_ns: int
    stays: dict = dataclasses.field(default_factory=dict)    # thread: [Stay] in order of time
    lanes: dict = dataclasses.field(default_factory=dict)    # rank: [Stay], the lowest first
    busy_ns: dict = dataclasses.field(default_factory=dict)  # rank: processor time of its threads

    def efficiency(self):
        most = max(self.busy_ns.values(), default=0)
        return sum(self.busy_ns.values()) / (most * len(self.busy_ns)) if most else 1


def within(stay, part):
    """What of a stay is in the part; None of nothing."""
    if stay.end_ns < part.begin_ns or stay.begin_ns > part.end_ns:
        return None
    turns = [(max(begin, part.begin_ns), min(end, part.end_ns)) for begin, end in stay.turns]
    return dataclasses.replace(stay, begin_ns=max(stay.begin_ns, part.begin_ns),
                               turns=[(begin, end) for begin, end in turns if begin < end], height=[], base=[])


def add(heights, begin, end, height):
    """Adds so much to the columns from `begin` to `end`, in part to those that are in it in part."""
    column = int(begin)
    while column < end:
        if column >= len(heights):
            heights.extend([0.0] * (column + 1 - len(heights)))
        heights[column] += height * (min(column + 1, end) - max(column, begin))
        column += 1


def smooth(values, counts):
    """Each value becomes the mean of its neighbours, where `counts` is not 0: the operating system gives a rank its core
    for some milliseconds and then to another, which is not what the picture is about."""
    sums = [0, *itertools.accumulate(value if count > 0 else 0 for value, count in zip(values, counts))]
    numbers = [0, *itertools.accumulate(count > 0 for count in counts)]
    result = []
    for i in range(len(values)):
        low, high = max(i - REACH, 0), min(i + REACH + 1, len(values))
        number = numbers[high] - numbers[low]
        result.append((sums[high] - sums[low]) / number if number else 0)
    return result


def make_band(stay, part, column_ns):
    """A turn is spread over the time in which the thread waited for it, so that one that takes turns with others is a
    level band."""
    since, heights = stay.begin_ns, []
    for i, (begin, end) in enumerate(stay.turns):
        round_ns = end - since
        if i == 0 and len(stay.turns) > 1:  # the first may come soon; what a round takes shows at the second
            round_ns = max(round_ns, stay.turns[1][1] - end)
        if round_ns > 0:
            add(heights, (since - part.begin_ns) / column_ns, (end - part.begin_ns) / column_ns, (end - begin) / round_ns)
        since = end
    stay.first = next((i for i, height in enumerate(heights) if height > 0), 0)
    stay.height = heights[stay.first:]


def stack(lane, busy):
    """Places bands on each other, together as high as `busy`."""
    total = []
    for band in lane:
        band.height = smooth(band.height, band.height)
        total.extend([0.0] * (band.end() - len(total)))
        for i, height in enumerate(band.height):
            total[band.first + i] += height
    busy = busy[:len(total)] + [0.0] * (len(total) - len(busy))
    busy = smooth(smooth(busy, total), total)
    top = [0.0] * len(total)
    for band in lane:
        for i, height in enumerate(band.height):
            column = band.first + i
            band.height[i] = height * busy[column] / total[column] if total[column] > 0 else 0
            band.base.append(top[column])
            top[column] += band.height[i]


def threads_in(trace, part, all_lives, hidden):
    """Gives the part its stays: of threads that ran in it and are not `hidden`; then those that name no thread, as a
    thread of each rank."""
    for thread in sorted(all_lives):
        if thread in hidden:
            continue
        stays = [inside for inside in (within(stay, part) for stay in all_lives[thread]) if inside]
        if any(stay.turns for stay in stays):
            part.stays[thread] = [stay for i, stay in enumerate(stays) if i == 0 or stay.turns]
    for rank, ran in trace.turns.items():
        several = within(Stay(rank, turns=[(begin, end) for begin, end, thread in ran if thread == 0]), part)
        if several.turns:
            part.stays[-1 - rank] = [several]


def fill(trace, part, column_ns):
    """Finds the bands of the part's stays, and how busy the ranks were."""
    for rank in trace.ranks:
        lane = [stay for stays in part.stays.values() for stay in stays if stay.rank == rank and stay.turns]
        core = CoreTime(trace.core.get(rank, ()))
        busy, busy_ns = [], 0
        for stay in lane:
            make_band(stay, part, column_ns)
            for begin, end in stay.turns:
                had = core.until(end) - core.until(begin)
                busy_ns += had
                add(busy, (begin - part.begin_ns) / column_ns, (end - part.begin_ns) / column_ns, had / (end - begin))
        stack(lane, busy)
        part.lanes[rank], part.busy_ns[rank] = lane, busy_ns
