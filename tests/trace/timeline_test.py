#!/usr/bin/python3
"""roam-report's timeline of traces made by hand.  usage: timeline_test.py ROAM_REPORT"""

import collections
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml

REPORT = os.path.abspath(sys.argv.pop(1))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(REPORT)), "report"))
import bands    # noqa: E402
import reading  # noqa: E402

MS = 1000  # in a trace's microseconds
SVG = "{http://www.w3.org/2000/svg}"
HEAD = '{"displayTimeUnit":"ns","traceEvents":[\n{"ph":"M","pid":1,"name":"process_labels","args":{"labels":"Roam"}}'


def turn(rank, begin, length, thread, name):
    return {"ph": "X", "pid": rank + 1, "name": name, "cat": "run", "tid": 0, "ts": begin, "dur": length,
            "args": {"thread": thread}}


def move(source, target, left, came, thread, hop, asked=True, **more):
    leaves = {"ph": "X", "pid": source + 1, "name": "n", "cat": "move", "tid": 1, "ts": left, "dur": 1,
              "args": {"thread": thread, "hop": hop, "to": target, "bytes": 0, **({"asked": 1} if asked else {})}}
    comes = {**leaves, "pid": target + 1, "ts": came, "args": {"thread": thread, "hop": hop, **more}}
    return [leaves, comes]


def core(rank, when, percent):
    return {"ph": "C", "pid": rank + 1, "name": "core", "ts": when, "args": {"%": percent}}


def process(rank):
    return {"ph": "M", "pid": rank + 1, "name": "process_name", "args": {"name": f"rank {rank}, node 0"}}


def worker(begin, thread=5, name="/a/<b>&c, 1 MiB"):
    """Takes a turn of 1 ms in every 2 ms: 10 on rank 0, then, after a move, 5 on rank 1, and goes home."""
    turns = [turn(0 if i < 10 else 1, begin + (2 * i + 1) * MS, MS, thread, name) for i in range(15)]
    return [*turns, *move(0, 1, begin + 20 * MS, begin + 20.5 * MS, thread, 1),
            *move(1, 0, begin + 30 * MS, begin + 30.1 * MS, thread, 2, asked=False),
            turn(0, begin + 30.2 * MS, 0.1 * MS, thread, name)]


def two_runs():
    """Of two workers each, one on each rank; the first run has no move of the second's. `main` starts both."""
    return [process(0), process(1), turn(0, 0, MS, 1, "main"),
            turn(0, 10 * MS, 0.1 * MS, 2, "without"), turn(0, 49 * MS, 0.1 * MS, 2, "without"),
            *(turn(1, 10 * MS + 2 * i * MS, MS, 3, "/x/slow") for i in range(10)),
            turn(0, 60 * MS, MS, 1, "main"),
            turn(0, 100 * MS, 0.1 * MS, 4, "with"), turn(0, 139 * MS, 0.1 * MS, 4, "with"), *worker(100 * MS),
            *(turn(0, 100 * MS + 2 * i * MS, MS, 6, "/x/other file") for i in range(10)),
            core(0, 0, 100), core(0, 100 * MS, 50), core(1, 0, 100)]


