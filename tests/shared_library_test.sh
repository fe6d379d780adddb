#!/usr/bin/env bash
# libroam.so has every function of the public interface, whether Roam itself calls it or not.
# Arguments: libroam.so, then the static libraries that define the interface.
set -euo pipefail
shared=$1
shift

# The functions of namespace roam itself, of what its templates use, and of C.
public='^(roam::(detail::|this_thread::)?(operator|~?[A-Za-z_]+(::(operator|~?[A-Za-z_]+))?[(<\[ ])|(iso_|pup_|roam_[a-z]+$|Cmi)[A-Za-z_]*$)'
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

defined() { sed -n 's/^[0-9a-f]* [TW] //p' | grep -E "$public" | sort -u; }

nm -C -D --defined-only "$shared" | defined >"$scratch/there"
for library; do
  nm -C -g --defined-only "$library" | grep ' T ' | defined >"$scratch/wanted"
  wanted=$(wc -l <"$scratch/wanted")
  echo "$library: $wanted functions"
  ((wanted > 0)) || { echo "FAIL: no function of the interface is in $library"; exit 1; }
  if comm -23 "$scratch/wanted" "$scratch/there" | grep .; then
    echo "FAIL: the functions above are in $library, but not in $shared"
    exit 1
  fi
done
