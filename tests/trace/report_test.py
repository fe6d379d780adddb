#!/usr/bin/python3
"""roam-report on traces made by hand.  usage: report_test.py ROAM_REPORT"""

import html.parser
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest

REPORT = os.path.abspath(sys.argv.pop(1))
HEAD = '{"displayTimeUnit":"ns","traceEvents":[\n{"ph":"M","pid":1,"name":"process_labels","args":{"labels":"Roam"}}'


def turn(rank, begin_us, us, thread, name):
    return {"ph": "X", "pid": rank + 1, "name": name, "cat": "run", "tid": 0, "ts": begin_us, "dur": us,
            "args": {"thread": thread}}


def step(when_us, before, after, moved):
    return {"ph": "X", "pid": 1, "name": "greedy", "cat": "balancing", "tid": 3, "ts": when_us, "dur": 10,
            "args": {"strategy": "greedy", "moves": len(moved), "bytes": sum(move["bytes"] for move in moved),
                     "imbalance_before": 1.5, "imbalance_after": 1.1, "before": before, "after": after, "moved": moved}}


def a_run(ranks, turns=10):
    """Turns, samples, one balancing step, one move, messages."""
    events = [{"ph": "M", "pid": rank + 1, "name": "process_name", "args": {"name": f"rank {rank}, node 0"}}
              for rank in range(ranks)]
    for rank in range(ranks):
        events += [turn(rank, 100 * i, 50 + rank % 50, (1 << 40) + rank + 1, f"<w{rank}> & co") for i in range(turns)]
        events.append({"ph": "C", "pid": rank + 1, "name": "busy", "ts": 0, "args": {"%": 50}})
    events.append(step(500, [float(rank) for rank in range(ranks)], [1.0] * ranks,
                       [{"thread": (1 << 40) + 1, "from": 0, "to": ranks - 1, "bytes": 4096}]))
    events.append({"ph": "X", "pid": 1, "name": "<w0> & co", "cat": "move", "tid": 1, "ts": 510, "dur": 1,
                   "args": {"thread": (1 << 40) + 1, "hop": 1, "to": ranks - 1, "bytes": 4096}})
    events.append({"ph": "X", "pid": ranks, "name": "<w0> & co", "cat": "move", "tid": 1, "ts": 530, "dur": 1,
                   "args": {"thread": (1 << 40) + 1, "hop": 1}})
    events.append({"ph": "X", "pid": 1, "name": "messages sent in all", "cat": "summary", "tid": 2, "ts": 900, "dur": 1,
                   "args": {"to": [{"rank": ranks - 1, "messages": 12345, "bytes": 999}]}})
    return events


def written(events, tail=True):
    about = {"producer": "roam", "version": 1, "program": "test", "ranks": 2, "clock_error_ns": 0, "dropped_rows": 0}
    lines = [",\n" + json.dumps(event, separators=(",", ":")) for event in events]
    return HEAD + "".join(lines) + ("\n],\"otherData\":" + json.dumps(about) + "}\n" if tail else "")


