#!/usr/bin/python3
"""Looks whether the trace that recorded.cc made has all that happened, as a viewer shows it, and whether roam-report
reads it.

usage: check_trace.py TRACE RANKS TRAVELLERS LAPS MEMBERS ROUNDS ROAM_REPORT
"""

import collections
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as xml

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import importing  # noqa: E402

path, ranks, travellers, laps, members, rounds, report = sys.argv[1], *map(int, sys.argv[2:7]), sys.argv[7]


def expect(true, *what):
    if not true:
        sys.exit(f"check_trace: {path}: " + " ".join(map(str, what)))


try:
    seen = importing.read(path)
except importing.Wrong as wrong:
    sys.exit(f"check_trace: {path}: {wrong}")
about = seen.about
expect(about["cores"] >= 1, "about:", about)
expect(about["ranks"] == ranks and about["dropped_rows"] == 0, "about:", about)
expect(not os.path.exists(path + ".part"), "a part is left")
with open(path, encoding="utf-8") as file:
    events = json.load(file)["traceEvents"]
for event in events:
    event["pid"] -= 1  # from here on, its rank


def find(phase, category):
    return [event for event in events if event["ph"] == phase and event.get("cat", event["name"]) == category]


def rank_of(piece):
    return piece.pid - 1


# What the writer counted is what a viewer counts.
expect(about["slices"] == len(seen.slices), len(seen.slices), "slices:", about)
expect(about["counter_values"] == seen.counter_values, seen.counter_values, "values of counters:", about)
expect(about["arrow_tails"] == about["arrow_heads"] == len(seen.arrows), len(seen.arrows), "arrows:", about)
expect(not seen.tails_without_heads, "arrows without a head:", seen.tails_without_heads[:3])

# Every rank is there, with counters.
expect({event["pid"] for event in find("M", "process_name")} == set(range(ranks)), "not every rank has a name")
for counter in ("threads", "busy", "core", "load"):
    expect({event["pid"] for event in find("C", counter)} == set(range(ranks)), "not every rank has", counter)
for event in find("C", "busy") + find("C", "core"):
    expect(0 <= event["args"]["%"] <= 100, event)

# Each traveller ran on each rank.
where = collections.defaultdict(set)
for piece in seen.slices:
    if piece.category == "run":
        expect(0 <= rank_of(piece) < ranks, piece)
        where[piece.name].add(rank_of(piece))
for i in range(travellers):
    name = f'traveller "{i}" <\\>'
    expect(where[name] == set(range(ranks)), name, "ran on", where[name])
expect("root" in where, "root did not run")

# Each migration has both ends, in order; an arrow joins them, and no others.
moves = [(tail, head) for tail, head in seen.arrows if tail.category == "move"]
for departure, arrival in moves:
    expect(departure.args["to"] == rank_of(arrival) and departure.name == arrival.name, departure, arrival)
    for key in ("thread", "hop"):
        expect(departure.args[key] == arrival.args[key], "an arrow joins two threads:", departure, arrival)
to_their_ranks = sum(1 for i in range(travellers) if i % ranks != 0)
# A thread goes to each rank and makes the members of the team there.
expected = (travellers * laps * ranks + members) * (ranks > 1) + to_their_ranks + ranks - 1
ends = [piece for piece in seen.slices if piece.category == "move"]
expect(len({(piece.args["thread"], piece.args["hop"], "to" in piece.args) for piece in ends}) == len(ends), "twice")
balanced = sum(piece.args["moves"] for piece in seen.slices if piece.category == "balancing")
expect(len(moves) == expected + balanced, len(moves), "moves, not", expected, "and", balanced)
asked = sum(departure.args.get("asked", 0) for departure, _ in moves)
expect(asked == balanced, asked, "moves were asked for, not", balanced)
expect(len(moves) == about["moves"], len(moves), "moves; the run counted", about["moves"])
expect(len(ends) == 2 * len(moves), len(ends), "ends of", len(moves), "moves")
sent = sum(departure.args["bytes"] for departure, _ in moves)  # none is refused
expect(sent == about["moved_bytes"], sent, "bytes of moves; the run counted", about["moved_bytes"])
expect(about["threads_made"] == about["threads_ended"] == travellers + members + ranks + 2, "threads:", about)

# So do arrows of messages: each member sent one in each round.
messages = [(tail, head) for tail, head in seen.arrows if tail.category == "message"]
for tail, head in messages:
    expect(tail.name == "send" and head.name == "receive", tail, head)
    for key in ("from", "bytes", "tag"):
        expect(tail.args[key] == head.args[key], "an arrow joins two messages:", tail, head)
    expect(tail.args.get("to", head.args["to"]) == head.args["to"], "an arrow joins two messages:", tail, head)
expect(len(messages) == members * rounds, len(messages), "messages, not", members * rounds)
total = sum(to["messages"] for piece in seen.slices if piece.category == "summary" for to in piece.args.get("to", ()))
expect(total == members * rounds, total, "messages in the summary, not", members * rounds)

# The report.
page = path + ".html"
subprocess.run([report, path, "-o", page], check=True)
with open(page, encoding="utf-8") as file:
    html = file.read()
for part in ("<canvas", 'id="efficiency"', 'id="top_threads"', "traveller &#34;3&#34; &lt;\\&gt;"):
    expect(part in html, "the page has no", part)
expect(ranks == 1 or ('id="move_list"' in html and 'id="move_matrix"' in html), "the page has no moves")
data = json.loads(html.split("const DATA = ", 1)[1].split(";\n", 1)[0])
expect(len(data["ranks"]) == ranks and len(data["moves"]) == 5 * len(moves), "the page's data")
expect(f"<b>{len(moves):,}</b><span>moves</span>" in html, "the page counts other moves")
cells = re.findall(r'title="from rank \d+ to rank \d+">(\d*)</td>', html.split('id="message_matrix"')[1].split("</table>")[0])
expect(sum(int(cell or 0) for cell in cells) == total, "the page counts other messages:", cells)

# The timeline: a band for each thread that ran long enough, and moves.
picture = path + ".svg"
subprocess.run([report, path, "--timeline", picture], check=True)
drawn = xml.parse(picture).getroot()
titles = [element.text for element in drawn.iter("{http://www.w3.org/2000/svg}title")]
for i in range(travellers):
    expect(any(title.startswith(f'traveller "{i}" <\\>, rank ') for title in titles), "no traveller", i, "in", picture)
expect(ranks == 1 or any("→" in title for title in titles), "no move in", picture)
print(f"{path}: {len(events)} events, {len(moves)} moves, {len(messages)} messages: as it was")
