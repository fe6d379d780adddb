#!/usr/bin/env bash
# A job under `roam run` whose ranks are killed ends with the right answer all the same; one that
# ends by itself, well or not, is not started again.
#
#   run_test.sh ROAM_RUN PROGRAM [KILLS [SEED [NODE_RANKS]]]
#
# KILLS: how many jobs have a rank killed, some more than one; default 6. NODE_RANKS: of them all;
# default: 0 and 1 in turn.
set -u
processes=$(realpath "$(dirname "$0")/processes.sh")
roam_run=$(readlink -f "$1") program=$(readlink -f "$2")
kills=${3:-6} node_ranks=${5-}
RANDOM=${4:-1}
echo "run_test: seed ${4:-1}"
work=$(mktemp -d "${TEST_TMPDIR:-/tmp}/roam_run.XXXXXX")
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work HOME=$work
export OMPI_MCA_btl_vader_backing_directory=$work OMPI_MCA_btl_sm_backing_directory=$work
export OMPI_MCA_btl=^tcp # it says something wherever this machine has no way to itself but lo
patience=$((120 * ${PATIENCE:-1}))

fail() {
  echo "run_test: FAILED: $*"
  tail -n 40 "$work/out" "$work/err"
  exit 1
}
# supervised STATUS [OPTION OF roam-run]... : in a fresh folder; what is printed is in out and err.
supervised() {
  local wanted=$1 status=0
  shift
  rm -rf "$work/d" "$work/crashed"
  timeout $patience "$roam_run" "$@" >"$work/out" 2>"$work/err" || status=$?
  [[ $wanted == any || $status == "$wanted" ]] || fail "status $status, not $wanted, of: $*"
}
starts() { grep -c '^roam run: .*: started again ' "$work/err"; }
said() { grep -q -- "$1" "$work/err" || fail "it does not say '$1'"; }
# shellcheck source=tests/checkpoint/processes.sh
source "$processes"
with=(-n 3 --checkpoint "$work/d" --every 0)

# ---- ends of its own ----

supervised 0 "${with[@]}" "$program" well "$work/d" 40
right=$(<"$work/out")
[[ $right =~ ^40\ rounds:\ [0-9]+$ ]] || fail "it prints '$right'"
[[ ! -s $work/err ]] || fail "it says something"
[[ -z $(find "$work/d" -name '.run*') ]] || fail "the record is left"
# One rank whose threads all wait does not sleep on while ten checkpoints are written beside it.
begin=$SECONDS
supervised 0 -n 1 --checkpoint "$work/d" --every 0 "$program" well "$work/d" 100
((SECONDS - begin < 10 * ${PATIENCE:-1})) || fail "one rank: $((SECONDS - begin)) s"
supervised 7 "${with[@]}" "$program" code7 "$work/d" 4
# Out of time, say: it is to go on later, from a folder that nobody named.
# Each round takes 7.5 ms or more, so that the job is there for three seconds on any machine.
(cd "$work" && timeout $patience "$roam_run" -n 2 --every 1 "$program" code7 - 400 60000) \
  >"$work/out" 2>"$work/err"
(($? == 7)) || fail "status of code 7 in a folder of its own"
said 'it can go on from checkpoint 0.*, with --checkpoint .* --restart'
[[ -e $(sed -n 's/.* --checkpoint \(.*\) --restart$/\1/p' "$work/err") ]] || fail "it is gone"
supervised 5 "${with[@]}" "$program" exit "$work/d" 20
said 'own exit is not tried again'
(($(starts) == 0)) || fail "exit is tried again"
supervised 4 "${with[@]}" "$program" usage
said 'with code 4: .*own exit is not tried again'
supervised 1 "${with[@]}" "$program" throw "$work/d" 40
said 'an error of the program is not tried again'
(($(starts) == 0)) || fail "an exception is tried again"
supervised 1 "${with[@]}" "$program" deadlock "$work/d" 10
said 'an error of the program is not tried again'
supervised 139 "${with[@]}" "$program" crash "$work/d" 40
said 'crashed after .* by signal 11 at endure+0x[0-9a-f]* .*started again from checkpoint 0'
said 'second crash there: not tried again'
(($(starts) == 1)) || fail "the same crash is tried more than once"
supervised 134 "${with[@]}" "$program" abort "$work/d" 8
said 'by signal 6 at .*started again from the beginning'
supervised 0 "${with[@]}" "$program" crash-once "$work/d" 40
[[ $(<"$work/out") == "$right" ]] || fail "after a crash it prints another answer"
(($(starts) == 1)) || fail "a crash is not tried again"

