#!/usr/bin/env bash
# Every option and subcommand that a program's help names is in its man page.
#
#   man_pages_test.sh FOLDER_OF_PAGES PROGRAM...
set -u
pages=$1 failures=0
shift
for program in "$@"; do
  name=$(basename "$program")
  page=$(sed 's/\\-/-/g' "$pages/$name.1") || exit 1
  # roam-mpi has no --help: it says how it is used to whatever it does not know.
  help=$("$program" --help 2>&1)
  mapfile -t words < <(
    grep -oE -- '(^|[ [])--?[a-z][a-z-]*' <<<"$help" | tr -d ' [' | sort -u
    sed -n '/^Subcommands:/,$s/^  \([a-z]\{1,\}\) .*/\1/p' <<<"$help"
  )
  ((${#words[@]})) || { echo "$name: its help names nothing: $help" && exit 1; }
  for word in "${words[@]}"; do
    [[ $word != -h && $word != --help ]] || continue
    grep -qE -- "(^|[^a-z-])$word([^a-z-]|\$)" <<<"$page" && continue
    echo "$name.1 lacks $word"
    failures=$((failures + 1))
  done
done
((failures == 0)) && echo "man_pages_test: passed"
