"""What a viewer makes of a trace in Chrome's JSON format: slices on lanes, arrows between slices, values of counters.

The rules are those of Perfetto's trace processor. Where it would drop something and raise a statistic of severity
error, or show it otherwise than it was, this raises Wrong.
"""

import collections
import json

Slice = collections.namedtuple("Slice", "begin end pid tid category name args")
Imported = collections.namedtuple("Imported", "slices arrows tails_without_heads counter_values about")


class Wrong(Exception):
    """Says which event, and why."""


def expect(true, *what):
    if not true:
        raise Wrong(" ".join(map(str, what)))


def ns(microseconds):
    """Times are read as floating-point numbers, and cut."""
    return int(float(microseconds) * 1000)


def check_numbers(events):
    """A lane is named by a number that no process and no other lane has. 0 is the kernel's."""
    process_of = {}
    pids = {event["pid"] for event in events}
    for event in events:
        expect(event["pid"] > 0, "process 0:", event)
        if "tid" in event:
            expect(event["tid"] > 0, "lane 0:", event)
            expect(event["tid"] not in pids, "a lane with the number of a process:", event)
            owner = process_of.setdefault(event["tid"], event["pid"])
            expect(owner == event["pid"], "a lane of processes", owner, "and", event["pid"], event)
        else:
            expect(event["ph"] in "MC", "no lane:", event)


def in_order(events):
    """By time; of what begins at once the longest first; else as in the file."""
    timed = [event for event in events if event["ph"] != "M"]
    return sorted(timed, key=lambda event: (ns(event["ts"]), -ns(event["dur"]) if event["ph"] == "X" else 0))


def put(stack, new):
    """On its lane: slices that ended are over, one that has not must hold the new one."""
    while stack and (stack[-1].end < new.begin or
                     (stack[-1].end == new.begin and stack[-1].begin < stack[-1].end)):
        stack.pop()
    for other in stack:
        expect(not (new.begin < other.end < new.end), "dropped, since it overlaps", other, new)
        expect((other.begin, other.end) != (new.begin, new.end), "two at once:", other, new)
    stack.append(new)


def read(path):
    """All of the file. Raises Wrong."""
    with open(path, encoding="utf-8") as file:
        trace = json.load(file)
    events = trace["traceEvents"]
    check_numbers(events)
    slices, arrows, values = [], [], 0
    stacks = collections.defaultdict(list)
    tails = {}
    ended = set()
    for event in in_order(events):
        lane = (event["pid"], event.get("tid"))
        phase = event["ph"]
        if phase == "X":
            begin = ns(event["ts"])
            expect(ns(event["dur"]) >= 0, "negative:", event)
            put(stacks[lane], Slice(begin, begin + ns(event["dur"]), *lane, event["cat"], event["name"], event["args"]))
            slices.append(stacks[lane][-1])
        elif phase in "sf":
            key = (event["cat"], event["name"], event["id"])
            expect(stacks[lane], "an arrow without a slice:", event)
            top = stacks[lane][-1]
            expect(top.begin <= ns(event["ts"]) <= top.end, "an arrow at", top, event)
            expect(top.category == event["cat"], "an arrow at a slice of another kind:", top, event)
            if phase == "s":
                expect(key not in tails, "two tails:", event)
                tails[key] = top
            else:
                expect(event.get("bp") == "e", "a head that is tied to the next slice:", event)
                expect(key in tails, "a head before its tail, or without:", event)
                expect(key not in ended, "two heads:", event)
                ended.add(key)
                expect(tails[key].begin < top.begin, "an arrow back in time:", tails[key], top)
                arrows.append((tails[key], top))
        elif phase == "C":
            for value in event["args"].values():
                expect(isinstance(value, (int, float)), "no value:", event)
                values += 1
        else:
            raise Wrong(f"an event of a kind that Roam does not write: {event}")
    return Imported(slices, arrows, [tails[key] for key in tails if key not in ended], values, trace["otherData"])
