"""Reads a trace of Roam: Chrome's JSON trace format, as docs/tracing.md describes it. Times are in nanoseconds."""

import collections
import dataclasses
import json

HEAD = '{"displayTimeUnit"'
TAIL = '],"otherData":'
# What they connect is in the slices as well.
ARROWS = ('{"ph":"s"', '{"ph":"f"')
LINES_AT_A_TIME = 20_000

Move = collections.namedtuple("Move", "ns arrived_ns thread source target bytes refused asked")
Step = collections.namedtuple("Step", "ns duration_ns strategy moves bytes before after imbalance moved")


class Unreadable(Exception):
    """Says what is wrong with the file, for people."""


@dataclasses.dataclass
class Trace:
    ranks: dict = dataclasses.field(default_factory=dict)      # rank: its title
    turns: dict = dataclasses.field(default_factory=dict)      # rank: [(begin, end, thread)]; thread 0: several
    busy: dict = dataclasses.field(default_factory=dict)       # rank: [(from when on, share of 1)]
    core: dict = dataclasses.field(default_factory=dict)       # the same: how much of a core it had
    population: dict = dataclasses.field(default_factory=dict)  # rank: [(when, ready, waiting)]
    names: dict = dataclasses.field(default_factory=dict)      # thread: its name
    moves: list = dataclasses.field(default_factory=list)
    steps: list = dataclasses.field(default_factory=list)
    traffic: dict = dataclasses.field(default_factory=dict)    # (from rank, to rank): (messages, bytes)
    longest: list = dataclasses.field(default_factory=list)    # (ns, thread), where the run counted it itself
    end_ns: int = 0
    events: int = 0
    about: dict = dataclasses.field(default_factory=dict)
    whole: bool = True


def home_and_number(thread):
    """A thread's id for people: the rank that made it, and its number there (runtime/net/thread_id.h)."""
    return f"{(thread >> 40) - 1}:{thread & ((1 << 40) - 1)}"


def rank_of(event):
    return event["pid"] - 1


def ns(event, key="ts"):
    return round(event[key] * 1000)


class Builder:
    def __init__(self):
        self.trace = Trace()
        self.departures = collections.defaultdict(list)  # (thread, hop)
        self.arrivals = collections.defaultdict(list)

    def add(self, event):
        phase = event["ph"]
        if phase == "X":
            category = event["cat"]
            if category == "run":
                rank, begin = rank_of(event), ns(event)
                end = begin + ns(event, "dur")
                thread = event["args"].get("thread", 0)
                if thread:
                    self.trace.names.setdefault(thread, event["name"])
                self.trace.turns.setdefault(rank, []).append((begin, end, thread))
                self.trace.end_ns = max(self.trace.end_ns, end)
            elif category == "move":
                self.move(event)
            elif category == "balancing":
                self.step(event)
            elif category == "summary":
                self.summary(event)
        elif phase == "C":
            self.counter(event)
        elif phase == "M":
            self.trace.ranks.setdefault(rank_of(event), f"rank {rank_of(event)}")
            if event["name"] == "process_name":
                self.trace.ranks[rank_of(event)] = event["args"]["name"]

    def move(self, event):
        args, when = event["args"], ns(event)
        key = (args["thread"], args["hop"])
        self.trace.names.setdefault(args["thread"], event["name"])
        if "to" in args:
            self.departures[key].append((when, rank_of(event), args["to"], args["bytes"],
                                         bool(args.get("asked"))))
        else:
            self.arrivals[key].append((when, "refused_by" in args))
        self.trace.end_ns = max(self.trace.end_ns, when)

    def step(self, event):
        args = event["args"]
        moved = [(move["thread"], move["from"], move["to"], move["bytes"]) for move in args["moved"]]
        self.trace.steps.append(Step(ns(event), ns(event, "dur"), args["strategy"], args["moves"], args["bytes"],
                                     args["before"], args["after"],
                                     (args["imbalance_before"], args["imbalance_after"]), moved))

    def summary(self, event):
        for to in event["args"].get("to", ()):
            self.trace.traffic[rank_of(event), to["rank"]] = (to["messages"], to["bytes"])
        for thread in event["args"].get("threads", ()):
            self.trace.names[thread["thread"]] = thread["name"]
            self.trace.longest.append((thread["ran_ns"], thread["thread"]))

    def counter(self, event):
        args, when, rank = event["args"], ns(event), rank_of(event)
        if event["name"] == "busy":
            self.trace.busy.setdefault(rank, []).append((when, args["%"] / 100))
        elif event["name"] == "core":
            self.trace.core.setdefault(rank, []).append((when, args["%"] / 100))
        elif event["name"] == "threads":
            self.trace.population.setdefault(rank, []).append((when, args["ready"], args["waiting"]))
            self.trace.end_ns = max(self.trace.end_ns, when)

    def finish(self):
        trace = self.trace
        for (thread, hop), departures in self.departures.items():
            arrivals = sorted(self.arrivals.get((thread, hop), ()))
            for i, (when, source, target, size, asked) in enumerate(sorted(departures)):
                arrived, refused = arrivals[i] if i < len(arrivals) else (None, False)
                trace.moves.append(Move(when, arrived, thread, source, target, size, refused, asked))
        trace.moves.sort(key=lambda move: move.ns)
        trace.steps.sort(key=lambda step: step.ns)
        for series in (trace.turns, trace.busy, trace.core, trace.population):
            for values in series.values():
                values.sort()
        return trace


def events_of(lines, path):
    """The events of some lines, each of which may begin with a comma's end of the line before."""
    try:
        return json.loads("[" + "".join(lines).rstrip().rstrip(",") + "]")
    except ValueError:
        pass
    for line in lines:
        try:
            json.loads(line.strip().rstrip(","))
        except ValueError as error:
            raise Unreadable(f"{path}: this is no event: {line.strip()[:80]} ({error})") from None
    raise Unreadable(f"{path}: a comma is missing between events")


def read(path, partial=False):
    """The trace in a file. Errors: Unreadable, OSError."""
    builder = Builder()
    with open(path, encoding="utf-8", errors="replace") as file:
        head = file.readline()
        if not head:
            raise Unreadable(f"{path} is empty: a trace appears when the job has ended")
        if not head.startswith(HEAD):
            raise Unreadable(f"{path} is no trace of Roam: its first line is not {HEAD}...")
        tail, lines = None, []
        for line in file:
            if line.startswith(TAIL):
                tail = line
                break
            if line.startswith(ARROWS):
                builder.trace.events += 1
                continue
            lines.append(line)
            if len(lines) == LINES_AT_A_TIME:
                add_all(builder, lines, path)
        if tail is None or not tail.rstrip().endswith("}}"):
            if not partial:
                count = builder.trace.events + len(lines)
                raise Unreadable(f"{path} is truncated after {count:,} lines: its last line, {TAIL}..., is missing, as "
                                 "after a full disc or a broken copy. With --partial, what is there is reported.")
            lines = lines[:-1]  # it may have been cut
            builder.trace.whole = False
        add_all(builder, lines, path)
    if builder.trace.whole:
        builder.trace.about = json.loads("{" + tail[2:])["otherData"]
    trace = builder.finish()
    if trace.end_ns == 0:
        raise Unreadable(f"{path} holds no event of a run")
    return trace


def add_all(builder, lines, path):
    for event in events_of(lines, path):
        builder.add(event)
    builder.trace.events += len(lines)
    lines.clear()
