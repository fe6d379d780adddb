#!/usr/bin/env bash
# The bytes that docs/checkpoint.md shows of a piece are those that are written, but for checksums of
# what lies on a stack, which no two runs have alike, and for how much of it is in use.
#
#   example_test.sh EXAMPLE DOCUMENT
set -u
folder=$(mktemp -d "${TEST_TMPDIR:-/tmp}/example.XXXXXX")
trap 'rm -rf "$folder"' EXIT
"$1" "$folder/d" 1 >/dev/null || { echo "example_test: FAILED: status $?" && exit 1; }
python3 - "$2" "$folder/d/000001/piece-0" <<'PYTHON'
import re
import sys

text = open(sys.argv[1], encoding="utf-8").read()
piece = open(sys.argv[2], "rb").read()
example = re.search(r"\n( +0  52 4d 44 50 49 45 43 45 .*?)```", text, re.S)[1]
compared = 0
for at, shown, what in re.findall(r"^ *([0-9]+)  ((?:[0-9a-f]{2} ){8}) ?(.*)$", example, re.M):
    at = int(at)
    if "checksum" in what and at >= 32768:
        continue
    if "the stack in use" in what or "in the page at" in what:
        continue  # how much that is, the compiler decides
    found = piece[at:at + 8].hex(" ")
    assert found == shown.strip(), f"at {at} the document has {shown}, the piece {found}"
    compared += 1
assert compared >= 28, f"{compared} lines of the example are found"
assert f"{len(piece)}    " in example, f"the piece has {len(piece)} bytes"
print(f"example_test: passed, {compared} lines")
PYTHON
