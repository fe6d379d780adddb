#!/usr/bin/env bash
# A program under tools/on-valgrind has the descriptors that it was given: by one of them a rank
# talks to its launcher.
#
#   on_valgrind_test.sh ON_VALGRIND
set -u
on_valgrind=$(readlink -f "$1")
command -v valgrind >/dev/null || { echo "SKIPPED: valgrind is not installed"; exit 0; }
given=$(mktemp "${TEST_TMPDIR:-/tmp}/given.XXXXXX")
trap 'rm -f "$given"' EXIT
for fd in {3..9} {10..30}; do eval "exec $fd<'$given'"; done
# shellcheck disable=SC2016  # of that shell
said=$("$on_valgrind" /bin/sh -c \
  'for fd in 3 4 5 6 7 8 9 10 11 12 20 30; do readlink "/proc/$$/fd/$fd"; done')
[[ $(grep -c "^$given\$" <<<"$said") == 12 ]] || { echo "FAILED: it has $said"; exit 1; }
echo "on_valgrind_test: passed"
