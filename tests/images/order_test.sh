#!/usr/bin/env bash
# A name means what the dynamic linker finds under it: the program's, then that of its libraries breadth
# first, with libc's at its place among them; for dlsym too.
#
#   order_test.sh RUN_IMAGES
set -u
ulimit -c 0
run_images=$(realpath "$1")
scratch=$(mktemp -d /tmp/roam_test.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
export HOME=$scratch TMPDIR=$scratch
export ROAM_VIRTUAL_RANK=0 ROAM_VIRTUAL_RANKS=1
cd "$scratch" || exit 1
failures=0
fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

# same WHAT PROGRAM [PRELOADED]: it prints as a virtual rank what it prints as a process.
same() {
  local what=$1 program=$2 preloaded=${3:-} options=()
  [[ -z $preloaded ]] || options=("--preload=$preloaded")
  env ${preloaded:+LD_PRELOAD=$preloaded} "$program" >wanted 2>&1 || fail "$what: no process runs it: $(cat wanted)"
  timeout $((60 * ${PATIENCE:-1})) "$run_images" -n 1 "${options[@]}" "$program" >got 2>&1 </dev/null || fail "$what: status $?"
  if [[ -s wanted ]] && diff wanted got; then echo "ok: $what"; else fail "$what: < is what a process prints"; fi
}

# ---- functions that libc or libm has too ----

echo 'double gamma(double x) { return x + 100; }
long random(void) { return 101; }
int strtok(void) { return 102; }
int qsort(void) { return 103; }
double sum_of_library(void) { return gamma(1) + random() + strtok() + qsort(); }' >own.c
echo '#include <dlfcn.h>
#include <stdio.h>
double gamma(double); long random(void); int strtok(void); int qsort(void);
double sum_of_library(void);
#define IS_LIBRARYS(name) (dlsym(RTLD_DEFAULT, #name) == dlsym(library, #name) && dlsym(library, #name) != 0)
int main(void) {
  void* library = dlopen("libown.so", RTLD_NOW);
  printf("%d\n", IS_LIBRARYS(random) + 2 * IS_LIBRARYS(gamma) + 4 * IS_LIBRARYS(qsort));
  printf("%d\n", dlsym(RTLD_NEXT, "random") == dlsym(RTLD_DEFAULT, "random"));
#ifndef BEHIND
  printf("%g %g\n", gamma(1) + random() + strtok() + qsort(), sum_of_library());
#else
  printf("%d %d\n", gamma(1) == 101, random() == 101);
#endif
  return 0;
}' >calls.c
gcc -fno-builtin -w -shared -fPIC -o libown.so own.c || fail libown.so
gcc -fno-builtin -w -D_GNU_SOURCE -o ahead calls.c -L. -lown -lm "-Wl,-rpath,\$ORIGIN" || fail ahead
same "functions of a library ahead of libc" ./ahead
gcc -fno-builtin -w -D_GNU_SOURCE -DBEHIND -o behind calls.c -Wl,--no-as-needed -lm -lc -L. -lown \
  "-Wl,-rpath,\$ORIGIN" || fail behind
same "functions of a library behind libc" ./behind
echo 'int between;' >between.c
gcc -shared -fPIC -o libbetween.so between.c -Wl,--no-as-needed -L. -lown "-Wl,-rpath,\$ORIGIN" || fail between
gcc -fno-builtin -w -D_GNU_SOURCE -DBEHIND -o deeper calls.c -Wl,--no-as-needed -L. -lbetween -lm \
  "-Wl,-rpath,\$ORIGIN,-rpath-link,." || fail deeper
same "functions of a library that a library needs" ./deeper

# ---- a library that is preloaded has functions of its own for files ----

echo '#include <dlfcn.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
static void tell(const char* what) {
  ssize_t (*real)(int, const void*, size_t) = (ssize_t (*)(int, const void*, size_t))dlsym(RTLD_NEXT, "write");
  real(1, what, strlen(what));
}
int open(const char* path, int flags, ...) {
  int (*real)(const char*, int, int) = (int (*)(const char*, int, int))dlsym(RTLD_NEXT, "open");
  tell("open\n");
  return real(path, flags, 0600);
}
ssize_t write(int file, const void* bytes, size_t count) {
  ssize_t (*real)(int, const void*, size_t) = (ssize_t (*)(int, const void*, size_t))dlsym(RTLD_NEXT, "write");
  tell("write\n");
  return real(file, bytes, count);
}
int close(int file) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "close");
  tell("close\n");
  return real(file);
}' >watches.c
gcc -D_GNU_SOURCE -w -shared -fPIC -o libwatches.so watches.c || fail libwatches.so
echo '#include <fcntl.h>
#include <unistd.h>
int main(void) {
  int file = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
  return file < 0 || write(file, "text", 4) != 4 || lseek(file, 0, SEEK_CUR) != 4 || close(file) != 0;
}' >files.c
gcc -o files files.c || fail files
same "a preloaded library that watches files" ./files "$scratch/libwatches.so"

