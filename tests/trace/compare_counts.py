#!/usr/bin/python3
"""Compares what a trace processor made of a trace with what the run says in the trace's last line.

usage: compare_counts.py TRACE ANSWER     ANSWER: the output of ask_processor.mjs
"""

import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    about = json.load(file)["otherData"]
with open(sys.argv[2], encoding="utf-8") as file:
    answer = json.load(file)

expected = {
    "errors": [],
    "losses": [],
    "slices": about["slices"],
    "flows": about["arrow_heads"],
    "counter_values": about["counter_values"],
    "processes": about["ranks"],
    "moves": about["moves"],
    "messages": about["arrow_heads"] - about["moves"],
    "moved_bytes": about["moved_bytes"],
    "two_threads": 0,
    "back_in_time": 0,
}
wrong = [key for key in expected if answer[key] != expected[key]]
for key, value in expected.items():
    print(f"  {key}: {answer[key]}" + (f", NOT {value}" if key in wrong else ""))
if about["dropped_rows"] or not about["moves"]:
    sys.exit(f"compare_counts: this run shows nothing: {about}")
sys.exit(1 if wrong else 0)
