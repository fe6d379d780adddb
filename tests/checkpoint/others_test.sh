#!/usr/bin/env bash
# A checkpoint that belongs to another user is refused at a restart, unless told.
#
#   others_test.sh MPIEXEC WALK
set -u
walks=$(realpath "$(dirname "$0")/walks.sh")
mpiexec=$(realpath "$1") walk=$(realpath "$2")
scratch=$(mktemp -d "${TEST_TMPDIR:-/tmp}/others.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
# shellcheck source=tests/checkpoint/walks.sh
source "$walks"

goes_on() { # RESTART NUMBER: from that one
  rm -f record*
  ROAM_RECORD=$scratch/record ROAM_RESTART=$1 walk 3 none 0 || fail "restart from $1: $(cat said)"
  [[ $(<record.from) == "checkpoint $2, from disk" ]] || fail "$1: $(<record.from), not $2"
  diff wanted sorted >differs || fail "restart from $1: $(head -5 differs) $(tail -5 said)"
  rm -rf all/000003 # which it makes where it goes on from the first
}

walk 3 all 2 || fail "a job that makes checkpoints: $(cat said)"
cp sorted wanted

# A way to tell that is none is refused before anything is read.
for wrong in all,of=other all,others all, ,of=others all,of=others,keep=2; do
  ROAM_RESTART=$wrong walk 3 none 0 && fail "ROAM_RESTART=$wrong is taken"
  grep -q "ROAM_RESTART=$wrong.*DIR,of=others" said || fail "ROAM_RESTART=$wrong: $(cat said)"
done
goes_on all 000002
goes_on all,of=me 000002
goes_on all,of=others 000002
echo "ok: of one's own"

if ! chown 12345 all/000002/manifest 2>/dev/null; then
  echo "SKIPPED: this user cannot give files away; owner_test has what is decided"
  exit 0
fi
# Of the newest the manifest, or a piece, belongs to somebody else.
goes_on all 000001
grep -q "000002/manifest: it belongs to user 12345, and this is user .*of=others.*passed over" said ||
  fail "it is not said why: $(cat said)"
goes_on all,of=others 000002
chown "$(id -u)" all/000002/manifest
chown 12345 all/000002/piece-1
goes_on all 000001
grep -q "000002/piece-1: it belongs to user 12345.*The one before it is tried" said ||
  fail "it is not said why: $(cat said)"
goes_on all,of=others 000002
# All of it, as after a copy of another user's folder by root.
chown -R 12345 all
ROAM_RESTART=all walk 3 none 0 && fail "another user's checkpoint is used"
grep -q "there is no whole checkpoint to go on from" said || fail "$(cat said)"
goes_on all,of=others 000002
echo "others_test: passed"