# ---- usage ----

supervised 2
said 'PROGRAM is missing'
supervised 2 -n 0 "$program"
supervised 2 --every soon "$program"
supervised 2 --nodes 3 "$program"
supervised 2 --restart "$program"
supervised 2 --checkpoint "$work/d" --of-others "$program"
said '--of-others needs --restart'
supervised 2 -n 2 --least-ranks 3 "$program"
supervised 127 "$work/nothing" well
said 'nothing: there is no such program'
supervised 127 no-such-program well
supervised 126 "$work" well
supervised 127 --launcher 'no-such-launcher -v' "$program"
said 'no-such-launcher: there is no such launcher'
supervised 2 --launcher "'" "$program"
supervised 2 --checkpoint "/dev/null/d" "$program"
said '/dev/null/d: it is no folder for checkpoints: Not a directory'
supervised 2 --checkpoint "$work/d" --restart "$program"
said "$work/d has no checkpoint"
[[ ! -e $work/d ]] || fail "--restart makes a folder"
mkdir "$work/locked"
ln -s nowhere "$work/locked/.lock"
supervised 2 --checkpoint "$work/locked" "$program"
said "$work/locked/.lock: .*: no other job can be kept out of the folder"
[[ $(ls -A "$work/locked") == .lock ]] || fail "left is $(ls -A "$work/locked")"
mkdir "$work/gone"
for words in "$program" "./no-such-program"; do
  (cd "$work/gone" && rmdir "$work/gone" && supervised 2 --launcher /bin/true "$words") || exit 1
  said 'the current folder is gone: go to another, or name'
  mkdir "$work/gone"
done
# Where there is no ldd, nothing is known of libraries.
mkdir "$work/bin"
printf '#!/bin/sh\nexit 3\n' >"$work/bin/mpiexec.hydra"
chmod +x "$work/bin/mpiexec.hydra"
status=0
timeout $patience env PATH="$work/bin" "$roam_run" --retries 0 --checkpoint "$work/d" "$program" \
  >"$work/out" 2>"$work/err" || status=$?
((status == 3)) || fail "without ldd: status $status"
ROAM_RESTART=x supervised 2 "$program"
said 'ROAM_RESTART is set'
mkdir -p "$work/d/000007"
touch "$work/d/000007/manifest"
status=0
"$roam_run" --checkpoint "$work/d" "$program" >"$work/out" 2>"$work/err" || status=$?
((status == 2)) || fail "checkpoints of another job are taken: status $status"
said 'has checkpoints of an earlier job, the newest 000007'

# ---- arguments, folders ----

mkdir "$work/a b"
cat >"$work/a b/tell arguments" <<'END'
#!/bin/sh
printf '<%s>' "$@" "$PWD" && echo
test "$(stat -c %s "$ROAM_RECORD.room")" = 4096 || echo "there is no room for a record"
printf '{"kind": "ended", "code": 9, "where": ""}\n' >"$ROAM_RECORD"
END
chmod +x "$work/a b/tell arguments"
# shellcheck disable=SC2016
(cd "$work/a b" && supervised 9 "./tell arguments" "two words" "it's" '"q"' '$HOME' '*' -n --restart) ||
  exit 1
