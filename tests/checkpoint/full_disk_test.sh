#!/usr/bin/env bash
# A job under `roam run` ends well on a disk that has become full meanwhile: it is not taken for one
# that was killed.
#
#   full_disk_test.sh ROAM_RUN PROGRAM
set -u
roam_run=$(readlink -f "$1") program=$(readlink -f "$2")
work=${3-$(mktemp -d "${TEST_TMPDIR:-/tmp}/roam_full.XXXXXX")}
if (($# < 3)); then
  trap 'rm -rf "$work"' EXIT
  if ! unshare -m true 2>/dev/null; then
    echo "SKIPPED: this user cannot make a file system; job_record_test has what is written"
    exit 0
  fi
  unshare -m "$0" "$roam_run" "$program" "$work"
  exit
fi

fail() {
  echo "full_disk_test: FAILED: $*"
  cat "$work/out" "$work/err"
  exit 1
}
export MARK=$work/mark
export OMPI_MCA_btl=^tcp # it says something wherever this machine has no way to itself but lo
mkdir "$work/disk"
mount -t tmpfs -o size=1m none "$work/disk" || fail "no file system"
mkdir "$work/disk/d"
timeout $((120 * ${PATIENCE:-1})) "$roam_run" -n 2 --checkpoint "$work/disk/d" --every 0 "$program" \
  late - 20 >"$work/out" 2>"$work/err" &
supervisor=$!
until (($(grep -c "^late" "$work/out") == 2)); do
  kill -0 $supervisor || fail "it ended early"
  sleep 0.1
done
dd if=/dev/zero of="$work/disk/fill" bs=4k status=none 2>/dev/null
! echo more 2>/dev/null >"$work/disk/more" || fail "there is room for more"
touch "$MARK"
wait $supervisor || fail "status $?"
[[ $(grep -c "^20 rounds:" "$work/out") == 1 ]] || fail "it ran more than once"
[[ ! -s $work/err ]] || fail "it says something"
echo "full_disk_test: passed"
