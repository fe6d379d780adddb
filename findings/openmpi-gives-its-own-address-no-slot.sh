#!/usr/bin/env bash
# Open MPI 5's launcher does not know its own machine by an address of it: `--host ADDRESS:2` has no
# slot, where `--host NAME:2` and `localhost:2` have two.
#
# With:     Debian 13, openmpi-bin 5.0.7-1 (PRRTE 3.0.8), in a root of its own.
# Needs:    apt, namespaces of a user, some 450 MB; no root.
# Asked:    two processes of `echo started` on two slots of this machine, which is named "here" and
#           has the address 192.0.2.1: by its name, as localhost, as 127.0.0.1, by its address. Then
#           one process, by its address.
# Seen:     by its address two processes and one are refused ("not enough slots available in the
#           system"). By all others two are started.
# Expected: that an address means what the name means, as it does with Open MPI 4.1. Where a second
#           host follows and more processes than slots are allowed, nothing is said at all: of four
#           processes on two hosts with two slots each one was here and three were there.
# For us:   a test between two hosts (tests/multihost/netns_mpiexec) named its own by the address. It
#           says localhost.
#
# Status 0: as described. 1: the behaviour has changed. 2: could not be tried.
set -euo pipefail
cannot() { echo "cannot try: $*" >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
chmod 755 .
unshare --map-root-user --net --mount --pid --fork true 2>/dev/null ||
  cannot "this user cannot make namespaces"

# Lists of Debian 13 beside those of this machine, from its own mirror.
mirror=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' 'Created-By: Packages' |
  awk '$1 == "Debian" && $2 == "Debian" { print $3; exit }')
[[ -n $mirror ]] || cannot "apt knows no Debian mirror"
mkdir -p state/lists/partial cache/archives/partial root
keys=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$keys] $mirror trixie main" >sources.list
options=(-o Dir::Etc::SourceList="$PWD/sources.list" -o Dir::Etc::SourceParts=/dev/null
  -o Dir::State="$PWD/state" -o Dir::State::status=/dev/null -o Dir::Cache="$PWD/cache"
  -o Acquire::Languages=none -o APT::Sandbox::User=root)
apt-get "${options[@]}" update >/dev/null 2>&1 || cannot "apt cannot read the lists of Debian 13"
apt-get "${options[@]}" -y --no-install-recommends --download-only install \
  openmpi-bin=5.0.7-1 openmpi-common=5.0.7-1 bash coreutils grep hostname iproute2 >/dev/null 2>&1 ||
  cannot "apt has not Debian 13's Open MPI"
for package in cache/archives/*.deb; do dpkg-deb -x "$package" root; done

cat >root/inside <<'TEXT'
export PATH=/usr/bin:/usr/sbin HOME=/tmp
ip link add wire type veth peer name far && ip address add 192.0.2.1/24 dev wire || exit 3
ip link set lo up && ip link set wire up && ip link set far up && hostname here || exit 3
start() { # HOST PROCESSES
  timeout 30 mpiexec.openmpi --allow-run-as-root --host "$1" -n "$2" echo started >/tmp/said 2>&1
  echo "$1, $2: status $?:" $(grep -a -o -e '^started$' -e 'not enough slots available' /tmp/said)
}
for host in here:2 localhost:2 127.0.0.1:2 192.0.2.1:2; do start $host 2; done
start 192.0.2.1:2 1
TEXT
unshare --map-root-user --net --mount --uts --pid --fork bash -c '
  mount -t proc proc root/proc && mount --rbind /dev root/dev && mount --rbind /sys root/sys &&
  mount -t tmpfs tmpfs root/tmp && exec chroot root /usr/bin/bash /inside' >seen 2>errors ||
  cannot "a root of Debian 13 cannot be used here: $(tail -n 1 errors)"
cat seen
cat >expected <<'TEXT'
here:2, 2: status 0: started started
localhost:2, 2: status 0: started started
127.0.0.1:2, 2: status 0: started started
192.0.2.1:2, 2: status 1: not enough slots available
192.0.2.1:2, 1: status 1: not enough slots available
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