[[ $(<"$work/out") == "<two words><it's><\"q\"><\$HOME><*><-n><--restart><$work/a b>" ]] ||
  fail "arguments arrive as $(<"$work/out")"
# Words that stand for the end of options: one before PROGRAM is ours, others are its own.
for words in "<--><x><--> -- x --" "<-n><--> -n --" "<x><--restart> x --restart"; do
  # shellcheck disable=SC2086
  for ours in "-n 1" "--"; do
    (cd "$work/a b" && supervised 9 $ours "./tell arguments" ${words#* }) || exit 1
    [[ $(<"$work/out") == "${words%% *}<$work/a b>" ]] || fail "'$ours' PROGRAM '$words': $(<"$work/out")"
  done
done
[[ -z $(find "$work/a b" -name '*checkpoints*') ]] || fail "its own folder is left"

# What cannot be started leaves nothing behind.
mkdir "$work/a,b" "$work/c"
(cd "$work/a,b" && supervised 2 "$program") || exit 1
said 'has no comma'
printf '#!/nowhere/sh\n' >"$work/c/launcher"
chmod +x "$work/c/launcher"
(cd "$work/c" && supervised 126 --launcher ./launcher "$program") || exit 1
supervised 126 --launcher "$work/c/launcher" --checkpoint "$work/c/d" "$program"
[[ -z $(find "$work/a,b" "$work/c" -name '*.checkpoints.*' -o -name '.run.*') ]] ||
  fail "left are $(find "$work/a,b" "$work/c")"

# A job that never begins is tried twice; with fewer ranks where that is allowed.
cat >"$work/launcher" <<'END'
#!/bin/sh
test "$3" = -n && test "$4" -le 2 || exit 1
printf '{"kind": "ended", "code": 0, "where": ""}\n' >"$ROAM_RECORD"
END
chmod +x "$work/launcher"
supervised 1 -n 4 --launcher "'$work/launcher' -a b" "$program"
said 'before it had begun (the launcher.s status: 1): twice in a row, not tried again'
supervised 0 -n 4 --least-ranks 2 --launcher "$work/launcher -a b" "$program"
said ': 2 ranks are tried'
# One that has begun once is a program of Roam: a launcher that loses ranks while it starts, and says
# what it likes of that, is a retry like others; but what it needs has time to come back.
cat >"$work/launcher" <<'END'
#!/bin/sh
echo run >>"$0.runs"
if test "$(wc -l <"$0.runs")" = 1; then
  date +%s%N >"$0.begin"
  echo 1 >"$ROAM_RECORD.began" && exit 9
fi
test "$(wc -l <"$0.runs")" -ge 4 || exit 255
test $(($(date +%s%N) - $(cat "$0.begin"))) -ge 2900000000 || exit 255
printf '{"kind": "ended", "code": 0, "where": ""}\n' >"$ROAM_RECORD"
END
supervised 0 --retries 3 --launcher "$work/launcher" "$program"
(($(starts) == 3)) || fail "a job that had begun is given up while it is started again"
said 'before it had begun (the launcher.s status: 255): started again from .*, in 2 s (3 of 3)'
rm "$work/launcher.runs"
supervised 255 --retries 1 --launcher "$work/launcher" "$program"
said 'before it had begun (the launcher.s status: 255): 1 retries were made: no more'
# A signal ends the wait.
rm "$work/launcher.runs"
sed -i 's/^test .* || exit/exit/' "$work/launcher"
rm -rf "$work/d"
"$roam_run" --retries 9 --checkpoint "$work/d" --launcher "$work/launcher" "$program" 2>"$work/err" &
pid=$!
soon grep -q ', in [12] s (' "$work/err" || fail "it does not wait"
kill -TERM $pid
status=0
wait $pid || status=$?
((status == 143)) || fail "SIGTERM before a start: status $status"
said 'stopped by SIGTERM before it was started again'
# Who started it ignores the ends of children: it sees how the launcher ended all the same.
rm "$work/launcher.runs"
status=0
timeout $patience python3 -c '
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])' "$roam_run" --retries 0 --checkpoint "$work/d" \
  --launcher "$work/launcher" "$program" 2>"$work/err" || status=$?
