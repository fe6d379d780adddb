/* What libc keeps between calls, with turns of others between: each has its own of it. */
#define _GNU_SOURCE
#include <grp.h>
#include <langinfo.h>
#include <locale.h>
#include <netdb.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#include "turns.h"

static int me;

/* A sum of texts, by which lists are compared. */
static unsigned long mixed(unsigned long sum, const char* text) {
  for (; *text != '\0'; ++text) sum = sum * 31 + (unsigned char)*text;
  return sum;
}

static void words(void) {
  char line[] = "one two three four five six seven eight";
  char* word;
  unsigned long sum = 0;
  for (word = strtok(line, " "); word != NULL; word = strtok(NULL, " ")) {
    sum = mixed(sum, word);
    take_turn();
  }
  printf("%d: words %lx\n", me, sum);
}

static void numbers(void) {
  long sum = 0;
  double more = 0;
  int i;
  srand(me);
  srand48(me);
  for (i = 0; i < 20; ++i) {
    sum = sum * 7 + rand() % 1000 + random() % 1000 + lrand48() % 1000;
    more += drand48();
    take_turn();
  }
  printf("%d: numbers %ld %.6f\n", me, sum, more);
}

static void times_of_day(void) {
  const time_t when = 1000000000 + 86400 * (time_t)me * 40;
  struct tm* local;
  const char* text;
  setenv("TZ", me % 2 == 0 ? "UTC0" : "XYZ-3", 1);
  tzset();
  local = localtime(&when);
  take_turn();
  printf("%d: %d-%d %d %s\n", me, local->tm_mon, local->tm_mday, local->tm_hour, local->tm_zone);
  local = gmtime(&when);
  text = asctime(local);
  take_turn();
  printf("%d: %d %s", me, local->tm_hour, text);
  text = ctime(&when);
  take_turn();
  printf("%d: %s", me, text);
}

static void lists(void) {
  struct passwd* user;
  struct group* users;
  struct servent* service;
  struct protoent* protocol;
  struct passwd entry;
  unsigned long sum = 0;
  int count = 0, left = 5 + me;
  char room[2048];
  while ((user = getpwent()) != NULL) {
    sum = mixed(sum, user->pw_name);
    ++count;
    take_turn();
    sum = mixed(sum, user->pw_dir);
  }
  printf("%d: %d users %lx\n", me, count, sum);
  take_turn();
  setpwent();
  take_turn();
  for (sum = 0, count = 0; count < 3 + me; ++count) {
    if (getpwent_r(&entry, room, sizeof room, &user) != 0) break;
    sum = mixed(sum, entry.pw_name);
    take_turn();
    if (getpwnam("daemon") == NULL) sum = 0;
  }
  take_turn();
  endpwent();
  take_turn();
  user = getpwent();
  take_turn();
  printf("%d: %d users %lx, and the first %s\n", me, count, sum, user->pw_name);
  endpwent();
  for (sum = 0; left != 0 && (users = getgrent()) != NULL; --left) {
    sum = mixed(sum, users->gr_name);
    take_turn();
  }
  printf("%d: %d groups %lx\n", me, 5 + me - left, sum);
  endgrent();
  setservent(1);
  for (sum = 0, count = 0; (service = getservent()) != NULL && count < 20 + me; ++count) {
    sum = mixed(sum, service->s_name) + (unsigned)service->s_port;
    if (count % 4 == 0) take_turn();
  }
  endservent();
  printf("%d: %d services %lx\n", me, count, sum);
  for (sum = 0, count = 0; (protocol = getprotoent()) != NULL; ++count) {
    sum = mixed(sum, protocol->p_name) + (unsigned)protocol->p_proto;
    if (count % 8 == me) take_turn();
  }
  endprotoent();
  printf("%d: %d protocols %lx\n", me, count, sum);
}

static void options(void) {
  char *list[] = {"program", "-a", "-b", "value", "-abother", "rest", NULL}, said[64] = "";
  int option;
  optind = 1;
  while ((option = getopt(6, list, "ab:")) != -1) {
    sprintf(said + strlen(said), "%c%s", option, option == 'b' ? optarg : "");
    take_turn();
  }
  printf("%d: options %s, then %s\n", me, said, list[optind]);
}

/* Every other one has another locale; wide characters tell. */
static void locales(void) {
  const char *name = me % 2 == 0 ? "C" : "C.UTF-8", *was;
  char* copy;
  wchar_t wide[10];
  locale_t own, before;
  int i;
  for (i = 0; i < 4; ++i) {
    was = setlocale(LC_ALL, NULL);
    take_turn();
    printf("%d: %s, %d bytes, %s\n", me, was, (int)MB_CUR_MAX, nl_langinfo(CODESET));
    if (setlocale(i == 2 ? LC_CTYPE : LC_ALL, i % 2 == 0 ? name : "C") == NULL) printf("none\n");
    take_turn();
    printf("%d: %d characters, %d\n", me, (int)mbstowcs(wide, "\xc3\xa9t\xc3\xa9", 10),
           iswalpha(0xe9) != 0);
  }
  setenv("LC_ALL", me % 3 == 0 ? "C.UTF-8" : "", 1);
  setenv("LANG", me % 3 == 1 ? "C.UTF-8" : "C", 1);
  setenv("LC_TIME", "POSIX", 1);
  was = setlocale(LC_ALL, "");
  copy = strdup(was);
  take_turn();
  printf("%d: %s\n", me, setlocale(LC_ALL, NULL));
  setlocale(LC_ALL, "C");
  take_turn();
  printf("%d: %s, no such one: %d\n", me, setlocale(LC_ALL, copy),
         setlocale(LC_ALL, "xx_YY.nowhere") == NULL && setlocale(99, "C") == NULL);
  free(copy);
  setlocale(LC_ALL, "C");
  own = newlocale(LC_ALL_MASK, name, (locale_t)0);
  before = uselocale(own);
  take_turn();
  printf("%d: %d bytes, before %d, now %d\n", me, (int)MB_CUR_MAX, before == LC_GLOBAL_LOCALE,
         uselocale((locale_t)0) == own);
  uselocale(before);
  freelocale(own);
  take_turn();
  printf("%d: %d bytes\n", me, (int)MB_CUR_MAX);
}

/* Every other one ignores them; nobody's choice is another's. */
static void signals(void) {
  const int mine = me % 2 == 0;
  const int first = signal(SIGPIPE, mine ? SIG_IGN : SIG_DFL) == SIG_DFL;
  int i, same = 0, closed[2];
  for (i = 0; i < 5; ++i) {
    struct sigaction now;
    take_turn();
    sigaction(SIGPIPE, NULL, &now);
    same += now.sa_handler == (mine ? SIG_IGN : SIG_DFL);
  }
  if (mine && pipe(closed) == 0) {
    close(closed[0]);
    same += write(closed[1], "", 1) == -1;
    close(closed[1]);
  }
  printf("%d: ignored %d %d, then %d\n", me, first, same,
         signal(SIGPIPE, SIG_DFL) == (mine ? SIG_IGN : SIG_DFL));
}

static void names(void) {
  char first[L_tmpnam], *second;
  tmpnam(first);
  second = tmpnam(NULL);
  take_turn();
  printf("%d: names %d\n", me, strcmp(first, second) != 0 && strncmp(second, "/tmp/", 5) == 0);
}

int main(void) {
  me = my_number();
  words();
  numbers();
  times_of_day();
  lists();
  options();
  locales();
  signals();
  names();
  return 0;
}
