"""What the page says, from a trace: averages, totals, and lanes that are no finer than a screen can show."""

import collections

from reading import home_and_number

# The page's lanes hold about so many bars in all, however many turns there were.
MOST_BARS = 60_000
BINS = 240
# Threads with a colour of their own.
COLOURS = 24


def mean_of_steps(steps, end, bins):
    """A step function [(from when on, value)], averaged over equal parts of the time until `end`."""
    means = [0.0] * bins
    width = end / bins
    for i, (begin, value) in enumerate(steps):
        until = min(steps[i + 1][0] if i + 1 < len(steps) else end, end)
        for index in range(min(int(begin / width), bins - 1), bins):
            if index * width >= until:
                break
            share = (min(until, (index + 1) * width) - max(begin, index * width)) / width
            means[index] += value * max(share, 0)
    return means


def busy(trace):
    """Rank: its busy share over time, in BINS parts."""
    return {rank: mean_of_steps(trace.busy.get(rank, []), trace.end_ns, BINS) for rank in sorted(trace.ranks)}


def running_times(trace):
    """[(ns, thread)], longest first: as the run counted them, else the sums of the turns that name a thread."""
    if trace.longest:
        return sorted(trace.longest, reverse=True)
    sums = collections.Counter()
    for turns in trace.turns.values():
        for begin, end, thread in turns:
            sums[thread] += end - begin
    sums.pop(0, None)
    return [(total, thread) for thread, total in sums.most_common(1000)]


def lanes(trace):
    """Rank: [(begin, length, share that was busy in %, thread)]; short neighbours are one bar, with the thread that ran
    longest in it."""
    total = sum(len(turns) for turns in trace.turns.values())
    grain = 0 if total <= MOST_BARS else trace.end_ns * max(len(trace.turns), 1) // MOST_BARS
    result = {}
    for rank, turns in trace.turns.items():
        bars = result[rank] = []
        begin = end = ran = 0
        threads = collections.Counter()

        def put():
            if ran or threads:
                bars.append((begin, max(end - begin, 1), min(100, round(100 * ran / max(end - begin, 1))),
                             threads.most_common(1)[0][0]))

        for turn_begin, turn_end, thread in turns:
            if threads and turn_end - begin > grain:
                put()
                threads.clear()
            if not threads:
                begin, ran = turn_begin, 0
            end = max(turn_end, turn_begin) if not threads else max(end, turn_end)
            ran += turn_end - turn_begin
            threads[thread] += turn_end - turn_begin
        put()
    return result


def move_pairs(trace):
    """(from, to): [moves, bytes]."""
    pairs = collections.defaultdict(lambda: [0, 0])
    for move in trace.moves:
        if not move.refused:
            pairs[move.source, move.target][0] += 1
            pairs[move.source, move.target][1] += move.bytes
    return pairs


def spread(items, most):
    """At most so many of the items, evenly from the first to the last."""
    if len(items) <= most:
        return list(items)
    return [items[round(i * (len(items) - 1) / (most - 1))] for i in range(most)]


def duration(ns):
    """Nanoseconds for people."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if abs(ns) >= size:
            return f"{ns / size:.3g}\u00a0{unit}" if ns < 1000 * size else f"{ns / size:,.0f}\u00a0{unit}"
    return f"{ns:.0f}\u00a0ns"


def size(count):
    """Bytes for people."""
    if count < 1024:
        return f"{count} B"
    value, unit = float(count), "B"
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        value /= 1024
        if value < 1024:
            break
    return f"{value:.1f} {unit}"


def name_of(trace, thread):
    return trace.names.get(thread) or (f"thread {home_and_number(thread)}" if thread else "several threads")