((status == 9)) || fail "status $status, not 9, where SIGCHLD is ignored"
said '0 retries were made: no more'

# Rank 0 has told of a good end, and another one is killed after it, or ends otherwise.
cat >"$work/launcher" <<'END'
#!/bin/sh
echo run
status=$1
test ! -e "$0.once" || status=0
test "$2" = again || touch "$0.once"
printf '{"kind": "ended", "code": 0, "where": ""}\n' >"$ROAM_RECORD"
mkdir -p "${ROAM_CHECKPOINT%%,*}/000001"
touch "${ROAM_CHECKPOINT%%,*}/000001/manifest"
exit $status
END
for killed in 9 137; do
  rm -f "$work/launcher.once"
  supervised 0 --launcher "$work/launcher $killed once" --checkpoint "$work/d" "$program"
  said "was killed .*, when rank 0 had ended well (the launcher.s status: $killed): started again from"
  [[ $(<"$work/out") == $'run\nrun' ]] || fail "status $killed: it is not started again"
done
rm -f "$work/launcher.once"
mkdir "$work/own"
(cd "$work/own" && supervised 9 --retries 1 --launcher "$work/launcher 9 again" "$program") || exit 1
said '1 retries were made: no more'
compgen -G "$work/own/*/000001/manifest" >"$work/found" || fail "what it can go on from is gone"
supervised 3 --launcher "$work/launcher 3 again" --checkpoint "$work/d" "$program"
said 'ended .*, when rank 0 had ended well (the launcher.s status: 3): that is not tried again'
said 'it can go on from checkpoint 000001'

# A rank was killed, and the handler of SIGTERM of another one has called exit.
cat >"$work/launcher" <<'END'
#!/bin/sh
test -e "$0.once" && kind=ended code=0 status=0 || kind=exit code=3 status=$1
test "$2" = again || touch "$0.once"
printf '{"kind": "%s", "code": %d, "where": "", "handler": %d}\n' $kind $code ${HANDLER-1} >"$ROAM_RECORD"
echo 3 >"$ROAM_RECORD.began"
exit $status
END
for killed in 9 137; do
  rm -f "$work/launcher.once"
  supervised 0 --launcher "$work/launcher $killed once" --checkpoint "$work/d" "$program"
  said "was killed .*(the launcher.s status: $killed): started again from"
done
rm -f "$work/launcher.once"
supervised 137 --retries 0 --launcher "$work/launcher 137 again" --checkpoint "$work/d" "$program"
said 'was killed .*: 0 retries were made: no more'
supervised 3 --launcher "$work/launcher 3 again" --checkpoint "$work/d" "$program"
said 'own exit is not tried again'
HANDLER=0 supervised 3 --launcher "$work/launcher 137 again" --checkpoint "$work/d" "$program"
said 'own exit is not tried again'
sed -i 's/kind=exit/kind=ended/' "$work/launcher"
supervised 137 --retries 0 --launcher "$work/launcher 137 again" --checkpoint "$work/d" "$program"
said 'was killed .*: 0 retries were made: no more'
HANDLER=0 supervised 3 --launcher "$work/launcher 137 again" --checkpoint "$work/d" "$program"
sed -i 's/kind=ended code=3/kind=exit code=9/' "$work/launcher"
supervised 9 --launcher "$work/launcher 9 again" --checkpoint "$work/d" "$program"
said 'own exit is not tried again'

# What keepers had is lost, and the job ends before they have anything again.
cat >"$work/launcher" <<'END'
#!/bin/sh
number=${ROAM_RECORD##*/} folder=${ROAM_CHECKPOINT%%,*}
echo 3 >"$ROAM_RECORD.began"
case $number in
  1) echo "0123456789abcdef 1" >"$folder/keepers"; exit 9 ;;
  2) text='there is no whole checkpoint to go on from' kind=error ;;
  3) text='' kind=ended ;;