# ---- plug-ins ----

echo '#include <dlfcn.h>
#include <stdio.h>
int main(void) {
  int mode;
  for (mode = 0; mode < 2; ++mode) {
    void* plug = dlopen("./libplug.so", RTLD_NOW | (mode == 0 ? 0 : RTLD_DEEPBIND));
    long (*drawn)(void) = (long (*)(void))dlsym(plug, "drawn_by_plug");
    long (*random_of_plug)(void) = (long (*)(void))dlsym(plug, "random");
    printf("%d %ld\n", drawn() == 104, random_of_plug());
    dlclose(plug);
  }
  return 0;
}' >opens.c
echo 'long random(void) { return 104; } long drawn_by_plug(void) { return random(); }' >plug.c
gcc -w -shared -fPIC -o libplug.so plug.c || fail libplug.so
gcc -D_GNU_SOURCE -o opens opens.c || fail opens
same "a plug-in with functions of its own" ./opens

# ---- what is one in a process ----

cat >one.h <<'END'
template <class T>
struct Only {
  static int count;
};
template <class T>
int Only<T>::count = 0;
END
echo '#include "one.h"
extern "C" int CALL() { return ++Only<int>::count; }
extern "C" int* PLACE() { return &Only<int>::count; }' >one.cc
g++ -O1 -shared -fPIC -DCALL=one_next -DPLACE=one_place -o libone.so one.cc || fail libone.so
g++ -O1 -shared -fPIC -DCALL=two_next -DPLACE=two_place -o libtwo.so one.cc || fail libtwo.so
g++ -O1 -shared -fPIC -DCALL=three_next -DPLACE=three_place -Wl,-Bsymbolic -o libthree.so one.cc || fail libthree.so
readelf -Ws --dyn-syms libone.so | grep -q UNIQUE || echo "SKIPPED: nothing is unique here"
echo '#include <dlfcn.h>
#include <cstdio>
template <class F> F* function(void* in, const char* name) { return reinterpret_cast<F*>(dlsym(in, name)); }
constexpr char kName[] = "_ZN4OnlyIiE5countE";
int main() {
  void* one = dlopen("./libone.so", RTLD_NOW);
  void* two = dlopen("./libtwo.so", RTLD_NOW);
  void* three = dlopen("./libthree.so", RTLD_NOW);
  std::printf("%d\n", function<int()>(one, "one_next")());
  std::printf("%d\n", function<int()>(two, "two_next")());
  std::printf("%d\n", function<int()>(three, "three_next")());
  std::printf("%d %d %d\n", dlsym(one, kName) == dlsym(two, kName), dlsym(one, kName) == dlsym(three, kName),
              dlsym(one, kName) == function<int*()>(two, "two_place")());
  void* in_one = dlsym(one, kName);
  std::printf("%d\n", dlclose(one));
  std::printf("%d %d\n", *static_cast<int*>(in_one), dlsym(two, kName) == in_one);
  return 0;
}' >ones.cc
g++ -o ones ones.cc || fail ones
same "what is one in a process, by dlsym and in a library that prefers its own" ./ones
echo 'extern "C" int one_next(); extern "C" int three_next();
#include <cstdio>
int main() { one_next(); std::printf("%d\n", three_next()); return 0; }' >linked.cc
g++ -o linked linked.cc -L. -lone -lthree "-Wl,-rpath,\$ORIGIN" || fail linked
same "... that the program is linked with" ./linked

((failures == 0)) || exit 1
echo ok
