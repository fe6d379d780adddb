#!/usr/bin/env bash
# What tools/check_includes finds in small trees, and that it finds nothing else.
#
#   check_includes_test.sh CHECK
set -u
check=$PWD/$1
failures=0
fail() {
  echo "$*"
  failures=$((failures + 1))
}

# tree NAME: an empty one with a table, and what follows is in it.
tree() {
  cd "$(mktemp -d -p "${TEST_TMPDIR:-/tmp}")" || exit 1
  mkdir -p runtime/{net,place,balance,teams,job,keeping,api/public/roam}
  touch runtime/api/public/roam/team.h
  cat >runtime/README.md <<'TABLE'
| folder | what it owns | may also include |
|---|---|---|
| `net/` | messages | threads |
| `place/` | where a thread is | `net/` |
| `balance/` | functions | base only |
| `teams/` | members | all above; the public headers of `api/` |
| `job/` | the list | all above |
| `api/` | the calls | all |
TABLE
}

# holds FILE HEADER: FILE of runtime/ includes it.
holds() { printf '#include <vector>\n#include "%s"  // why\n' "$2" >"runtime/$1"; }

# expect TEXT...: each is in a line that is said, in this order, and there are no others.
expect() {
  local said status line
  said=$("$check" "$PWD")
  status=$?
  local -a lines=()
  [[ -z $said ]] || mapfile -t lines <<<"$said"
  ((status == ($# != 0))) || fail "$what: the status is $status"
  ((${#lines[@]} == $#)) || fail "$what: ${#lines[@]} lines, not $#: $said"
  for line in "${lines[@]}"; do
    [[ $line == *"${1-}"* ]] || fail "$what: \"$line\" is not \"${1-}\""
    shift
  done
}

what="what is allowed"
tree
holds place/locator.h runtime/net/net.h
holds net/net.cc runtime/net/net.h
holds teams/post.cc runtime/place/locator.h
holds teams/member.h roam/team.h
holds place/answer.cc roam/error.h  # of base/
holds job/job.cc runtime/keeping/store.h
holds keeping/store.cc runtime/teams/post.h
holds api/api.cc runtime/job/job.h
expect

what="a later folder, though no cycle of targets comes of it"
tree
holds net/net.cc runtime/place/ended_threads.h
expect "runtime/net/net.cc:2: includes runtime/place/ended_threads.h, but net/ may include nothing"

what="an earlier folder that is not in the row"
tree
holds balance/refine.cc runtime/net/net.h
expect "balance/ may include nothing of runtime/"

what="the public headers, of who may not"
tree
holds job/start.cc roam/team.h
expect "includes roam/team.h, but job/ may include net/ place/ balance/ teams/ (runtime/README.md)"

what="more than the public headers, of who may have those"
tree
holds teams/post.cc runtime/api/caller.h
expect "but teams/ may include net/ place/ balance/ api/public/ (runtime/README.md)"

what="a folder without a row"
tree
holds keeping/store.cc runtime/job/job.h
holds teams/post.cc runtime/keeping/store.h
expect "runtime/keeping/store.cc:2: includes runtime/job/job.h, but keeping/ has no row" \
  "runtime/teams/post.cc:2: includes runtime/keeping/store.h, but teams/ may include no folder without a row"

what="a row that names a later one"
tree
# shellcheck disable=SC2016
sed -i 's/where a thread is | `net/where a thread is | `teams/' runtime/README.md
expect "the row of place/ names teams/, which is no row above it"

what="a row that nobody understands"
tree
sed -i 's/all above; the/most; the/' runtime/README.md
expect 'what may teams/ include? "most" is not understood'

what="a file without the table"
tree
echo "# runtime/" >runtime/README.md
holds net/net.cc runtime/place/locator.h
expect "there is no table" "but net/ has no row"

((failures == 0)) && echo "check_includes: ok"
exit $((failures != 0))
