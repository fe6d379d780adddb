#!/usr/bin/env bash
# A signal ends tools/on-debian at once, with all that runs in its root, and nothing is left: while
# the root is made, and while a command runs in it.
#
#   on_debian_test.sh ON_DEBIAN
set -u
on_debian=$(readlink -f "$1")
((EUID == 0)) && unshare --mount --pid --fork true 2>/dev/null ||
  { echo "SKIPPED: no namespaces can be made"; exit 0; }
work=$(mktemp -d "${TEST_TMPDIR:-/tmp}/on_debian.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/roots"
fail() {
  echo "on_debian_test: FAILED: $*"
  cat "$work/out"
  exit 1
}

# Programs with these names, that download nothing: the namespaces and mounts are real ones.
program() { # NAME, its text on standard input
  { echo '#!/bin/bash' && cat; } >"$work/bin/$1"
  chmod +x "$work/bin/$1"
}
program mmdebstrap <<'END'
root=${*: -2:1}
mkdir -p "$root"/{proc,dev/shm,sys,etc}
echo 99 >"$root/etc/debian_version"
[[ $STAGE == root ]] || exit 0
touch "$WORK/reached"
exec sleep "$LONG"
END
program chroot <<'END'
touch "$WORK/reached"
sleep "$LONG"
END
program git <<'END'
exec tar -c -T /dev/null
END
program apt-get </dev/null
program apt-config </dev/null
export PATH=$work/bin:$PATH WORK=$work LONG=4321.$$ STAGE # LONG: seconds that no other test sleeps

within() { # SECONDS CONDITION...
  local end=$((SECONDS + $1 * ${PATIENCE:-1}))
  until "${@:2}"; do
    ((SECONDS < end)) || return 1
    sleep 0.05
  done
}
none_is_left() { ! grep -qsz "^$LONG$" /proc/[0-9]*/cmdline; }
for case in "root TERM 143" "inside TERM 143" "inside HUP 129"; do
  read -r STAGE signal wanted <<<"$case"
  rm -f "$work/reached"
  ROAM_ROOTS=$work/roots "$on_debian" 13 true >"$work/out" 2>&1 &
  pid=$!
  within 20 test -e "$work/reached" || fail "$case: it does not come so far"
  kill "-$signal" $pid
  # Without the cure it ends with the command.
  within 5 eval "! kill -0 $pid 2>/dev/null" || { kill -9 $pid; fail "$case: it does not end"; }
  wait $pid
  status=$?
  ((status == wanted)) || fail "$case: status $status, not $wanted"
  within 5 none_is_left || fail "$case: a process is left"
  [[ -z $(ls -A "$work/roots") ]] || fail "$case: left is $(ls -A "$work/roots")"
done
echo "on_debian_test: passed"
