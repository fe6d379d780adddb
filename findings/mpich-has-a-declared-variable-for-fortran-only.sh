#!/usr/bin/env bash
# MPI_F08_STATUS_IGNORE, which mpi.h declares for C programs that convert statuses of Fortran, is in
# no library that mpicc links with.
#
# With:     Debian 13's mpich, libmpich12 and libmpich-dev 4.3.0+really4.2.1-1, in a folder of their own;
#           Debian 12's 4.0.2-3+b1.
# Needs:    apt with a Debian mirror; no root. Runs on Debian 12.
# Asked:    which of the release's libraries define a variable that the standard (MPI 3.1, 17.2.5) has
#           for C, and its mpi.h declares; and what mpicc links with.
# Seen:     4.0.2: libmpich.so.12, which mpicc links with, has it. 4.2.1: mpi.h declares it the same,
#           and only libmpichfort.so.12 has it, which mpicc does not link with: a C program or
#           library that uses it cannot be linked. (What pkg-config says has both libraries.)
# Expected: that what mpi.h declares is in the library that mpicc links with.
# For us:   roam-mpi could not be linked with Debian 13's MPICH. It asks for the variable while it
#           runs (mpi/calls/conversion_calls.cc): a program in Fortran brings its library along.
#
# Status 0: as described. 1: the behaviour has changed. 2: could not be tried.
set -euo pipefail
cannot() { echo "cannot try: $*" >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
chmod 755 .
command -v readelf >/dev/null || cannot "no readelf (binutils)"

# Lists of Debian 13 beside those of this machine, from its own mirror.
mirror=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' 'Created-By: Packages' |
  awk '$1 == "Debian" && $2 == "Debian" { print $3; exit }')
[[ -n $mirror ]] || cannot "apt knows no Debian mirror"
mkdir -p state/lists/partial cache/archives/partial
keys=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$keys] $mirror trixie main" >sources.list
options=(-o Dir::Etc::SourceList="$PWD/sources.list" -o Dir::Etc::SourceParts=/dev/null
  -o Dir::State="$PWD/state" -o Dir::State::status=/dev/null -o Dir::Cache="$PWD/cache"
  -o Acquire::Languages=none -o APT::Sandbox::User=root)
apt-get "${options[@]}" update >/dev/null 2>&1 || cannot "apt cannot read the lists of Debian 13"
mkdir newer older
(cd newer && apt-get "${options[@]}" download mpich=4.3.0+really4.2.1-1 \
  libmpich12=4.3.0+really4.2.1-1 libmpich-dev=4.3.0+really4.2.1-1) >/dev/null 2>&1 ||
  cannot "apt has not Debian 13's MPICH"
(cd older && apt-get download mpich=4.0.2-3+b1 libmpich12=4.0.2-3+b1 \
  libmpich-dev=4.0.2-3+b1) >/dev/null 2>&1 ||
  cannot "apt has not Debian 12's MPICH"

variable=MPI_F08_STATUS_IGNORE
for release in older newer; do
  (
    cd $release
    for package in *.deb; do dpkg-deb -x "$package" .; done
    header=$(find . -name mpi.h -type f | head -1)
    grep -q "^extern .*$variable" "$header" && echo "$release: mpi.h declares it"
    for library in $(find . -name 'libmpich*.so.12.*' -type f | sort); do
      readelf --dyn-syms -W "$library" | awk -v name=$variable '$8 == name && $7 != "UND"' |
        grep -q . && echo "$release: in $(basename "$library" | sed 's/\.so.*//')"
    done
    grep -q -e '-lmpichfort' "$(find . -name mpicc.mpich | head -1)" ||
      echo "$release: mpicc links without Fortran's"
  )
done >seen
cat seen
cat >expected <<'TEXT'
older: mpi.h declares it
older: in libmpich
older: mpicc links without Fortran's
newer: mpi.h declares it
newer: in libmpichfort
newer: mpicc links without Fortran's
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