esac
printf '{"kind": "%s", "code": 0, "where": "", "text": "%s"}\n' $kind "$text" >"$ROAM_RECORD"
END
supervised 0 --launcher "$work/launcher" --checkpoint "$work/d" "$program"
said 'the checkpoint in memory is lost: started again from the beginning'
[[ $(<"$work/d/keepers") == "0123456789abcdef 0" ]] || fail "it is noted still: $(<"$work/d/keepers")"

# What has outlived its launcher has ended when the job starts again, whatever its record says.
cat >"$work/launcher" <<'END'
#!/bin/bash
if [[ -e $0.left ]]; then
  grep -qs sleep "/proc/$(<"$0.left")/cmdline" && echo "it runs on"
  printf '{"kind": "ended", "code": 0, "where": ""}\n' >"$ROAM_RECORD"
  exit 0
fi
sleep 1000 >/dev/null 2>&1 &
echo $! >"$0.left"
printf '{"kind": "%s", "code": 137, "signal": 9, "sender": 1}\n' "$1" >"$ROAM_RECORD"
exit 9
END
for kind in crash lost; do
  rm -f "$work/launcher.left"
  supervised 0 --launcher "$work/launcher $kind" "$program" well "$work/d" 40
  (($(starts) == 1)) || fail "$kind: it does not start again"
  [[ ! -s $work/out ]] || fail "$kind: what is left of it runs on: $(<"$work/out")"
done

# Ctrl-C hits the child that is to be the launcher, before it is.
cat >"$work/interrupted" <<'END'
import importlib.machinery, importlib.util, os, signal, sys
sys.dont_write_bytecode = True
loader = importlib.machinery.SourceFileLoader("roam_run", sys.argv[1])
module = importlib.util.module_from_spec(importlib.util.spec_from_loader("roam_run", loader))
loader.exec_module(module)
release = module.release_signals
def interrupted():
    for process in (os.getppid(), os.getpid()):
        os.kill(process, signal.SIGINT)
    release()
