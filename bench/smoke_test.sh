#!/usr/bin/env bash
# Every benchmark runs, and every row of the table is there with a number; how fast is not asked.
#
#   smoke_test.sh RUN PROGRAM
#
# RUN is bench/run; the programs are where PROGRAM, one of them, is.
set -u

run=$1
programs=$(dirname "$2")
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

fail() {
  echo "smoke_test: FAILED: $*"
  exit 1
}

"$run" --quick --programs "$programs" --out "$out" || fail "bench/run ended with status $?"

/usr/bin/python3 - "$out" <<'END' || fail "results.json is not what the table was made of"
import importlib.util, json, math, pathlib, sys
import xml.etree.ElementTree as xml

out = pathlib.Path(sys.argv[1])
results = json.loads((out / "results.json").read_text())
table = (out / "table.md").read_text()
assert not results["failed"] and not results["missing"], results["failed"] + results["missing"]
rows = results["rows"]
names = [row["name"] for row in rows]
assert len(names) == len(set(names)), "a name is there twice"
for prefix in ("yield/", "spawn/", "heap/", "heap_ranks/", "plain_malloc/", "million/",
               "access/", "memory/", "hop_in_node/", "hop_group/",
               "hop_nodes/0/bytes", "hop_nodes/", "hop_nodes_fragmented/", "hop_nodes_first/", "hop_nodes_keep0/",
               "live_still/", "live_bytes/",
               "message/", "message_burst/", "checkpoint_still/", "checkpoint_disk/", "checkpoint_bytes/"):
    assert any(name.startswith(prefix) for name in names), f"no row {prefix}..."
for row in rows:
    numbers = [row["best"], row["median"]]
    if row["floor"]:
        numbers += [row[key] for key in ("floor_best", "floor_median", "ratio_best", "ratio_median")]
    assert all(math.isfinite(n) and n >= 0 for n in numbers), row
    assert ("met" in row) == ("expect" in row), row
    assert row["title"] in table, row
for row in rows:  # what was sent is at least the heap
    if row["name"].startswith("hop_nodes"):
        assert row["bytes"] >= int(row["name"].split("/")[1]), row
if importlib.util.find_spec("svgwrite"):  # the chart has a bar for each ratio
    bars = xml.parse(out / "ratios.svg").findall(".//{http://www.w3.org/2000/svg}rect")
    assert len(bars) == 1 + sum(row.get("ratio_median", 0) > 0 for row in rows), len(bars)
print(f"{len(rows)} rows")
END

# Wrong arguments are refused with a message and status 2.
"$run" --no-such-option >"$out/usage" 2>&1
(($? == 2)) && grep -q -- "--no-such-option" "$out/usage" || fail "an unknown option is not refused"
"$run" --programs "$programs" --only nonsense --out "$out" >"$out/usage" 2>&1
(($? == 2)) && grep -q "nonsense" "$out/usage" || fail "--only without a match is not refused"

# Each program states the question that it answers.
"$run" --programs "$programs" --questions >"$out/questions" || fail "--questions"
(($(grep -c '?' "$out/questions") >= 6)) || fail "a program does not state its question: $(cat "$out/questions")"
