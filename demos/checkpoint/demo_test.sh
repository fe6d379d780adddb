#!/usr/bin/env bash
# The demo of checkpoints runs to its end, and what it shows has happened.
#
#   demo_test.sh RUN ROAM_RUN PIC
set -u
work=$(mktemp -d "${TEST_TMPDIR:-/tmp}/roam_demo.XXXXXX")
trap 'rm -rf "$work"' EXIT
export HOME=$work TMPDIR=$work
export OMPI_MCA_btl_vader_backing_directory=$work OMPI_MCA_btl_sm_backing_directory=$work

"$1" "$2" "$3" --steps=4000 --balance-every=200 --grid=400 --particles=100000 \
  --threads-per-rank=4 >"$work/said" 2>&1 || {
  echo "demo_test: status $?"
  cat "$work/said"
  exit 1
}
for line in 'kill -9' 'the job was killed .*: started again from checkpoint 0' 'stopped by SIGTERM' \
  'roam run -n 3 .*--restart' 'status 0: 9[0-9],[0-9]* particles, all where they must be'; do
  grep -q -- "$line" "$work/said" && continue
  echo "demo_test: it does not say '$line'"
  cat "$work/said"
  exit 1
done
echo "demo_test: right"
