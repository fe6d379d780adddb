#!/usr/bin/env bash
# What a job records with ROAM_BALANCE_TABLE is what its members did; the simulator reads it, and
# writes it for other tools.
#
#   balance_table_test.sh JOB BALANCE_SIM
set -u

job=$1 sim=$2
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

fail() {
  echo "balance_table_test: FAILED: $*"
  exit 1
}

for node_ranks in 2 1; do
  rm -rf "$out"/loads.* "$out/vt"
  ROAM_NODE_RANKS=$node_ranks ROAM_BALANCE_TABLE=$out/loads timeout $((100 * ${PATIENCE:-1})) tools/mpiexec -n 2 "$job" ||
    fail "the job ends with status $?"
  tables=("$out"/loads.*)
  ((${#tables[@]} == 2)) || fail "not two tables: ${tables[*]}"
  "$sim" --json --strategies=greedy "${tables[@]/#/--file=}" >"$out/json" || fail "no plan"
  "$sim" "${tables[@]/#/--file=}" "--write-vt=$out/vt" || fail "--write-vt"
  /usr/bin/python3 - "$out/vt" <<'END' || fail "what is written is not what the members did"
import json, sys

files = [json.load(open(f"{sys.argv[1]}/roam.{rank}.json")) for rank in range(2)]
for phase in range(2):
    tasks = {}
    messages = set()
    for rank, file in enumerate(files):
        for task in file["phases"][phase]["tasks"]:
            assert task["node"] == rank, task
            tasks[task["entity"]["id"]] = task
        for message in file["phases"][phase]["communications"]:
            assert tasks[message["from"]["id"]]["node"] == rank, message
            assert message["bytes"] >= 100 and message["messages"] == 1, message
            messages.add((message["from"]["id"], message["to"]["id"]))
    assert sorted(tasks) == list(range(8)), sorted(tasks)
    assert messages == {(i, (i + 1) % 8) for i in range(8)}, messages
    for i, task in tasks.items():
        assert abs(task["time"] / tasks[0]["time"] - (i + 1)) < 1e-9, task
        assert task["entity"]["migratable"] == (i != 7), task
        assert task["user_defined"]["task_serialized_bytes"] > 0, task
END
done

ROAM_BALANCE_TABLE=/none/such/loads timeout $((100 * ${PATIENCE:-1})) tools/mpiexec -n 2 "$job" >"$out/words" 2>&1 ||
  fail "a job whose tables cannot be written ends with status $?"
grep -q 'ROAM_BALANCE_TABLE=/none/such/loads: .* cannot be written' "$out/words" ||
  fail "it does not say so: $(cat "$out/words")"
echo "balance_table_test: passed"
