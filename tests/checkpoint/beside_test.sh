#!/usr/bin/env bash
# Goes on from each checkpoint of a job in which kernel threads free blocks of threads all the time,
# and hooks write blocks that were made on other ranks.
#
#   beside_test.sh MPIEXEC BESIDE
set -u
mpiexec=$(realpath "$1") beside=$(realpath "$2")
scratch=$(mktemp -d /tmp/roam_test.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
unset ROAM_NODE_RANKS ROAM_RESTART ROAM_CHECKPOINT

fail() {
  echo "FAILED: $*"
  exit 1
}
beside() {
  timeout $((60 * ${PATIENCE:-1})) "$mpiexec" -n "$1" "$beside" "$2" 8 >printed 2>said </dev/null ||
    fail "on $1 ranks: status $?: $(cat said)"
}

# With one in four the ranks look at what has changed; with full=1 they do not.
for how in "4 full=4" "4 full=1" "1 full=4"; do
  ranks=${how% *}
  rm -rf all
  ROAM_CHECKPOINT=$scratch/all,keep=8,${how#* } beside "$ranks" "$scratch/all"
  [[ $how == *full=1 ]] || compgen -G "all/*/base-*" >/dev/null ||
    fail "$how: none builds on another"
  for ((left = 8; left > 0; --left)); do
    ROAM_RESTART=$scratch/all beside "$ranks" "$scratch/all"
    newest=$(cd all && printf '%s\n' [0-9]* | sort | tail -1)
    grep -q "^checkpoint $((10#$newest)) is right on $ranks ranks" printed ||
      fail "$how, from $newest: $(cat printed said)"
    rm -rf "all/$newest"
  done
  echo "ok: $how"
done
echo "beside_test: passed"
