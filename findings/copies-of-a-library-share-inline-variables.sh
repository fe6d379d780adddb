#!/usr/bin/env bash
# Two copies of a C++ library that are loaded apart, each RTLD_LOCAL, share their inline variables,
# statics of templates and statics of inline functions; everything else they have for themselves.
#
# With:     Debian 12, g++-12 12.2.0 and glibc 2.36 of the release (no package is fetched: the libraries are
#           made here).
# Needs:    gcc, g++.
# Asked:    one library, copied to a second file. Both are opened with RTLD_NOW | RTLD_LOCAL, and a
#           function of each counts a variable up: a static, a static of a function, an inline variable,
#           a static member of a template, a static of an inline function.
# Seen:     the first two are 1 in both. The other three go 1, 2: the second copy counts the first's. They
#           are symbols of the kind "unique", which the linker of the process binds to one definition
#           whatever scope was asked for. With -fno-gnu-unique all are 1.
# Expected: RTLD_LOCAL keeps the names of a library to itself.
# For us:   a program's private copies of its globals cannot be had by opening copies of its file.
#
# Status 0: as described. 1: the behaviour has changed. 2: could not be tried.
set -euo pipefail
cannot() { echo "cannot try: $*" >&2; exit 2; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >counters.cc <<'C'
struct Inline { static inline int value = 0; };
template <class T> struct Template { static int value; };
template <class T> int Template<T>::value = 0;
static int plain = 0;
inline int inline_function() { static int value = 0; return ++value; }
extern "C" {
int in_a_static() { return ++plain; }
int in_a_function() { static int value = 0; return ++value; }
int in_an_inline_variable() { return ++Inline::value; }
int in_a_template() { return ++Template<int>::value; }
int in_an_inline_function() { return inline_function(); }
}
C
cat >count.c <<'C'
#include <dlfcn.h>
#include <stdio.h>

int main(void) {
  const char* names[] = {"in_a_static", "in_a_function", "in_an_inline_variable", "in_a_template",
                         "in_an_inline_function"};
  void* copies[] = {dlopen("./first.so", RTLD_NOW | RTLD_LOCAL),
                    dlopen("./second.so", RTLD_NOW | RTLD_LOCAL)};
  for (int i = 0; i < 5; ++i) {
    printf("%s:", names[i]);
    for (int c = 0; c < 2; ++c) printf(" %d", ((int (*)(void))dlsym(copies[c], names[i]))());
    puts("");
  }
  return 0;
}
C
gcc -O1 count.c -o count || cannot "no compiler"
for option in -fgnu-unique -fno-gnu-unique; do
  g++ -O1 $option -shared -fPIC counters.cc -o first.so || cannot "no C++ compiler"
  cp first.so second.so
  echo "$option"
  ./count
done >seen
cat seen
cat >expected <<'TEXT'
-fgnu-unique
in_a_static: 1 1
in_a_function: 1 1
in_an_inline_variable: 1 2
in_a_template: 1 2
in_an_inline_function: 1 2
-fno-gnu-unique
in_a_static: 1 1
in_a_function: 1 1
in_an_inline_variable: 1 1
in_a_template: 1 1
in_an_inline_function: 1 1
TEXT
if cmp -s seen expected; then
  echo "as described"
else
  echo "the behaviour has changed" >&2
  exit 1
fi