class Timeline(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.trace = os.path.join(self.folder.name, "t.json")
        self.picture = os.path.join(self.folder.name, "t.svg")

    def tearDown(self):
        self.folder.cleanup()

    def write(self, events, **about):
        about = {"producer": "roam", "version": 1, "program": "test", "ranks": 2, "cores": 1, **about}
        with open(self.trace, "w", encoding="utf-8") as file:
            file.write(HEAD + "".join(",\n" + json.dumps(event) for event in events) + "\n],\"otherData\":" +
                       json.dumps(about) + "}\n")

    def run_report(self, *options):
        return subprocess.run([REPORT, self.trace, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def draw(self, events, *parts, **about):
        self.write(events, **about)
        options = [word for part in parts for word in ("--part", part)]
        result = self.run_report("--timeline", self.picture, *options)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        with open(self.picture, encoding="utf-8") as file:
            text = file.read()
        self.assertIsNone(re.search(r"\bnan\b|\binf\b", text))
        self.assertEqual(re.findall(r"@import|url\(|href", text), [])
        return xml.fromstring(text)

    def lives(self, events):
        self.write(events)
        return bands.lives(reading.read(self.trace))

    def texts(self, picture, kind=None):
        return [text.text for text in picture.iter(SVG + "text") if kind in (None, text.get("class"))]

    def of_class(self, picture, kind):
        return [element for element in picture.iter() if element.get("class") == kind]

    # ---- the picture ----

    def test_draws_both_parts_with_their_figures(self):
        picture = self.draw(two_runs(), "without", "with")
        self.assertEqual(self.texts(picture, "title"), ["test: 2 threads on 2 ranks"])
        self.assertEqual(self.texts(picture, "heading"), ["Without", "With"])
        facts = [text for text in self.texts(picture, "soft") if text.startswith("efficiency")]
        self.assertIn("efficiency 50 %,  19.0 ms from start to end", facts[0])
        self.assertNotIn("move", facts[0])
        # 10 ms each of two threads at half a core, and the way home; 5 ms on the other rank.
        self.assertIn("efficiency 75 %,  30.3 ms from start to end,  1 move of 1 thread,  median 1", facts[1])
        busy = [text.text for text in picture.iter(SVG + "text") if float(text.get("x")) > 1126 and not text.get("class")]
        self.assertEqual(busy, ["0.0 ms", "10.0 ms", "10.1 ms", "5.0 ms"])
        self.assertIn("2 ranks, 1 core. Busy is CPU time of the threads shown; start to end also shows how few the cores "
                      "are. A lane's full height is 100 % of a core.", self.texts(picture, "soft"))
        self.assertEqual(len(self.of_class(picture, "finish")), 2)

    def test_a_band_for_each_stay_and_an_arc_for_each_move(self):
        picture = self.draw(two_runs(), "without", "with")
        titles = collections.Counter(band.find(SVG + "title").text for band in self.of_class(picture, "band"))
        self.assertEqual(titles, {"/x/slow, rank 1": 1, "/x/other file, rank 0": 1, "/a/<b>&c, 1 MiB, rank 0 → 1": 3})
        arcs = [group for group in picture.iter(SVG + "g") if group.find(SVG + "circle") is not None]
        self.assertEqual([arc.find(SVG + "title").text for arc in arcs], ["/a/<b>&c, 1 MiB, rank 0 → 1"])
        path = arcs[0].findall(SVG + "path")[1]
        # Both bands have the hue of rank 0, where the thread began, and so has the arc, in a darker shade.
        swatches = [rect.get("fill") for rect in picture.iter(SVG + "rect") if rect.get("width") == "14"]
        fills = {band.get("fill") for band in self.of_class(picture, "band") if "→" in band.find(SVG + "title").text}
        self.assertEqual(len(fills), 1)
        self.assertTrue(fills <= set(swatches[:4]), (fills, swatches))
        dots = arcs[0].findall(SVG + "circle")
        self.assertEqual([float(dot.get("r")) for dot in dots], [2.2, 3.4])
        self.assertNotEqual(path.get("stroke"), None)
        # From the departure at 20 ms, on the lane of rank 0, to the turn at 21 ms, on that of rank 1.
        for dot, ms in zip(dots, (20, 21)):
            self.assertAlmostEqual(float(dot.get("cx")), 92 + ms / (1.02 * 30.3) * (1104 - 92), delta=0.2)
        self.assertLess(float(dots[0].get("cy")), float(dots[1].get("cy")))

    def test_bands_that_are_wide_enough_are_named(self):
        picture = self.draw(two_runs(), "without", "with")
        self.assertEqual(sorted(self.texts(picture, "label")), ["<b>&c", "<b>&c", "other file", "slow"])

    def test_an_axis_has_one_unit(self):
        for length, unit in ((MS, "ms"), (3000 * MS, "s"), (1.5 * MS * 1000, "s"), (20, "µs")):
            picture = self.draw([process(0), turn(0, 0, length, 1, "n")])
            ticks = self.texts(picture, "tick")
            self.assertTrue(5 <= len(ticks) <= 12, ticks)
            self.assertTrue(all(tick.endswith(" " + unit) for tick in ticks), ticks)
            self.assertEqual(len({len((tick.split()[0] + ".").split(".")[1]) for tick in ticks}), 1, ticks)
            self.assertEqual(len(set(ticks)), len(ticks))

    def test_what_xml_cannot_hold_is_replaced_and_nothing_else(self):
        picture = self.draw([process(0), turn(0, 0, 5000 * MS, 1, "dir/a\u00a0b\u0007é")])
        self.assertEqual(self.texts(picture, "label"), ["a\u00a0b?é"])
        self.assertEqual([text for text in self.texts(picture) if "?" in text], ["a\u00a0b?é"])

    def test_no_texts_overlap(self):
        ranks, events = 4, []
        for rank in range(ranks):
            events += [process(rank), turn(rank, 0, 3000 * MS, rank + 1, "a-name-of-a-thread"), core(rank, 0, 100)]
        picture = self.draw(events)
        boxes = []
        for text in picture.iter(SVG + "text"):
            size = {"title": 22, "heading": 16, "tick": 12, "label": 11}.get(text.get("class"), 13)
            x, y, width = float(text.get("x")), float(text.get("y")), 0.6 * size * len(text.text)
            x -= {"right": 1, "tick": 0.5, "label": 0.5}.get(text.get("class"), 0) * width
            boxes.append((x, y - 0.8 * size, x + width, y + 0.2 * size, text.text))
        for i, a in enumerate(boxes):
            self.assertTrue(0 <= a[0] and a[2] <= 1280, a)
            for b in boxes[i + 1:]:
                self.assertFalse(a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3], (a, b))

    def test_a_run_in_which_next_to_nothing_happened(self):
        picture = self.draw([process(0), turn(0, 5, 0.001, 1, "n")], ranks=1, cores=2)
        self.assertEqual(self.texts(picture, "title"), ["test: 1 thread on 1 rank"])
        self.assertIn("1 rank, 2 cores. Busy is the time of turns",
                      "".join(self.texts(picture, "soft")))

    def test_turns_that_name_no_thread_are_a_band_and_no_thread(self):
        several = turn(0, 5 * MS, 5 * MS, 0, "several threads")
        del several["args"]["thread"]
        picture = self.draw([process(0), turn(0, 0, 5 * MS, 1, "n"), several])
        self.assertEqual(self.texts(picture, "title"), ["test: 1 thread on 1 rank"])
        self.assertIn("several threads", self.texts(picture, "label"))

    def test_what_lies_before_or_after_a_part_is_not_in_it(self):
        events = [process(0), process(1), turn(0, 20 * MS, MS, 9, "phase"), turn(0, 39 * MS, MS, 9, "phase"),
                  turn(0, 0, 10 * MS, 5, "n"), *move(0, 1, 10 * MS, 11 * MS, 5, 1), turn(1, 12 * MS, 20 * MS, 5, "n"),
                  *move(1, 0, 38 * MS, 40 * MS, 5, 2), turn(0, 45 * MS, MS, 5, "n"),
                  turn(0, 60 * MS, MS, 7, "later")]
        picture = self.draw(events, "phase")
        self.assertEqual([band.find(SVG + "title").text for band in self.of_class(picture, "band")], ["n, rank 1"])
        self.assertEqual(list(picture.iter(SVG + "circle"))[1:], [])  # that of the legend
        self.assertEqual(self.texts(picture, "title"), ["test: 1 thread on 2 ranks"])

    # ---- what is a move ----

    def test_the_way_to_where_a_thread_begins_is_no_move(self):
        stays = self.lives([*move(0, 1, 1, 2, 5, 1, asked=False), turn(1, 3, 1, 5, "n"), turn(1, 5, 1, 5, "n")])[5]
        self.assertEqual([stay.rank for stay in stays], [1])

    def test_a_thread_that_is_sent_away_before_its_first_turn_has_begun_where_it_was(self):
        stays = self.lives([*move(0, 1, 1, 2, 5, 1), turn(1, 3, 1, 5, "n"), turn(1, 5, 1, 5, "n")])[5]
        self.assertEqual([stay.rank for stay in stays], [0, 1])
        self.assertEqual(len(list(bands.moves_of(stays))), 1)

    def test_a_thread_that_is_sent_on_before_its_turn_makes_one_move(self):
        stays = self.lives([turn(0, 0, 1, 5, "n"), *move(0, 1, 1, 2, 5, 1), *move(1, 2, 3, 4, 5, 2),
                            turn(2, 5, 1, 5, "n")])[5]
        self.assertEqual([(a.rank, b.rank) for a, b in bands.moves_of(stays)], [(0, 2)])
        back = self.lives([turn(0, 0, 1, 5, "n"), *move(0, 1, 1, 2, 5, 1), *move(1, 0, 3, 4, 5, 2),
                           turn(0, 5, 1, 5, "n")])[5]
        self.assertEqual(list(bands.moves_of(back)), [])

    def test_the_way_home_is_no_move_and_a_way_of_its_own_is_one(self):
        own = self.lives([turn(0, 0, 1, 5, "n"), *move(0, 1, 1, 2, 5, 1, asked=False), turn(1, 3, 1, 5, "n"),
                          *move(1, 0, 4, 5, 5, 2, asked=False), turn(0, 6, 1, 5, "n")])[5]
        self.assertEqual([(a.rank, b.rank) for a, b in bands.moves_of(own)], [(0, 1)])
        sent = self.lives([turn(0, 0, 1, 5, "n"), *move(0, 1, 1, 2, 5, 1), turn(1, 3, 1, 5, "n")])[5]
        self.assertEqual([(a.rank, b.rank) for a, b in bands.moves_of(sent)], [(0, 1)])

    def test_a_move_that_was_refused_is_none(self):
        stays = self.lives([turn(0, 0, 1, 5, "n"), *move(0, 1, 1, 2, 5, 1, refused_by=1), turn(0, 3, 1, 5, "n")])[5]
        self.assertEqual([stay.rank for stay in stays], [0])
        self.assertEqual(len(stays[0].turns), 2)

    # ---- bands ----

    def filled(self, events):
        self.write(events)
        trace = reading.read(self.trace)
        part = bands.Part("all", 0, trace.end_ns)
        bands.threads_in(trace, part, bands.lives(trace), set())
        bands.fill(trace, part, 1_000_000)
        return part

    def test_a_stay_is_a_level_band_with_the_cpu_time_as_its_area(self):
        part = self.filled([process(0), process(1), *worker(0)])
        stays = part.stays[5]
        self.assertEqual((stays[0].first, len(stays[0].height)), (0, 20))
        for height in stays[0].height:
            self.assertAlmostEqual(height, 0.5, delta=0.06)
        self.assertAlmostEqual(sum(stays[1].height), 5, delta=0.5)
        self.assertAlmostEqual(part.busy_ns[1], 5_000_000)

    def test_bands_of_a_lane_stand_on_each_other(self):
        part = self.filled([process(0), process(1), *worker(0),
                            *({**event, "args": {**event["args"], "thread": 7}} for event in worker(0))])
        upper = part.stays[7][0]
        self.assertAlmostEqual(upper.base[3], 0.5, delta=0.06)
        self.assertAlmostEqual(upper.middle(3), 0.75, delta=0.09)

    def test_busy_is_the_turns_at_the_rank_s_share_of_a_core(self):
        part = self.filled([process(0), turn(0, 0, 10 * MS, 5, "n"), core(0, 0, 100), core(0, 4 * MS, 25)])
        self.assertAlmostEqual(part.busy_ns[0], 5_500_000)
        self.assertAlmostEqual(sum(part.stays[5][0].height), 5.5, delta=0.5)

    # ---- refusals ----

    def refused(self, word, *options):
        self.write(two_runs())
        result = self.run_report(*options)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn(word, result.stderr)
        self.assertNotIn("Traceback", result.stderr)
        self.assertFalse(os.path.exists(self.picture))

    def test_refusals_name_what_is_wrong(self):
        self.refused("no thread that ran is called 'nobody'", "--timeline", self.picture, "--part", "nobody")
        self.refused("--part is for --timeline", "--part", "with")

    def test_a_page_and_a_picture_of_one_reading(self):
        self.write(two_runs())
        page = os.path.join(self.folder.name, "p.html")
        result = self.run_report("--timeline", self.picture, "-o", page)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertTrue(os.path.exists(page) and os.path.exists(self.picture))
        self.assertFalse(os.path.exists(self.trace[:-5] + ".html"))


unittest.main()