class Fetches(html.parser.HTMLParser):
    """Whatever a page would fetch, and the elements that it has."""

    def __init__(self):
        super().__init__()
        self.fetched, self.tags = [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.fetched += [value for name, value in attributes if name in ("src", "href", "data", "action")]


class Report(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.trace = os.path.join(self.folder.name, "t.json")
        self.page = os.path.join(self.folder.name, "t.html")

    def tearDown(self):
        self.folder.cleanup()

    def report(self, content, *options):
        with open(self.trace, "w", encoding="utf-8") as file:
            file.write(content)
        return subprocess.run([REPORT, self.trace, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def good_page(self, content, *options):
        result = self.report(content, *options)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        with open(self.page, encoding="utf-8") as file:
            page = file.read()
        parser = Fetches()
        parser.feed(page)
        self.assertEqual(parser.fetched, [])
        self.assertEqual(re.findall(r"https?://|@import|url\(", page), [])
        return page, parser.tags

    def refused(self, content, *words):
        result = self.report(content)
        self.assertNotEqual(result.returncode, 0)
        self.assertNotIn("Traceback", result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        for word in (self.trace, *words):
            self.assertIn(word, result.stderr)
        self.assertFalse(os.path.exists(self.page))

    def test_shows_all_that_there_is_at_2_and_at_64_ranks(self):
        for ranks in (2, 64):
            page, tags = self.good_page(written(a_run(ranks)))
            for part in ('id="lanes"', 'id="efficiency"', 'class="card step"', 'id="step_list"', 'id="move_matrix"',
                         'id="move_list"', 'id="top_threads"', 'id="message_matrix"', "prefers-color-scheme: dark",
                         "&lt;w0&gt; &amp; co", "4.0 KiB", "12k", "1.50 → 1.10"):
                self.assertIn(part, page)
            self.assertEqual(page.count('class="before"'), ranks)
            self.assertIn("canvas", tags)
            data = json.loads(page.split("const DATA = ", 1)[1].split(";\n", 1)[0])
            self.assertEqual(len(data["ranks"]), ranks)
            self.assertEqual(len(data["bars"][0]), 40)
            self.assertEqual(data["moves"][:2], [510_000, 530_000])

    def test_a_name_cannot_leave_the_script(self):
        page, _ = self.good_page(written([turn(0, 0, 9, 1, "</script><b>")]))
        self.assertEqual(page.count("</script>"), 1)

    def test_one_rank_without_moves(self):
        page, _ = self.good_page(written([turn(0, 0, 9, 1, "alone")]))
        self.assertIn("No thread moved", page)
        self.assertIn("No balancing step", page)

    def test_many_turns_make_a_small_page(self):
        begin = time.monotonic()
        line = ',\n{"ph":"X","pid":%d,"name":"n","cat":"run","tid":0,"ts":%d.125,"dur":3.5,"args":{"thread":%d}}'
        turns = "".join(line % (i % 4 + 1, i // 4 * 5, i % 50 + 1) for i in range(200_000))
        page, _ = self.good_page(HEAD + turns + written([])[len(HEAD):])
        self.assertLess(len(page), 1_000_000)
        print(f"200,000 turns: {time.monotonic() - begin:.1f} s, {len(page) >> 10} KiB")

    def test_a_move_that_was_refused_or_did_not_arrive(self):
        move = {"ph": "X", "pid": 1, "name": "n", "cat": "move", "tid": 1, "ts": 1, "dur": 1}
        page, _ = self.good_page(written([
            turn(0, 0, 9, 1, "n"), {**move, "args": {"thread": 1, "hop": 1, "to": 1, "bytes": 0}},
            {**move, "args": {"thread": 1, "hop": 1, "refused_by": 1}},
            {**move, "args": {"thread": 2, "hop": 1, "to": 1, "bytes": 0}}]))
        self.assertIn("refused", page)
        self.assertIn("did not arrive", page)

    def test_an_empty_file_is_refused(self):
        self.refused("", "empty")

    def test_a_run_without_events_is_refused(self):
        self.refused(written([]), "no event")

    def test_what_is_no_trace_is_refused(self):
        self.refused("hello\n", "no trace of Roam")
        self.refused('{"traceEvents":[]}', "no trace of Roam")

    def test_a_truncated_trace_is_refused_and_reported_in_part_if_asked(self):
        whole = written(a_run(2))
        for cut in (written(a_run(2), tail=False), whole[:len(whole) // 2], whole[:-5], whole.split("\n]")[0] + ",\n{"):
            self.refused(cut, "truncated", "--partial")
            page, _ = self.good_page(cut, "--partial")
            self.assertIn("is truncated", page)
            os.remove(self.page)

    def test_a_broken_line_is_named(self):
        self.refused(written(a_run(2)).replace('"cat":"run"', '"cat":run', 1), "no event", '"cat":run')

    def test_a_package_that_is_missing_is_named(self):
        for module in ("jinja2", "svgwrite"):
            with tempfile.TemporaryDirectory() as folder:
                with open(os.path.join(folder, module + ".py"), "w", encoding="utf-8") as file:
                    file.write(f"raise ModuleNotFoundError('No module', name='{module}')\n")
                result = subprocess.run([REPORT, self.trace], env={**os.environ, "PYTHONPATH": folder},
                                        stderr=subprocess.PIPE, text=True)
            self.assertNotEqual(result.returncode, 0)
            self.assertIn(f"apt-get install python3-{module}", result.stderr)
            self.assertNotIn("Traceback", result.stderr)

    def test_a_missing_file_is_named(self):
        result = subprocess.run([REPORT, "/nonexistent/t.json"], stderr=subprocess.PIPE, text=True)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("/nonexistent/t.json", result.stderr)
        self.assertNotIn("Traceback", result.stderr)


unittest.main()
