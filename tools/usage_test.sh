#!/usr/bin/env bash
# What is wrong in a command is named, with status 2.
#
#   usage_test.sh MPIEXEC ROAM_PS
set -u
mpiexec=$(readlink -f "$1") roam_ps=$(readlink -f "$2")
refused() { # TEXT COMMAND...
  local said status=0
  said=$("${@:2}" 2>&1) || status=$?
  ((status == 2)) && [[ $said == *"$1"* ]] && return
  echo "usage_test: FAILED: ${*:2}: status $status, $said"
  exit 1
}
refused "usage: tools/mpiexec" "$mpiexec"
refused "usage: tools/mpiexec" "$mpiexec" -n
refused "usage: tools/mpiexec" "$mpiexec" -n 2
refused "usage: tools/mpiexec" "$mpiexec" -x
for word in 12x ² -1 --all; do
  refused "'$word' is no number of a process" "$roam_ps" 1 "$word"
done
refused "takes one PID at most" "$roam_ps" --checkpoint 1 2
"$roam_ps" --help | grep -q "^usage: roam-ps" || { echo "usage_test: FAILED: --help" && exit 1; }
echo "usage_test: passed"
