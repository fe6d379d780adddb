#!/usr/bin/env bash
# bench/balance_sim runs with all kinds of loads, its JSON is sound and follows from its options, a
# table that it wrote gives the same plans, and wrong options are refused.
#
#   balance_sim_test.sh BALANCE_SIM
set -u

sim=$1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

fail() {
  echo "balance_sim_test: FAILED: $*"
  exit 1
}

# Lines of JSON without what is measured.
plans() {
  "$sim" --quick --json "$@" >"$out/json" || fail "status $? of $*"
  sed 's/, "decision_s.*//' "$out/json"
}

for loads in uniform exponential half geometric hot-spot one; do
  plans "--loads=$loads" >"$out/first"
  plans "--loads=$loads" >"$out/second"
  cmp "$out/first" "$out/second" || fail "$loads: two runs differ"
  /usr/bin/python3 - "$out/json" <<'END' || fail "$loads: $(cat "$out/json")"
import json, math, sys

rows = [json.loads(line) for line in open(sys.argv[1])]
assert len(rows) == 9 and rows[0]["strategy"] == "none" and rows[0]["moves"] == 0
for row in rows:
    assert all(math.isfinite(v) for k, v in row.items() if k != "strategy"), row
    assert row["imbalance_after"] >= row["imbalance_floor"] - 1e-5 >= 0.999, row
    if row["imbalance_after"] <= 1.0005 * row["imbalance_floor"]:
        assert row["moves"] >= row["moves_floor"], row
    if row["strategy"] not in ("rotate", "random"):
        assert row["step_after_s"] <= row["step_before_s"], row
END
done

# What is called the best balance is the best, with few moves.
for loads in uniform exponential half geometric hot-spot one; do
  plans "--loads=$loads" --hold=1e6 --node-ranks=1 >"$out/first"
  /usr/bin/python3 - "$out/json" <<'END' || fail "$loads: $(cat "$out/json")"
import json, sys

rows = {row["strategy"]: row for row in map(json.loads, open(sys.argv[1]))}
best = min(row["imbalance_after"] for row in rows.values())
fewest = min(row["moves"] for row in rows.values() if row["imbalance_after"] <= best + 0.001)
for name in "greedy-refine", "hierarchical":
    row = rows[name]
    assert row["imbalance_after"] <= best + 0.002, row
    assert row["moves"] <= max(1.5 * fewest, 2 * row["moves_floor"] + 2 * 16), row
END
done

# Through a file.
"$sim" --quick --slow=50 --memory=200 "--write=$out/table" || fail "--write"
plans --slow=50 --memory=200 >"$out/first"
plans "--file=$out/table" >"$out/second"
cmp "$out/first" "$out/second" || fail "plans from a file differ"

# Steps, each model; odd sizes.
for model in last smoothed trend; do
  plans --loads=hot-spot --steps=12 --every=3 --noise=20 "--model=$model" >"$out/first"
done
plans --threads=0 >"$out/first"
plans --threads=1 --ranks=5 >"$out/first"
plans --threads=100 --ranks=1 >"$out/first"
plans --threads=7 --ranks=50 --edge-bytes=0 --steps=2 --every=1 >"$out/first"

"$sim" --quick >"$out/table.md" || fail "no table"
(($(grep -c '^| ' "$out/table.md") == 10)) || fail "not 9 rows: $(cat "$out/table.md")"

for wrong in --loads=none-such --strategies=greedy,none-such --model=x --threads=many --ranks=0 \
  --steps=0 --every=0 --none-such=1 --file=/none/such "--file=$out/table --vt=here" \
  --rank-limit=-8 --threads=-3 --seed=010 stray; do
  # Unquoted: one is two words.
  # shellcheck disable=SC2086
  "$sim" --quick $wrong >"$out/usage" 2>&1
  (($? == 2)) || fail "$wrong is not refused with status 2"
  value=${wrong##*[=,]}
  grep -qF -e "$value" "$out/usage" || fail "$wrong: the value is not in: $(cat "$out/usage")"
done
"$sim" "--file=$out/table" --steps=2 2>"$out/usage"
(($? == 1)) || fail "more steps than are recorded are not refused with status 1"
grep -q 'steps=2, but 1 are recorded' "$out/usage" || fail "more steps: $(cat "$out/usage")"

# In the form of another tool and back: only the numbers of threads differ. Three steps of a job.
"$sim" --quick --edge-bytes=0 --node-ranks=1 --thread-bytes=0 --loads=hot-spot --steps=3 \
  --every=1 "--write-vt=$out/vt" || fail "--write-vt"
plans --edge-bytes=0 --node-ranks=1 --thread-bytes=0 --loads=hot-spot --steps=3 --every=1 \
  >"$out/first"
plans "--vt=$out/vt" >"$out/second"
cmp "$out/first" "$out/second" || fail "plans from files of another tool differ"
"$sim" "--vt=$out/vt" "--write=$out/table2" --steps=1 || fail "--write of a --vt"
"$sim" "--file=$out/table2" "--file=$out/table2" "--write-vt=$out/vt2" || fail "two tables"
[[ -s $out/vt2/roam.15.json ]] || fail "not 16 files: $(ls "$out/vt2")"

# What a rank has besides its threads is of each step.
for used in 1000 5000; do
  printf '%s\n' 'roam-load-table 1' 'costs 10 5e-10 5e-06 7e-07 3e-10 3e-07' 'ranks 2' \
    "1 0 0 $used" "1 1 0 $((2 * used))" 'threads 2' '0.25 80 0' '0.5 80 1' 'edges 0' end \
    >"$out/used$used"
done
"$sim" "--file=$out/used1000" "--file=$out/used5000" "--write-vt=$out/vt3" || fail "two phases"
"$sim" "--vt=$out/vt3" "--write-vt=$out/vt4" || fail "two phases of a --vt"
for dir in vt3 vt4; do
  used=$(grep -ohE 'rank_working_bytes": ?[0-9]+' "$out/$dir"/roam.[01].json | grep -oE '[0-9]+$')
  [[ $(echo $used) == "1000 5000 2000 10000" ]] || fail "$dir: ranks have $(echo $used)"
done

# No rank has more than its limit, however the memory that threads share is counted.
plans "--vt=$out/vt" --rank-limit=1K >"$out/first"
"$sim" "--vt=$out/vt2" "--write-vt=$out/vt2" 2>"$out/usage"
(($? == 1)) || fail "files that are there are written over"
sed -i 's/^threads .*/threads -1/' "$out/table"
"$sim" "--file=$out/table" >"$out/usage" 2>&1
(($? == 1)) || fail "a corrupt file is not refused with status 1"
grep -q "table:[0-9]*: '-1'" "$out/usage" || fail "a corrupt file: $(cat "$out/usage")"
echo "balance_sim_test: passed"
