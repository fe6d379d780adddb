#!/usr/bin/python3
"""Looks whether the trace that recorded.cc made has all that happened, and whether roam-report reads it.

usage: check_trace.py TRACE RANKS TRAVELLERS LAPS ROAM_REPORT
"""

import collections
import json
import os
import subprocess
import sys

path, ranks, travellers, laps, report = sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5]


def expect(true, *what):
    if not true:
        sys.exit(f"check_trace: {path}: " + " ".join(map(str, what)))


with open(path, encoding="utf-8") as file:
    trace = json.load(file)
events = trace["traceEvents"]
about = trace["otherData"]
expect(about["ranks"] == ranks and about["dropped_rows"] == 0, "about:", about)
expect(not os.path.exists(path + ".part"), "a part is left")


for event in events:
    event["pid"] -= 1  # from here on, its rank


def find(phase, category):
    return [event for event in events if event["ph"] == phase and event.get("cat", event["name"]) == category]


# Every rank is there, with counters.
expect({event["pid"] for event in find("M", "process_name")} == set(range(ranks)), "not every rank has a name")
for counter in ("threads", "busy"):
    expect({event["pid"] for event in find("C", counter)} == set(range(ranks)), "not every rank has", counter)
for event in find("C", "busy"):
    expect(0 <= event["args"]["%"] <= 100, event)

# Turns of a rank do not overlap; each traveller ran on each rank.
turns = collections.defaultdict(list)
where = collections.defaultdict(set)
for event in find("X", "run"):
    expect(event["ts"] >= 0 and event["dur"] >= 0 and 0 <= event["pid"] < ranks, event)
    turns[event["pid"]].append((event["ts"], event["ts"] + event["dur"]))
    where[event["name"]].add(event["pid"])
for rank, spans in turns.items():
    spans.sort()
    for (_, end), (begin, _) in zip(spans, spans[1:]):
        expect(begin >= end - 0.002, "turns of rank", rank, "overlap at", begin)
for i in range(travellers):
    name = f'traveller "{i}" <\\>'
    expect(where[name] == set(range(ranks)), name, "ran on", where[name])
expect("root" in where, "root did not run")

# Each migration has both ends, in order; arrows join them.
departures, arrivals = {}, {}
for event in find("X", "move"):
    args = event["args"]
    ends = departures if "to" in args else arrivals
    key = (args["thread"], args["hop"])
    expect(key not in ends, "twice:", event)
    ends[key] = event
expect(departures.keys() == arrivals.keys(), len(departures), "departures,", len(arrivals), "arrivals")
slack_us = 2 * about["clock_error_ns"] / 1000 + 0.002
for key, departure in departures.items():
    arrival = arrivals[key]
    expect(departure["args"]["to"] == arrival["pid"] and departure["name"] == arrival["name"], departure, arrival)
    expect(arrival["ts"] >= departure["ts"] - slack_us, "arrived before it left:", departure, arrival)
to_their_ranks = sum(1 for i in range(travellers) if i % ranks != 0)
moves = travellers * laps * ranks * (ranks > 1) + to_their_ranks
expect(len(departures) == moves, len(departures), "moves, not", moves)
tails = {event["id"]: event["ts"] for event in find("s", "move")}
heads = {event["id"]: event["ts"] for event in find("f", "move")}
expect(len(tails) == moves and tails.keys() == heads.keys(), len(tails), "tails,", len(heads), "heads of arrows")

# The report.
page = path + ".html"
subprocess.run([report, path, "-o", page], check=True)
with open(page, encoding="utf-8") as file:
    html = file.read()
for part in ("<canvas", 'id="efficiency"', 'id="top_threads"', "traveller &quot;3&quot; &lt;\\&gt;"):
    expect(part in html, "the page has no", part)
expect(ranks == 1 or ('id="move_list"' in html and 'id="move_matrix"' in html), "the page has no moves")
data = json.loads(html.split("const DATA = ", 1)[1].split(";\n", 1)[0])
expect(len(data["ranks"]) == ranks and len(data["moves"]) == 5 * moves, "the page's data")
print(f"{path}: {len(events)} events, {moves} moves: as it was")
