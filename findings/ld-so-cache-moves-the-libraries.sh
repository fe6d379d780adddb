#!/usr/bin/env bash
# With address randomisation switched off, the same program with the same libraries has them, and its
# thread-local storage, elsewhere if LD_LIBRARY_PATH names the folder in which they are found anyway.
#
# With:     Debian 12, glibc 2.36 of the release (no package is fetched: the program is made here).
# Needs:    gcc, setarch.
# Asked:    a program that needs libc alone says which files are loaded and where a thread_local variable
#           and a function of libc are: twice as it is, and twice with LD_LIBRARY_PATH set to the folder
#           of libc. Each under setarch -R.
# Seen:     the files have the same names each time. Both addresses are the same in both runs of a kind,
#           and differ between the kinds, by the size of /etc/ld.so.cache in pages: ld.so maps the cache
#           before the first library that it looks up there, and takes it away only later, so the
#           libraries lie below it. Where all are found in LD_LIBRARY_PATH, the cache is never mapped.
# Expected: without randomisation addresses follow from the program and its libraries. Instead they also
#           follow from how many packages the machine has, and from a variable that changes nothing else.
# For us:   ranks compare where their libraries and thread-local storage lie, and refuse to be a job
#           otherwise; a rank with LD_LIBRARY_PATH beside one without is such a case, and a test of ours
#           took its luck for granted.
#
# Status 0: as described. 1: the behaviour has changed. 2: could not be tried.
set -euo pipefail
cannot() { echo "cannot try: $*" >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >where.c <<'C'
#define _GNU_SOURCE
#include <link.h>
#include <stdio.h>
#include <stdlib.h>

static __thread int here;

static int name(struct dl_phdr_info* info, size_t size, void* files) {
  (void)size;
  if (info->dlpi_name[0] == '/') fprintf(files, "%s ", info->dlpi_name);
  return 0;
}

int main(int argc, char** argv) {
  if (argc > 1) {
    FILE* files = fopen(argv[1], "w");
    dl_iterate_phdr(name, files);
    fclose(files);
  }
  printf("%p %p\n", (void*)&here, (void*)&abs);
  return 0;
}
C
gcc -O1 -fPIC where.c -o where || cannot "no compiler"
libc=$(ldd ./where | awk '/libc\.so/ { print $3 }')
[[ -e $libc && -s /etc/ld.so.cache ]] || cannot "there is no libc, or no /etc/ld.so.cache"
unset LD_LIBRARY_PATH LD_PRELOAD
as_it_is() { setarch -R ./where "$@"; }
by_folder() { LD_LIBRARY_PATH=${libc%/*} setarch -R ./where "$@"; }
as_it_is files.1 >/dev/null || cannot "randomisation cannot be switched off here"
by_folder files.2 >/dev/null

echo "the same files: $(cmp -s files.1 files.2 && echo yes || echo no)" >seen
echo "the same addresses twice: $([[ $(as_it_is) == "$(as_it_is)" && $(by_folder) == "$(by_folder)" ]] && echo yes || echo no)" >>seen
read -r variable function < <(as_it_is)
read -r other_variable other_function < <(by_folder)
pages=$((($(stat -c %s /etc/ld.so.cache) + 4095) / 4096))
echo "further up without the cache: the variable by $(((other_variable - variable) / 4096 - pages)), the function by $(((other_function - function) / 4096 - pages)) pages more than its size" >>seen
cat seen
cat >expected <<'TEXT'
the same files: yes
the same addresses twice: yes
further up without the cache: the variable by 0, the function by 0 pages more than its size
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
