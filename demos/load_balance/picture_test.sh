#!/usr/bin/env bash
# What the picture of a trace says is what the demo says.
#
#   picture_test.sh LOAD_BALANCE MPIEXEC ROAM_REPORT
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "picture_test: $*"
  cat "$work/said"
  exit 1
}

ROAM_TRACE=$work/t.json timeout 100 "$2" -n 4 "$1" --input=/usr/include --bytes=16M \
  --threads-per-rank=12 >"$work/said"
"$3" "$work/t.json" --timeline "$work/t.svg" --part "without balancing" --part "with balancing"

read -r moved threads moves < <(
  sed -nE 's/^ *moved +([0-9]+) of ([0-9]+) threads, ([0-9]+) moves.*/\1 \2 \3/p' "$work/said"
) || fail "no line of moves"
grep -q ">load_balance: $threads threads on 4 ranks<" "$work/t.svg" || fail "the title says otherwise"
heading=$(grep -oE '>efficiency [^<]*' "$work/t.svg")
[[ $(wc -l <<<"$heading") == 2 ]] || fail "not two runs: $heading"
[[ $(head -1 <<<"$heading") != *move* ]] || fail "a move without balancing: $heading"
plural=s
((moved != 1)) || plural=
if ((moves == 0)); then
  [[ $heading != *move* ]] || fail "the picture has moves: $heading"
else
  [[ $heading =~ ,\ \ $moves\ moves?\ of\ $moved\ thread$plural, ]] || fail "other moves: $heading"
fi
arcs=$({ grep -o 'class="halo"' "$work/t.svg" || true; } | wc -l)
((arcs == moves)) || fail "$arcs arcs"
echo "picture_test: $threads threads, $moves moves of $moved: as the demo says"
