#!/usr/bin/env bash
# A virtual rank that would change what it shares with others is told so, and nothing happens to them.
#
#   shared_test.sh RUN_IMAGES MPIEXEC SOURCE
set -u
run_images=$1 mpiexec=$2 source=$3
scratch=$(mktemp -d /tmp/roam_test.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
export HOME=$scratch TMPDIR=$scratch
gcc -O1 -o "$scratch/program" "$source" || exit 1
failures=0
fail() {
  echo "FAILED: $*" && cat "$scratch/out" "$scratch/err"
  failures=$((failures + 1))
}

# run RANKS OPTION...: sets `status`.
run() {
  local ranks=$1 launch=()
  shift
  ((ranks == 0)) || launch=("$mpiexec" -n "$ranks")
  timeout $((60 * ${PATIENCE:-1})) "${launch[@]}" "$run_images" -n 4 "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
  status=$?
}

# refused WHAT TEXT...: all four go on, and the text is said.
refused() {
  local what=$1 ranks text
  shift
  for ranks in 0 2; do
    run "$ranks" --move "$scratch/program" "$what"
    ((status == 0)) || fail "$what, $ranks ranks: status $status"
    (($(grep -c "goes on" "$scratch/out") == 4)) || fail "$what, $ranks ranks: not all go on"
    for text in "$@"; do
      grep -qF -- "$text" "$scratch/err" "$scratch/out" || fail "$what, $ranks ranks: no \"$text\""
    done
  done
}

refused freopen "freopen of a standard stream in a virtual rank is refused" "fopen"
refused dup2 "dup2 or dup3 over a standard descriptor in a virtual rank is refused"
refused login_tty "login_tty in a virtual rank is refused"
refused program "syscall(SYS_execve) in a virtual rank is refused" "fork in a virtual rank is refused"
refused chroot "chroot" "is refused"
refused nftw "nftw with FTW_CHDIR in a virtual rank is refused"
refused break "sbrk or brk in a virtual rank is refused" "Use malloc or mmap"
refused closed "opening descriptor 1 anew in a virtual rank is refused"
refused closed0
! grep -q refused "$scratch/err" || fail "closed0: something is refused"
refused assigned "another stream in the variable stdout in a virtual rank is refused" "fprintf"
# Without a copy of the variable.
gcc -O1 -fPIC -o "$scratch/program" "$source" || exit 1
refused assigned "another stream in the variable stdout in a virtual rank is refused" "fprintf"
refused foreign "a virtual rank uses descriptor"

run 0 "$scratch/program" number
((status == 0)) || fail "number: status $status"
(($(grep -c "has the number" "$scratch/out") == 1)) || fail "number: not one has it"
(($(grep -c "virtual ranks share the numbers" "$scratch/err") == 3)) || fail "number: not three are told"

for closed in 0 2; do
  eval "$run_images -n 4 $scratch/program standard >$scratch/out 3>$scratch/err $closed<&-"
  (($(grep -c "goes on" "$scratch/out") == 4)) || fail "started without $closed"
done

# A folder that is gone is there for who is in it, as in a process; nobody can come to it.
run 0 --move "$scratch/program" folder
((status == 0)) || fail "folder: status $status"
ROAM_NODE_RANKS=1 run 2 --move "$scratch/program" folder
((status != 0 && status != 124)) || fail "folder: status $status"
grep -q "works in the folder $scratch/folder.*where this process cannot go: No such file" \
  "$scratch/err" "$scratch/out" || fail "folder: not told of"
((failures == 0)) || exit 1
echo ok
