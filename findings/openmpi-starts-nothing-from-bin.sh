#!/usr/bin/env bash
# Open MPI's mpiexec, called by a path, takes the folder above its own for the place where Open MPI is
# installed on all nodes. Called as /bin/mpiexec, which is the same file as /usr/bin/mpiexec, it starts
# nothing.
#
# With:     Debian 12, openmpi-bin 4.1.4-3+b1.
# Needs:    apt, gcc's libraries; no root.
# Asked:    the launcher is to start `echo started`: called by its name alone, as /usr/bin/mpiexec and
#           as /bin/mpiexec (each by the name that the program is given, as exec -a does).
# Seen:     by its name and as /usr/bin/mpiexec it starts the program. As /bin/mpiexec it ends with an
#           error: "A prefix was supplied to mpiexec that only contained slashes." Nobody has supplied
#           one: a path as argv[0] counts as --prefix, and of /bin/mpiexec what is left is "/".
# Expected: that a full path to a program means what its name means. On Debian /bin is a link to
#           /usr/bin, and with /bin first in PATH that is what `command -v mpiexec` says.
# For us:   `roam run` looked its launcher up in PATH and called it by that path: where /bin comes
#           first, no job started. It calls it by its name (tools/roam-run).
#
# Status 0: as described. 1: the behaviour has changed. 2: could not be tried.
set -euo pipefail
cannot() { echo "cannot try: $*" >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir packages root
(cd packages && apt-get download openmpi-bin=4.1.4-3+b1 openmpi-common=4.1.4-3 \
  libopenmpi3=4.1.4-3+b1 libpmix2 libhwloc15 libevent-core-2.1-7 libevent-pthreads-2.1-7 libmunge2 \
  libudev1 libfabric1 libucx0 libpsm-infinipath1 libpsm2-2 libibverbs1 librdmacm1 libnl-3-200 \
  libnl-route-3-200 libnuma1) >/dev/null 2>&1 ||
  cannot "apt has not the packages (run apt-get update; Debian 12 is needed)"
for package in packages/*.deb; do dpkg-deb -x "$package" root; done
launcher=$PWD/root/usr/bin/orterun
libraries=$PWD/root/usr/lib/x86_64-linux-gnu
export LD_LIBRARY_PATH=$libraries:$libraries/openmpi/lib:$PWD/root/lib/x86_64-linux-gnu
# Where its help texts and modules are: not below /usr.
export OPAL_PREFIX=$PWD/root/usr OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export PMIX_INSTALL_PREFIX=$PWD/root/usr

for name in mpiexec /usr/bin/mpiexec /bin/mpiexec; do
  (exec -a $name "$launcher" -n 1 --oversubscribe echo started) >said 2>&1 && status=0 || status=$?
  echo "$name: status $status: $(grep -o -e '^started$' -e 'that only contained slashes' said || true)"
done >seen
cat seen
cat >expected <<'TEXT'
mpiexec: status 0: started
/usr/bin/mpiexec: status 0: started
/bin/mpiexec: status 1: that only contained slashes
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
