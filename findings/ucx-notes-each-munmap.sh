#!/usr/bin/env bash
# After MPI_Init each munmap of a program costs 144 bytes that are not given back while no message is
# long enough to register memory.
#
# With:     Debian 13's libmpich12 4.3.0+really4.2.1-1, libucx0 1.18.1+ds-2+b1 and libc6 2.41, in a
#           folder of their own.
# Needs:    apt with a Debian mirror, gcc; no root. Runs on Debian 12 and 13.
# Asked:    a program of one rank calls MPI_Init, then maps and unmaps one page 400,000 times, and
#           looks in /proc/self/statm how much larger it has become; then it sends itself 1,000 short
#           messages and looks again.
# Seen:     it is 56 MB larger, 14 MB for each 100,000, and stays so. UCX's cache of registered memory
#           notes what was unmapped, and goes through the notes when memory is registered next; how
#           many may wait has no bound (UCX_RCACHE_MAX_UNRELEASED is "inf"). With
#           UCX_RCACHE_MAX_UNRELEASED=64m or UCX_RCACHE_ENABLE=n it does not grow. MPICH 4.0.2 with
#           UCX 1.13.1 (Debian 12) does not either.
# Expected: memory that was unmapped needs none.
# For us:   UCX is started with such a bound (runtime/net), unless the user says otherwise.
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

cat >program.c <<'CODE'
#include <stdio.h>
#include <sys/mman.h>

int MPI_Init(int *, char ***);
int MPI_Finalize(void);
int MPI_Sendrecv(const void *, int, int, int, int, void *, int, int, int, int, int, void *);
enum { COMM_SELF = 0x44000001, INT = 0x4c000405 };  /* of MPICH */

static long resident_mb(void) {
  long all = 0, resident = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file == NULL || fscanf(file, "%ld %ld", &all, &resident) != 2) return -1;
  fclose(file);
  return resident * 4 / 1024;
}

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  const long before = resident_mb();
  for (int i = 0; i < 400000; ++i) {
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page, 4096);
  }
  const long unmapped = resident_mb() - before;
  int in = 0, out = 0;
  for (int i = 0; i < 1000; ++i)
    MPI_Sendrecv(&in, 1, INT, 0, 1, &out, 1, INT, 0, 1, COMM_SELF, (void *)1);
  const long sent = resident_mb() - before;
  fprintf(stderr, "%ld MB, %ld MB\n", unmapped, sent);
  printf("%s, %s\n", unmapped > 40 ? "more than 40 MB larger" : unmapped < 10 ? "no larger" : "?",
         sent > 40 ? "also after messages" : sent < 10 ? "nor after messages" : "?");
  MPI_Finalize();
  return 0;
}
CODE
gcc -O1 -o program program.c -L"$PWD/root/usr/lib/x86_64-linux-gnu" -l:libmpich.so.12 \
  -Wl,--allow-shlib-undefined -Wl,--dynamic-linker="$PWD/$loader" || cannot "gcc failed"
look() {
  echo "$1"
  env ${2:+"$2"} timeout 60 "$loader" --library-path "$libraries" ./program ||
    cannot "the program did not end well"
}
{
  look "as it comes" ""
  look "with a bound" UCX_RCACHE_MAX_UNRELEASED=64m
  look "without the cache" UCX_RCACHE_ENABLE=n
} >seen
cat seen
cat >expected <<'TEXT'
as it comes
more than 40 MB larger, also after messages
with a bound
no larger, nor after messages
without the cache
no larger, nor after messages
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
