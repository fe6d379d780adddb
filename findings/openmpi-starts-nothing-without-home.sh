#!/usr/bin/env bash
# Open MPI 5 starts nothing where HOME is not set, and is content where HOME names what is not there.
#
# With:     Debian 13, openmpi-bin 5.0.7-1, in a root of its own.
# Needs:    apt, namespaces of a user, some 450 MB; no root.
# Asked:    one process of `echo started` by mpiexec.openmpi, as a user that /etc/passwd has with a
#           folder: with HOME=/tmp, with HOME=/nonexistent, with an empty HOME, without HOME.
# Seen:     without HOME status 1, "Unable to get the user home directory", from the launcher before
#           it looks at what is to be started. With all others, the empty one too, it is started.
# Expected: that settings below the home are optional, as they are where the folder is missing, or
#           that the home is the one in /etc/passwd. Open MPI 4.1 looks for them below "(null)".
#           Services, containers and builds with a clean environment have no HOME.
# For us:   roam::run, `roam run` and tools/mpiexec set HOME to /nonexistent where there is none, and
#           not to /tmp, where anybody may leave settings.
#
# Status 0: as described. 1: the behaviour has changed. 2: could not be tried.
set -euo pipefail
cannot() { echo "cannot try: $*" >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
chmod 755 .
unshare --map-root-user --mount --pid --fork true 2>/dev/null ||
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
  openmpi-bin=5.0.7-1 openmpi-common=5.0.7-1 bash coreutils grep >/dev/null 2>&1 ||
  cannot "apt has not Debian 13's Open MPI"
for package in cache/archives/*.deb; do dpkg-deb -x "$package" root; done

mkdir -p root/etc
echo 'root:x:0:0:root:/root:/usr/bin/bash' >root/etc/passwd
echo 'passwd: files' >root/etc/nsswitch.conf
cat >root/inside <<'TEXT'
export PATH=/usr/bin
start() { # NAME WORDS-FOR-ENV...
  local name=$1
  shift
  env "$@" timeout 30 mpiexec.openmpi --allow-run-as-root -n 1 echo started >/tmp/said 2>&1
  local status=$?
  echo "$name: status $status:" $(grep -a -o -e '^started$' -e 'Unable to get the user home directory' \
    /tmp/said | sort -u)
}
start 'a folder' HOME=/tmp
start 'no such folder' HOME=/nonexistent
start 'empty' HOME=
start 'none' -u HOME
TEXT
unshare --map-root-user --mount --pid --fork bash -c '
  mount -t proc proc root/proc && mount --rbind /dev root/dev && mount --rbind /sys root/sys &&
  mount -t tmpfs tmpfs root/tmp && exec chroot root /usr/bin/bash /inside' >seen 2>errors ||
  cannot "a root of Debian 13 cannot be used here: $(tail -n 1 errors)"
cat seen
cat >expected <<'TEXT'
a folder: status 0: started
no such folder: status 0: started
empty: status 0: started
none: status 1: Unable to get the user home directory
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
