#!/usr/bin/env bash
# A page of a memfd whose bytes become zeros, because somebody punches a hole there, has not been written for
# PAGEMAP_SCAN: who saves only what it calls written keeps the old bytes.
#
# With:     Linux 6.7 or later (seen with 6.18.44), tcc 0.9.27+git20200814 of Debian 12 to compile the program.
# Needs:    apt, headers of libc (gcc installed); userfaultfd for user mode, as unprivileged processes have it.
# Asked:    four pages of a memfd, mapped shared, written, and write-protected by userfaultfd in its
#           asynchronous mode, with PAGEMAP_SCAN and PM_SCAN_WP_MATCHING. Then the first is written, the
#           second is thrown away with fallocate(FALLOC_FL_PUNCH_HOLE), the third with madvise(MADV_REMOVE),
#           and all are read. The same with private memory and madvise(MADV_DONTNEED).
# Seen:     all that were thrown away read as zeros. PAGEMAP_SCAN names the first page only: the protection of
#           the other two stays in the page table after the hole, and the zeros that are read come with it.
#           In private memory the page that was thrown away is named.
# Expected: "written since it was protected" of a page whose bytes have changed.
# For us:   os::discard() and madvise() of a thread note what they throw away before and after it, and such
#           pages count as written (base/os/written_pages.h), as in incremental checkpoints.
#
# Status 0: as described. 1: the behaviour has changed. 2: could not be tried.
set -euo pipefail
cannot() { echo "cannot try: $*" >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir packages root
(cd packages && apt-get download tcc=0.9.27+git20200814.62c30a4a-1 \
  libtcc-dev=0.9.27+git20200814.62c30a4a-1) >/dev/null 2>&1 ||
  cannot "apt has not the packages (run apt-get update; Debian 12 is needed)"
for package in packages/*.deb; do dpkg-deb -x "$package" root; done

cat >holes.c <<'C'
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { kPage = 4096, kPages = 4, kWritten = 2, kPresentOrSwapped = 8 | 16 };

// As linux/fs.h has it since 6.7.
struct region {
  unsigned long long begin, end, categories;
};
struct scan {
  unsigned long long size, flags, begin, end, walked_to, regions, region_count, most, inverted, all, any, wanted;
};

static int pagemap, userfault;

// Prints the pages that have been written since, and protects them again.
static int tell(const char* what, char* memory) {
  struct region found[kPages];
  struct scan scan = {sizeof scan, 1, (unsigned long)memory, (unsigned long)memory + kPages * kPage, 0,
                      (unsigned long)found, kPages, 0, 0, kWritten, kPresentOrSwapped, kWritten};
  int count = ioctl(pagemap, _IOWR('f', 16, struct scan), &scan);
  if (count < 0) return 0;
  printf("%s: written", what);
  for (int i = 0; i < count; ++i)
    for (unsigned long long at = found[i].begin; at < found[i].end; at += kPage)
      printf(" %d", (int)((at - (unsigned long)memory) / kPage));
  printf("\n");
  return 1;
}

static int watch(char* memory) {
  struct uffdio_register all = {{(unsigned long)memory, kPages * kPage}, UFFDIO_REGISTER_MODE_WP, 0};
  return ioctl(userfault, UFFDIO_REGISTER, &all) == 0;
}

static void look(const char* what, const char* memory) {
  printf("%s: bytes", what);
  for (int i = 0; i < kPages; ++i) printf(" %d", memory[i * kPage]);
  printf("\n");
}

int main(void) {
  pagemap = open("/proc/self/pagemap", O_RDONLY);
  userfault = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | 1);
  struct uffdio_api api = {UFFD_API, 1 << 15 | 1 << 13 | 1 << 12, 0};
  if (pagemap < 0 || userfault < 0 || ioctl(userfault, UFFDIO_API, &api) != 0) return 2;
  int fd = memfd_create("holes", 0);
  if (fd < 0 || ftruncate(fd, kPages * kPage) != 0) return 2;
  char* shared = mmap(0, kPages * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  char* own = mmap(0, kPages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (!watch(shared) || !watch(own)) return 2;
  memset(shared, 7, kPages * kPage);
  memset(own, 7, kPages * kPage);
  if (!tell("shared, before", shared) || !tell("private, before", own)) return 2;

  shared[0] = own[0] = 8;
  fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1 * kPage, kPage);
  madvise(shared + 2 * kPage, kPage, MADV_REMOVE);
  madvise(own + 1 * kPage, kPage, MADV_DONTNEED);
  look("shared", shared);
  look("private", own);
  return tell("shared, after", shared) && tell("private, after", own) ? 0 : 2;
}
C
tcc=root/usr/bin/x86_64-linux-gnu-tcc
[[ -x $tcc ]] || tcc=root/usr/bin/tcc
"$tcc" -B"$PWD/root/usr/lib/x86_64-linux-gnu/tcc" -o holes holes.c || cannot "the program cannot be compiled"
status=0
./holes >seen || status=$?
((status != 2)) || cannot "this kernel does not tell which pages are written"
cat seen
diff - seen <<'T' || { echo "the behaviour has changed" >&2; exit 1; }
shared, before: written 0 1 2 3
private, before: written 0 1 2 3
shared: bytes 8 0 0 7
private: bytes 8 0 7 7
shared, after: written 0
private, after: written 0 1
T
echo "as described"