module.release_signals = interrupted
del sys.argv[1]
module.main()
END
mkdir "$work/e"
# Jobs of a shell may have it ignored.
status=0
(cd "$work/e" && timeout $patience python3 -c '
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
sys.exit(os.spawnvp(os.P_WAIT, sys.argv[1], sys.argv[1:]))' \
  python3 "$work/interrupted" "$roam_run" --launcher "$work/launcher" "$program") \
  >"$work/out" 2>"$work/err" || status=$?
said 'stopped by SIGINT'
! grep -q Traceback "$work/err" || fail "it ends by a traceback"
# spawnvp gives -2.
((status == 254)) || fail "Ctrl-C before the launcher is there: status $status"
[[ -z $(ls -A "$work/e") ]] || fail "left is $(ls -A "$work/e")"

# A job that has outlived its supervisor keeps the folder for itself, until it has ended.
cat >"$work/launcher" <<'END'
#!/bin/bash
touch "$0.runs"
until [[ -e $0.go ]]; do sleep 0.05; done
printf '{"kind": "ended", "code": 0, "where": ""}\n' >"$ROAM_RECORD"
END
rm -rf "$work/d" "$work/launcher.runs"
"$roam_run" --launcher "$work/launcher" --checkpoint "$work/d" "$program" 2>"$work/err" &
pid=$!
soon test -e "$work/launcher.runs" || fail "the launcher does not start"
kill -9 $pid
wait $pid
status=0
timeout 30 "$roam_run" --launcher "$work/launcher" --checkpoint "$work/d" "$program" 2>"$work/err" || status=$?
((status == 2)) || fail "the folder of a job that has outlived its supervisor is taken: status $status"
said 'another roam run, or a job that has outlived one, uses it'
compgen -G "$work/d/.run.*" >"$work/found" || fail "the second one took the records of the first"
touch "$work/launcher.go"
soon flock -n "$work/d/.lock" true || fail "the job has ended, and its lock is there"
"$roam_run" --launcher "$work/launcher" --checkpoint "$work/d" "$program" 2>"$work/err" ||
  fail "the folder of a job that has ended is refused: status $?"
[[ -z $(find "$work/d" -name '.run*') ]] || fail "the records of a supervisor that was killed are left"

# ---- kills ----

# Kills one of them, if there is one. False: the job has ended.
kill_one() {
  local ranks
  mapfile -t ranks < <(ranks_of)
  ((${#ranks[@]})) || return 1
  kill -9 "${ranks[RANDOM % ${#ranks[@]}]}" 2>/dev/null
}

# How long a job takes here, which the moments are chosen from.
rounds=120
begin=$(date +%s%N)
supervised 0 "${with[@]}" "$program" well "$work/d" $rounds
took_ms=$((($(date +%s%N) - begin) / 1000000))
right=$(<"$work/out")
killed=0 again=0
for ((job = 0; job < kills; ++job)); do
  nodes=${node_ranks:-$((job % 2))}
  rm -rf "$work/d"
  ROAM_NODE_RANKS=$nodes timeout $patience "$roam_run" "${with[@]}" --retries 9 "$program" well \
    "$work/d" $rounds >"$work/out" 2>"$work/err" &
  pid=$!
  for ((more = 1 + job % 3; more > 0; --more)); do
    ms=$((RANDOM * 32768 % took_ms + RANDOM % 300))
    sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
    kill -0 $pid 2>/dev/null && kill_one && ((++killed))
  done
  status=0
  wait $pid || status=$?
  ((status == 0)) || fail "job $job of nodes of $nodes: status $status"
  # What a killed job printed is there too, the same; and what its launcher says of it.
  [[ $(grep ' rounds: ' "$work/out" | sort -u) == "$right" ]] || fail "job $job: it prints another answer"
  ((again += $(starts))) || true
done
((killed == 0 || again > 0 || kills < 3)) || fail "$killed ranks were killed, no job started again"
echo "run_test: $kills jobs, $killed ranks killed, $again starts again"

# ---- signals ----

for signal in INT TERM; do
  rm -rf "$work/d"
  # In a session of its own, a job of the shell has SIGINT.
  setsid bash -c 'trap - INT; exec "$@"' - python3 -c '
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$roam_run" "${with[@]}" "$program" well "$work/d" 100000 \
    >"$work/out" 2>"$work/err" &
  pid=$!
  for ((i = 0; i < 300; ++i)); do
    compgen -G "$work/d/*/manifest" >"$work/found" && break
    sleep 0.1
  done
  kill -$signal $pid
  status=0
  wait $pid || status=$?
  [[ $signal == INT ]] && wanted=130 || wanted=143
  ((status == wanted)) || fail "SIG$signal: status $status"
  said "stopped by SIG$signal"
  said 'it can go on from checkpoint 0'
  [[ -z $(ranks_of) ]] || fail "SIG$signal: ranks are left"
done
# Goes on with other ranks, and nobody else meanwhile.
timeout $patience "$roam_run" -n 2 --checkpoint "$work/d" --restart --every 0 "$program" well \
  "$work/d" 100000 >"$work/out" 2>"$work/err" &
pid=$!
for ((i = 0; i < 300; ++i)); do
  (($(ranks_of | wc -l) == 2)) && break
  sleep 0.1
done
! flock -n "$work/d/.lock" true || fail "the folder has no lock"
status=0
"$roam_run" --checkpoint "$work/d" --restart "$program" >"$work/out2" 2>"$work/err2" || status=$?
if ((status != 2)) || ! grep -q 'another roam run, or a job that has outlived one, uses it' "$work/err2"; then
  fail "two jobs use a folder"
fi
kill -TERM $pid
wait $pid
echo "run_test: right"
