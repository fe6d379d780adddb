#!/usr/bin/python3
"""importing.py on traces that a viewer would not show as they are."""

import json
import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import importing  # noqa: E402


def piece(begin, length, lane=11, pid=1, category="move", **args):
    return {"ph": "X", "pid": pid, "name": "n", "cat": category, "tid": lane, "ts": begin, "dur": length, "args": args}


def tail(at, lane=11, pid=1, number="0x1", **more):
    return {"ph": "s", "pid": pid, "name": "move", "cat": "move", "id": number, "tid": lane, "ts": at, **more}


def head(at, lane=21, pid=2, number="0x1"):
    return tail(at, lane, pid, number, ph="f", bp="e")


class Importing(unittest.TestCase):
    def read(self, *events):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"traceEvents": events, "otherData": {}}, file)
            file.flush()
            return importing.read(file.name)

    def wrong(self, word, *events):
        with self.assertRaisesRegex(importing.Wrong, word):
            self.read(*events)

    def test_reads_what_is_right(self):
        counter = {"ph": "C", "pid": 1, "name": "threads", "ts": 1, "args": {"ready": 1, "waiting": 2}}
        got = self.read(piece(1, 1), tail(1), piece(2.5, 0.001, 21, 2), head(2.5), piece(5, 9), piece(6, 1), counter)
        self.assertEqual((len(got.slices), len(got.arrows), got.counter_values), (4, 1, 2))
        self.assertEqual(got.tails_without_heads, [])

    def test_finds_slices_that_overlap(self):
        self.wrong("overlaps", piece(1, 0.2), piece(1.1, 0.2))
        # As all moves and messages of a trace were: 0.2 us long, in the order of their ends.
        self.wrong("overlaps", piece(1.1, 0.2), piece(1, 0.2))

    def test_reads_times_as_a_viewer_does(self):
        self.assertEqual(importing.ns(1.001), 1000)
        self.wrong("overlaps", piece(0.001, 1), piece(1.001, 9))  # the first ends as the second begins

    def test_finds_an_arrow_at_another_slice(self):
        self.wrong("an arrow at", piece(1, 0.2), piece(3, 0.2), tail(1.1), tail(4, number="0x2"))
        self.wrong("without a slice", tail(1))
        self.wrong("another kind", piece(1, 1, category="run"), tail(1))

    def test_finds_arrows_without_two_ends(self):
        self.wrong("two tails", piece(1, 1), tail(1), tail(1))
        self.wrong("before its tail", piece(1, 1, 21, 2), head(1), piece(2, 1), tail(2))
        self.wrong("two heads", piece(1, 1), tail(1), piece(2, 1, 21, 2), head(2), head(2))
        self.wrong("back in time", piece(1, 1), tail(1), piece(1, 1, 21, 2), head(1))
        self.assertEqual(len(self.read(piece(1, 1), tail(1)).tails_without_heads), 1)

    def test_finds_lanes_that_would_be_one(self):
        self.wrong("lane 0", piece(1, 1, lane=0))
        self.wrong("process 0", piece(1, 1, pid=0))
        self.wrong("number of a process", piece(1, 1, lane=1))
        self.wrong("a lane of processes", piece(1, 1, lane=11, pid=1), piece(1, 1, lane=11, pid=2))


unittest.main()
