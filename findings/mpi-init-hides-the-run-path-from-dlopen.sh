#!/usr/bin/env bash
# After MPI_Init, dlopen no longer looks where the program's DT_RUNPATH says.
#
# With:     Debian 13's libmpich12 4.3.0+really4.2.1-1, libucx0 1.18.1+ds-2+b1 and libc6 2.41, in a
#           folder of their own.
# Needs:    apt with a Debian mirror, gcc; no root. Runs on Debian 12 and 13.
# Asked:    a program that is linked with a run path (DT_RUNPATH, what -rpath gives today) loads a
#           library of its own by name, before and after MPI_Init.
# Seen:     before: found. After: not found. With the old DT_RPATH (--disable-new-dtags), and by a
#           path with a slash, it is found both times; so it is with UCX_RCACHE_ENABLE=n.
#           UCX's cache of registered memory puts a dlopen of its own into the slots of all modules,
#           which calls libc's: libc takes UCX for the caller and looks where UCX's run path says.
#           MPICH 4.0.2 with UCX 1.13.1 (Debian 12) does not do this.
# Expected: MPI_Init changes nothing about how a program finds its plug-ins.
# For us:   the slots of the program's modules lead to our dlopen, which carries out the caller's
#           wishes by itself (docs/decisions/0044).
#
# Status 0: as described. 1: the behaviour has changed. 2: could not be tried.
set -euo pipefail
cannot() { echo "cannot try: $*" >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
chmod 755 .

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
apt-get "${options[@]}" -y -d --no-install-recommends install libmpich12=4.3.0+really4.2.1-1 \
  libucx0=1.18.1+ds-2+b1 >download.log 2>&1 || {
  tail -3 download.log
  cannot "apt has not these versions"
}
for package in cache/archives/*.deb; do dpkg-deb -x "$package" root; done
libraries=$PWD/root/usr/lib/x86_64-linux-gnu:$PWD/root/lib/x86_64-linux-gnu
loader=$(find root -name 'ld-linux-x86-64.so.2' -type f | head -1)

mkdir plugins
echo 'int answer(void) { return 42; }' >plugin.c
gcc -shared -fPIC -o plugins/libanswer.so plugin.c || cannot "gcc failed"
cat >program.c <<'CODE'
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

int MPI_Init(int *, char ***);
int MPI_Finalize(void);

static void look(const char *when, const char *name) {
  void *library = dlopen(name, RTLD_NOW);
  printf("%s: %s\n", when, library != NULL ? "found" : "not found");
  if (library != NULL) dlclose(library);
}

int main(int argc, char **argv) {
  look("before, by name", "libanswer.so");
  MPI_Init(&argc, &argv);
  look("after, by name", "libanswer.so");
  look("after, by path", argv[1]);
  MPI_Finalize();
  return 0;
}
CODE
# LABEL TAGS ASSIGNMENT: links the program with such a run path, and runs it.
look() {
  gcc -o program program.c -L"$PWD/root/usr/lib/x86_64-linux-gnu" -l:libmpich.so.12 -ldl \
    "-Wl,--$2-new-dtags,-rpath,$PWD/plugins" -Wl,--allow-shlib-undefined || cannot "gcc failed"
  echo "$1" >>seen
  env UCX_LOG_LEVEL=fatal "$3" "$loader" --library-path "$libraries" ./program \
    "$PWD/plugins/libanswer.so" >>seen || cannot "the program ended with status $?"
}
look "DT_RUNPATH" enable UCX_RCACHE_ENABLE=try
look "DT_RPATH" disable UCX_RCACHE_ENABLE=try
look "DT_RUNPATH, without the cache" enable UCX_RCACHE_ENABLE=n
cat seen
cat >expected <<'TEXT'
DT_RUNPATH
before, by name: found
after, by name: not found
after, by path: found
DT_RPATH
before, by name: found
after, by name: found
after, by path: found
DT_RUNPATH, without the cache
before, by name: found
after, by name: found
after, by path: found
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
