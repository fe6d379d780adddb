#!/usr/bin/env bash
# Private libraries are found, begun and ended as the dynamic linker does it, each once however it is
# named; and files that differ between ranks, or change while they run, are noticed.
#
#   libraries_test.sh RUN_IMAGES MPIEXEC TURNS_H
set -u
ulimit -c 0
run_images=$(realpath "$1") mpiexec=$(realpath "$2") turns=$(realpath "$3")
scratch=$(mktemp -d /tmp/roam_test.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
export HOME=$scratch TMPDIR=$scratch
export ROAM_VIRTUAL_RANK=0 ROAM_VIRTUAL_RANKS=1
cd "$scratch" || exit 1
cp "$turns" turns.h
mkdir a b c
failures=0
fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

# same WHAT PROGRAM [OPTION]...: it prints as a virtual rank what it prints as a process.
same() {
  local what=$1 program=$2
  shift 2
  "$program" >wanted 2>&1 || fail "$what: no process runs it: $(cat wanted)"
  timeout $((60 * ${PATIENCE:-1})) "$run_images" -n 1 "$@" "$program" >got 2>&1 </dev/null || fail "$what: status $?"
  if [[ -s wanted ]] && diff wanted got; then echo "ok: $what"; else fail "$what: < is what a process prints"; fi
}

# ---- the order in which they begin and end ----

part() { # NAME: it tells when it begins and ends
  echo "#include <stdio.h>
#include <stdlib.h>
static void at_end(void) { puts(\"$1 asked for\"); }
__attribute__((constructor)) static void begin(void) { puts(\"$1 begins\"); atexit(at_end); }
__attribute__((destructor)) static void end(void) { puts(\"$1 ends\"); }
void first_$1(void) { puts(\"$1 DT_INIT\"); }
void last_$1(void) { puts(\"$1 DT_FINI\"); }
int of_$1(void) { return 1; }" >"$1.c"
}
for name in p q r s t; do part "$name"; done
library() { # NAME LIBRARY...: with those that it needs
  local name=$1
  shift
  gcc -shared -fPIC -o "lib$name.so" "$name.c" "-Wl,-init=first_$name,-fini=last_$name" \
    -Wl,--no-as-needed -L. "$@" "-Wl,-rpath,\$ORIGIN" || fail "lib$name.so"
}
library t
library s
library r -lt
library q
library p -lr -ls
part main
echo 'int main(void) { puts("main"); return 0; }' >>main.c
gcc -o order main.c -Wl,--no-as-needed -L. -lq -lp -ls -lr "-Wl,-rpath,\$ORIGIN" || fail order
same "order of libraries" ./order

# ---- one library, by several names ----

echo 'int count; int next(void) { return ++count; }' >counter.c
gcc -shared -fPIC -o a/libcounter.so counter.c
echo 'int next(void); int again(void) { return next(); }' >again.c
gcc -shared -fPIC -o libagain.so again.c "$scratch/a/libcounter.so"
echo '#include <stdio.h>
int next(void); int again(void); extern int count;
int main(void) { next(); again(); next(); again(); printf("%d\n", next() * 10 + again() + count); return 0; }' >twice.c
gcc -o twice twice.c a/libcounter.so -L. -lagain "-Wl,-rpath,\$ORIGIN" || fail twice
readelf -d twice | grep -q "NEEDED.*a/libcounter.so" || fail "the library is not needed by its path"
same "a library by two paths" ./twice
ln -s libcounter.so a/libalias.so
gcc -shared -fPIC -o libagain.so again.c -La -lalias "-Wl,-rpath,$scratch/a"
gcc -o twice twice.c -La -lcounter -L. -lagain "-Wl,-rpath,$scratch/a:$scratch" || fail twice
same "a library and a link to it" ./twice

# ---- a variable of libc that the program has a copy of, at the very end of its memory ----

at_end() { # BYTES: a program whose variables end so many bytes later
  echo "#include <stdio.h>
#include <unistd.h>
char data[$1] = {1};
int main(void) { printf(\"%d\\n\", optind + data[0]); return 0; }" >end.c
  gcc -fPIE -o at_end end.c
}
at_end 4096
end=0x$(nm at_end | awk '$3 == "_end" { print $1 }')
at_end $((4096 + 4096 - end % 4096))
same "a copy of optind at the end of a page" ./at_end

# ---- a library of the user's, whose name is like one of MPI's ----

echo 'int next(void) { return 5; }' >utils.c
gcc -shared -fPIC -o libmpi_utils.so utils.c
echo '#include <stdio.h>
int next(void);
int main(void) { printf("%d\n", next()); return 0; }' >uses.c
gcc -o uses uses.c -L. -lmpi_utils "-Wl,-rpath,\$ORIGIN" || fail uses
same "a library libmpi_utils.so" ./uses

# ---- where they are found ----

told() { echo "int told(void) { return $1; }" >told.c && gcc -shared -fPIC -o "$2" told.c; }
echo '#include <stdio.h>
int told(void);
int main(void) { printf("told %d\n", told()); return 0; }' >asks.c
told 1 a/libtold.so
told 2 b/libtold.so
gcc -o a/asks asks.c -La -ltold "-Wl,-rpath,\$ORIGIN"
ln -sf "$scratch/a/asks" c/asks
same "the folder of a program that is reached by a link" c/asks
gcc -o asks asks.c -La -ltold
export LD_LIBRARY_PATH="$scratch/c;$scratch/b:$scratch/a"
same "LD_LIBRARY_PATH with both separators" ./asks
cp a/libtold.so c/libtold.so
printf '\001' | dd of=c/libtold.so bs=1 seek=4 conv=notrunc status=none # for 32 bits
same "a library of another machine is passed over" ./asks
mkdir -p c/glibc-hwcaps/x86-64-v2 c/glibc-hwcaps/x86-64-v4
told 4 c/glibc-hwcaps/x86-64-v2/libtold.so
same "a library for a level of x86-64" ./asks
told 5 c/glibc-hwcaps/x86-64-v4/libtold.so
same "a library for the highest level" ./asks
unset LD_LIBRARY_PATH
rm -r c/glibc-hwcaps c/libtold.so
echo 'int told(void); int deep(void) { return told(); }' >deep.c
gcc -shared -fPIC -o b/libdeep.so deep.c -Lb -ltold # found by the RPATH of who needs it
echo 'int deep(void); int upper(void) { return deep(); }' >upper.c
gcc -shared -fPIC -o libupper.so upper.c -Lb -ldeep "-Wl,-rpath,$scratch/b,--disable-new-dtags"
sed 's/told()/upper()/; s/int told/int upper/' asks.c >asks_upper.c
gcc -o asks_upper asks_upper.c -L. -lupper "-Wl,-rpath,\$ORIGIN,--allow-shlib-undefined,-rpath-link,b" ||
  fail asks_upper
same "RPATH of who needs who needs it" ./asks_upper

# Where $ORIGIN is does not change with the working folder.
mkdir -p d/own e
told 8 d/own/libtold.so
echo '#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>
int asked_by_library(void);
int asked_by_program(void) {
  void* library = dlopen("libtold.so", RTLD_NOW);
  int (*told)(void) = (int (*)(void))(library == NULL ? NULL : dlsym(library, "told"));
  return told == NULL ? -1 : told();
}
int main(void) {
  char origin[4096] = "", of_math[4096] = "";
  if (chdir("/") != 0) return 3;
  printf("by the library %d\n", asked_by_library());
  printf("by the program %d\n", asked_by_program());
  dlinfo(dlopen(NULL, RTLD_NOW), RTLD_DI_ORIGIN, origin);
  dlinfo(dlopen("libm.so.6", RTLD_NOW), RTLD_DI_ORIGIN, of_math);
  printf("%s %s\n", origin, of_math);
  return 0;
}' >goes.c
sed '/^int main/,$d; s/asked_by_program(void)/asked_by_library(void)/; s/^int asked_by_library(void);//' \
  goes.c >goes_library.c
gcc -shared -fPIC -o d/libgoes.so goes_library.c "-Wl,-rpath,\$ORIGIN/own" || fail libgoes.so
told 9 e/libtold.so
gcc -o e/goes goes.c -Ld -lgoes "-Wl,-rpath,\$ORIGIN" || fail goes
LD_LIBRARY_PATH=d same "the folder of a program and of a library after chdir" e/goes

# ---- names with versions in a library of the process ----

echo 'int one(void) { return 1; } int two(void) { return 2; }
__asm__(".symver one,get@V1"); __asm__(".symver two,get@DEFAULTV2");' >versions.c
echo 'V1 { global: get; local: *; }; V2 { global: get; } V1;' >map
sed 's/two,get@DEFAULT/two,get@@/; s/one,get@V1/one,get@@V1/; s/__asm__(".symver two.*//' versions.c >old.c
gcc -shared -fPIC -Wl,--version-script=map -o libversions.so old.c || fail "old versions"
echo '#include <stdio.h>
int get(void);
int main(void) { printf("version %d\n", get()); return 0; }' >gets.c
gcc -o gets gets.c -L. -lversions "-Wl,-rpath,\$ORIGIN" || fail gets
sed -i 's/get@DEFAULTV2/get@V2/' versions.c
gcc -shared -fPIC -Wl,--version-script=map -o libversions.so versions.c || fail "new versions"
same "a version that is nobody's default, in a private library" ./gets
same "a version that is nobody's default, in a shared library" ./gets --shared=libversions.so

# ---- code that asks for no version means the first, and dlsym the newest ----

# versioned FILE DEFINITION...: get, in such versions of V1 to V3, as "2@@V2", of what gives 2.
versioned() {
  local file=$1 definition
  shift
  for definition in "$@"; do
    echo "int of_${definition%%@*}(void) { return ${definition%%@*}; }
__asm__(\".symver of_${definition%%@*},get@${definition#*@}\");"
  done >versioned.c
  gcc -shared -fPIC -Wl,--version-script=maps,-soname,libsteps.so -o "$file" versioned.c || fail "$file"
}
echo 'V1 { global: get; local: *; }; V2 { global: get; } V1; V3 { global: get; } V2;' >maps
echo 'int get(void) { return 0; }' >unversioned.c
gcc -shared -fPIC -Wl,-soname,libsteps.so -o libsteps.so unversioned.c || fail libsteps.so
echo '#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
int get(void);
int (*volatile by_address)(void) = get;
static int call(void* found) { return found == NULL ? -1 : ((int (*)(void))found)(); }
int main(void) {
  printf("by name %d, by address %d, dlsym %d\n", get(), by_address(), call(dlsym(RTLD_DEFAULT, "get")));
  printf("dlvsym %d %d %d\n", call(dlvsym(RTLD_DEFAULT, "get", "V1")), call(dlvsym(RTLD_DEFAULT, "get", "V2")),
         call(dlvsym(RTLD_DEFAULT, "get", "V3")));
  return 0;
}' >steps.c
gcc -fPIC -o steps steps.c -L. -lsteps "-Wl,-rpath,\$ORIGIN" || fail steps
steps() { # WHAT DEFINITION...
  local what=$1
  shift
  versioned libsteps.so "$@"
  same "$what, in a private library" ./steps
  same "$what, in a shared library" ./steps --shared=libsteps.so
}
steps "the first of two versions" 1@V1 2@@V2
steps "the first that is the default" 1@@V1 2@V2
steps "the first of three" 1@V1 2@V2 3@@V3
steps "one that is not the first" 3@@V3
steps "one that is not the first, besides a hidden one" 2@V2 3@@V3

# ---- the dynamic section of libraries ----

echo '#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
static long named(const struct link_map* map, const char* name) {
  const char* names = NULL;
  const ElfW(Sym)* symbols = NULL;
  const ElfW(Dyn)* d;
  int i;
  for (d = map->l_ld; d->d_tag != DT_NULL; ++d) {
    if (d->d_tag == DT_STRTAB) names = (const char*)d->d_un.d_ptr;
    if (d->d_tag == DT_SYMTAB) symbols = (const ElfW(Sym)*)d->d_un.d_ptr;
  }
  for (i = 1; (const char*)(symbols + i) < names; ++i) {
    if (strcmp(names + symbols[i].st_name, name) == 0) return (long)(map->l_addr + symbols[i].st_value);
  }
  return 0;
}
int get(void);
int main(void) {
  void* const opened = dlopen("./plugged.so", RTLD_NOW);
  const struct link_map *of_needed, *of_opened;
  dlinfo(dlopen("libsteps.so", RTLD_NOW), RTLD_DI_LINKMAP, &of_needed);
  dlinfo(opened, RTLD_DI_LINKMAP, &of_opened);
  printf("%d %d %d\n", get(), named(of_needed, "get") == (long)dlsym(RTLD_DEFAULT, "get"),
         named(of_opened, "plugged") == (long)dlsym(opened, "plugged"));
  return 0;
}' >sections.c
versioned libsteps.so 1@@V1
echo 'int plugged(void) { return 1; }' >plugged.c
gcc -shared -fPIC -o plugged.so plugged.c || fail plugged.so
gcc -o sections sections.c -L. -lsteps "-Wl,-rpath,\$ORIGIN" || fail sections
same "the dynamic sections of libraries" ./sections

# ---- many libraries, one after the other ----

mkdir many
for ((i = 0; i < 150; ++i)); do
  cp plugged.so "many/lib$i.so"
done
echo '#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include "turns.h"
static void* open_one(int i) {
  char name[40];
  void* library;
  snprintf(name, sizeof name, "many/lib%d.so", i);
  library = dlopen(name, RTLD_NOW);
  if (library == NULL) printf("%s\n", dlerror());
  return library;
}
int main(void) {
  int i, n, sum = 0;
  void* libraries[3] = {NULL, NULL, NULL};
  for (n = 0; n < 2; ++n) {
    for (i = 0; i < 150; ++i) {
      void** const place = &libraries[i % 3]; /* three at a time */
      if (*place != NULL) dlclose(*place);
      *place = open_one(i);
      if (*place == NULL) return 1;
      take_turn();
      sum += ((int (*)(void))dlsym(*place, "plugged"))();
    }
  }
  printf("%d\n", sum);
  return 0;
}' >opens_many.c
gcc -o opens_many opens_many.c || fail opens_many
(ulimit -n 128 && same "many libraries, one after the other" ./opens_many && ((failures == 0))) || failures=1
(ulimit -n 128 && timeout $((100 * ${PATIENCE:-1})) "$mpiexec" -n 2 "$run_images" -n 4 --move ./opens_many) >got 2>&1
[[ $(grep -c "^300$" got) == 4 ]] || { fail "many libraries, over moves" && cat got; }

# ---- a thread_local pointer to a function that is chosen ----

echo '#include <stdio.h>
static int plain(void) { return 11; }
static int (*choose(void))(void) { return plain; }
int chosen(void) __attribute__((ifunc("choose")));
_Thread_local int (*of_thread)(void) = chosen;
_Thread_local int other = 3;
int (*of_all)(void) = chosen;
int main(void) { printf("%d %d %d\n", of_thread(), of_all(), other); return 0; }' >ifunc.c
gcc -o ifunc ifunc.c || fail ifunc
same "a thread_local pointer to a function that is chosen" ./ifunc

# ---- files that differ, or change ----

# fails WHAT TEXT COMMAND...
fails() {
  local what=$1 wanted=$2 status
  shift 2
  ROAM_NODE_RANKS=1 timeout $((100 * ${PATIENCE:-1})) "$@" >got 2>&1 </dev/null
  status=$?
  if ((status == 0 || status == 124)) || ! grep -qF -- "$wanted" got; then
    fail "$what: status $status, no \"$wanted\":" && cat got
  else
    echo "ok: $what"
  fi
}
# shellcheck disable=SC2016  # for the shell of each rank
each='LD_LIBRARY_PATH=$0/host${PMI_RANK:-${OMPI_COMM_WORLD_RANK:-0}} exec "$@"'
mkdir host0 host1
told 1 host0/libtold.so
told 1 host1/libtold.so
"$mpiexec" -n 2 sh -c "$each" "$scratch" "$run_images" -n 2 ./asks >got 2>&1
[[ $(grep -c "told 1" got) == 2 ]] || { fail "equal files on two hosts" && cat got; }
told 7 host1/libtold.so
fails "a library that differs between ranks" "libtold.so of rank 1 on" \
  "$mpiexec" -n 2 sh -c "$each" "$scratch" "$run_images" -n 2 ./asks
fails "a library of the process that differs between ranks" "is another build than" \
  "$mpiexec" -n 2 sh -c "$each" "$scratch" "$run_images" -n 2 --shared=libtold.so ./asks
rm host1/libtold.so
fails "a library that one rank has not" "needs libtold.so, which is not found" \
  "$mpiexec" -n 2 sh -c "$each" "$scratch" "$run_images" -n 2 ./asks

echo '#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "turns.h"
int main(int argc, char** argv) {
  int file = open(argv[argc - 1], O_WRONLY | O_APPEND);
  if (write(file, "", 1) != 1) return 3;
  close(file);
  take_turn();
  take_turn();
  puts("went on");
  return 0;
}' >changes.c
gcc -o changes changes.c -L. -Wl,--no-as-needed -lagain -lupper \
  "-Wl,-rpath,\$ORIGIN,-rpath-link,b:a" || fail changes
fails "a program that changes while it runs" "changes was written to" \
  "$mpiexec" -n 2 "$run_images" -n 1 --move ./changes ./changes
fails "a library that changes while it runs" "libupper.so was written to" \
  "$mpiexec" -n 2 "$run_images" -n 1 --move ./changes ./libupper.so

# ---- libraries that are opened and cannot be, and that are others where the virtual rank comes to ----

echo '#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "turns.h"
int main(int argc, char** argv) {
  int (*told)(void);
  void* library = strcmp(argv[1], "space") == 0 ? dlmopen(LM_ID_NEWLM, argv[2], RTLD_NOW)
                                                : dlopen(argv[2], RTLD_NOW);
  if (library == NULL) return printf("not opened: %s\n", dlerror()), 5;
  told = (int (*)(void))dlsym(library, "told");
  printf("told %d\n", told());
  if (argc > 3 && system(argv[3]) != 0) return 6;
  take_turn();
  printf("told %d again\n", told());
  return 0;
}' >opens.c
gcc -o opens opens.c || fail opens
told 3 plug.so
opens() { # WHAT TEXT SOURCE [OPTION]...
  local what=$1 wanted=$2 source=$3
  shift 3
  echo "$source" >refused.c
  gcc -shared -fPIC -o refused.so refused.c "$@" || fail "$what"
  fails "$what" "$wanted" "$run_images" -n 1 ./opens plain ./refused.so
}
opens "a plug-in with a malloc" "refused.so: it defines malloc itself" \
  'void* malloc(unsigned long n) { return (void*)n; } int told(void) { return 1; }'
opens "a plug-in with much that is thread_local" "bytes of thread_local variables" \
  '_Thread_local char room[20000]; int told(void) { return room[3]; }'
opens "a plug-in that is a program" "it is a program" \
  'int told(void) { return 1; } int main(void) { return 0; }' -fPIE -pie
opens "a plug-in that needs what is not there" "libtold.so" 'int told(void);
  int tell(void) { return told(); }' -La -ltold
opens "a plug-in that stores in a variable of libc" "obstack_exit_failure" \
  'extern int obstack_exit_failure; int told(void) { return obstack_exit_failure = 1; }'
fails "a namespace of its own" "there is one namespace" "$run_images" -n 1 ./opens space ./plug.so
fails "a plug-in that is cut off" "plug.short" sh -c \
  'head -c 5000 plug.so >plug.short && exec "$1" -n 1 ./opens plain ./plug.short' - "$run_images"
told 4 other.so
"$mpiexec" -n 2 "$run_images" -n 1 --move ./opens plain ./plug.so >got 2>&1
grep -q "told 3 again" got || { fail "a plug-in over a move" && cat got; }
fails "a plug-in that is another one there" "plug.so: it is another build here" \
  "$mpiexec" -n 2 "$run_images" -n 1 --move ./opens plain ./plug.so "cp other.so new && mv new plug.so"
fails "a plug-in that is not there" "plug.so: it cannot be opened" \
  "$mpiexec" -n 2 "$run_images" -n 1 --move ./opens plain ./plug.so "rm plug.so"

# ---- exceptions of the process's own kernel threads, while images come and go ----

echo '#include <pthread.h>
static void* throw_for_ever(void*) {
  for (;;) {
    try {
      throw 1;
    } catch (int) {
    }
  }
}
[[gnu::constructor]] static void begin() {
  for (int i = 0; i < 2; ++i) {
    pthread_t thread;
    pthread_create(&thread, nullptr, throw_for_ever, nullptr);
    pthread_detach(thread);
  }
}
extern "C" int thrown() { return 1; }' >throws.cc
g++ -O1 -shared -fPIC -o libthrows.so throws.cc || fail libthrows.so
echo '#include <dlfcn.h>
#include <stdio.h>
#include "turns.h"
int thrown(void);
int main(void) {
  int i;
  for (i = 0; i < 300; ++i) {
    void* library = dlopen("./plug.so", RTLD_NOW);
    take_turn();
    dlclose(library);
  }
  printf("went on %d\n", thrown());
  return 0;
}' >among.c
gcc -o among among.c -L. -lthrows "-Wl,-rpath,\$ORIGIN" || fail among
told 3 plug.so
ROAM_NODE_RANKS=1 timeout $((100 * ${PATIENCE:-1})) "$mpiexec" -n 2 "$run_images" -n 4 --move \
  --shared=libthrows.so ./among >got 2>&1 </dev/null
[[ $(grep -c "went on 1" got) == 4 ]] || { fail "exceptions of other kernel threads" && cat got; }

# ---- plug-ins that end while others do, and those that stay ----

part inner
part outer
sed -i 's/^#include <stdio.h>/#include <dlfcn.h>\n&\nstatic void* held;/
  s/puts("outer begins");/& held = dlopen(".\/libinner.so", RTLD_NOW);/
  s/puts("outer ends");/& dlclose(held);/' outer.c
library inner
library outer
echo '#include <dlfcn.h>
#include <stdio.h>
int main(void) {
  void* outer = dlopen("./libouter.so", RTLD_NOW);
  printf("%d\n", dlclose(outer));
  printf("%d\n", dlopen("./libinner.so", RTLD_NOW | RTLD_NOLOAD) != NULL);
  return 0;
}' >closes.c
gcc -o closes closes.c || fail closes
same "a plug-in that closes another at its end" ./closes

part lower
echo '#include <dlfcn.h>
void* find(const char* name) { return dlsym(RTLD_DEFAULT, name); }
void* next(const char* name) { return dlsym(RTLD_NEXT, name); }
void* again(const char* name) { return dlopen(name, RTLD_NOW); }' >>lower.c
part upper
library lower
library upper -llower
echo '#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
int main(void) {
  void* upper = dlopen("./libupper.so", RTLD_NOW);
  void* lower = dlopen("./liblower.so", RTLD_NOW);
  void* (*find)(const char*) = (void* (*)(const char*))dlsym(lower, "find");
  void* (*next)(const char*) = (void* (*)(const char*))dlsym(lower, "next");
  void* (*again)(const char*) = (void* (*)(const char*))dlsym(lower, "again");
  void* blocks[64];
  printf("%d %d\n", find("of_lower") != NULL, dlclose(upper));
  for (int i = 0; i < 64; ++i) blocks[i] = calloc(1, 16 << i % 8);
  printf("%d %d\n", find("of_lower") != NULL, find("of_upper") != NULL);
  printf("%d %d\n", next("of_lower") != NULL, next("of_upper") != NULL);
  upper = again("./libupper.so");
  printf("%d %d\n", upper != NULL, dlsym(upper, "of_upper") != NULL);
  for (int i = 0; i < 64; ++i) free(blocks[i]);
  return 0;
}' >stays.c
gcc -o stays stays.c || fail stays
same "a plug-in that stays when who brought it goes" ./stays
((failures == 0)) || exit 1
echo ok
