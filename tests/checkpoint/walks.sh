# shellcheck shell=bash
# For tests that run walk.cc: they set `mpiexec` and `walk`, and are where they may write.
unset ROAM_NODE_RANKS ROAM_RESTART ROAM_CHECKPOINT

fail() {
  echo "FAILED: $*"
  exit 1
}
# walk RANKS FOLDER CHECKPOINTS: what it printed is in `printed`, what it said in `said`.
walk() {
  timeout $((60 * ${PATIENCE:-1})) "$mpiexec" -n "$1" "$walk" "${@:2}" >printed 2>said </dev/null
  local status=$?
  grep . printed | sort >sorted
  return $status
}

# flip FILE OFFSET: another byte than there was.
flip() {
  local other=x
  [[ $(dd if="$1" bs=1 skip="$2" count=1 status=none | tr -d '\0') != x ]] || other=y
  printf %s "$other" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
