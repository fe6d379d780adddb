# shellcheck shell=bash
# For tests that look for processes of their jobs: they set `work`, the folder in which all of theirs
# is, and `program`.

# Ranks of a job under roam-run whose checkpoints are in $work/d.
ranks_of() {
  local exe pid
  for exe in /proc/[0-9]*/exe; do
    [[ $exe -ef $program ]] || continue
    pid=${exe//[!0-9]/}
    ! grep -qz "^ROAM_RECORD=$work/d/" "/proc/$pid/environ" || echo "$pid"
  done 2>/dev/null
}
# Ranks may outlive their launcher by a moment.
no_ranks() {
  local exe
  for exe in /proc/[0-9]*/exe; do
    [[ $exe -ef $program ]] && grep -q "$work/" "${exe%exe}cmdline" && return 1
  done 2>/dev/null
  return 0
}
# keepers [NODE]: processes that keep for jobs of this test
keepers() {
  local comm pid words
  for comm in /proc/[0-9]*/comm; do
    [[ $(<"$comm") == roam-keeper ]] || continue
    pid=${comm//[!0-9]/}
    mapfile -d '' -t words <"/proc/$pid/cmdline"
    [[ ${words[*]} == *"$work/"* ]] || continue
    [[ -n ${1-} && ${words[-1]} != "$1" ]] || echo "$pid"
  done 2>/dev/null
}
none_left() { [[ -z $(keepers) ]]; }
# Whether the condition holds within so many seconds, or PATIENCE times as many; within a minute.
within() { # SECONDS CONDITION...
  local end=$((SECONDS + $1 * ${PATIENCE:-1}))
  shift
  until "$@"; do
    ((SECONDS < end)) || return 1
    sleep 0.1
  done
}
soon() { within 60 "$@"; } # CONDITION...
# At the exit of tests that have keepers.
end_all() {
  local pid
  for pid in $(keepers); do kill -9 "$pid"; done
  rm -rf "$work"
}
