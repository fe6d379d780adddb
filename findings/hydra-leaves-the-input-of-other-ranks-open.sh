#!/usr/bin/env bash
# Under MPICH's mpiexec the standard input of ranks other than the first has nothing in it and no end.
#
# With:     Debian 12, mpich 4.0.2-3+b1 (mpiexec.hydra and its proxy), libhwloc15 2.9.0-1.
# Needs:    apt; no root, no compiler, no MPI program: the ranks are shells.
# Asked:    three ranks that each look for a line of their input for a second (bash's `read -t`), with
#           three lines for mpiexec, or an empty input.
# Seen:     rank 0 has the lines, or the end at once. Ranks 1 and 2 have a pipe that is held open: in
#           both cases no line and no end comes while the job runs.
# Expected: an end of the input, as of /dev/null: what only one rank is to have is over for others.
# For us:   a rank that looks with poll or select whether there is input is told no for ever, so a
#           virtual rank that has moved must not be answered from where it is; and those that have no
#           input get an end of their own.
#
# Status 0: as described. 1: the behaviour has changed. 2: could not be tried.
set -euo pipefail
cannot() { echo "cannot try: $*" >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir packages root
(cd packages && apt-get download mpich=4.0.2-3+b1 libhwloc15=2.9.0-1 libudev1 libcap2 \
  libslurm38) >/dev/null 2>&1 ||
  cannot "apt has not the packages (run apt-get update; Debian 12 is needed)"
for package in packages/*.deb; do dpkg-deb -x "$package" root; done
libraries=$PWD/root/usr/lib/x86_64-linux-gnu:$PWD/root/lib/x86_64-linux-gnu

cat >rank <<'END'
#!/usr/bin/env bash
read -r -t 1 line && status=0 || status=$?
if ((status > 128)); then
  what="neither a line nor an end"
elif ((status != 0)); then
  what="an end"
else
  what="the line $line"
fi
echo "rank $PMI_RANK: $what"
END
chmod +x rank
ranks() {
  LD_LIBRARY_PATH=$libraries timeout 60 root/usr/bin/mpiexec.hydra -launcher fork -n 3 ./rank | sort
}
{
  echo "three lines:"
  printf 'one\ntwo\nthree\n' | ranks
  echo "an empty input:"
  ranks </dev/null
} >seen
cat seen
cat >expected <<'TEXT'
three lines:
rank 0: the line one
rank 1: neither a line nor an end
rank 2: neither a line nor an end
an empty input:
rank 0: an end
rank 1: neither a line nor an end
rank 2: neither a line nor an end
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
