/* Answers of libc that have one place in a process, kept over turns in which others ask. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <mntent.h>
#include <netdb.h>
#include <netinet/ether.h>
#include <pwd.h>
#include <search.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <uchar.h>
#include <unistd.h>
#include <wchar.h>

#include "turns.h"

static char line[3000];
static char* at = line;

static void users(int me) {
  const struct passwd* user = me % 2 == 0 ? getpwuid(0) : getpwnam("daemon");
  const struct group* users = me % 2 == 0 ? getgrnam("daemon") : getgrgid(0);
  const struct protoent* protocol = me % 3 == 0 ? getprotobyname("udp") : getprotobynumber(6);
  const struct servent* service = getservbyname(me % 2 == 0 ? "ssh" : "domain", "tcp");
  const struct hostent* host = gethostbyname(me % 2 == 0 ? "127.0.0.1" : "127.0.0.7");
  const struct passwd* none = NULL;
  take_turn();
  at += sprintf(at, " user %s %s group %s", user ? user->pw_name : "-", user ? user->pw_dir : "-",
                users ? users->gr_name : "-");
  take_turn();
  at += sprintf(at, " protocol %s service %s", protocol ? protocol->p_name : "-",
                service ? service->s_name : "-");
  at += sprintf(at, " host %s", host ? host->h_name : "-");
  none = getpwnam("nobody of that name");
  at += sprintf(at, " none %d", none == NULL);
}

static void texts(int me) {
  struct in_addr address = {htonl(0x01020300U + (unsigned)me)};
  struct ether_addr ether = {{1, 2, 3, 4, 5, (unsigned char)me}}, *parsed;
  const char *error = strerror(1 + me), *unknown = strerror(9000 + me), *signal = strsignal(1 + me),
             *real_time = strsignal(40 + me), *address_text = inet_ntoa(address),
             *ether_text = ether_ntoa(&ether), *digits = l64a(1000000 * (me + 1)), *number, *fraction,
             *long_number, *terminal = ctermid(NULL);
  int point, sign, other_point;
  char ether_word[] = "a:b:c:d:e:0";
  const struct lconv* conventions = localeconv();
  const char* codeset = nl_langinfo(CODESET);
  ether_word[10] = (char)('0' + me);
  parsed = ether_aton(ether_word);
  number = ecvt(1.5 + me, 8, &point, &sign);
  fraction = fcvt(100.25 * me, 3, &other_point, &sign);
  long_number = qecvt(0.125L + me, 9, &point, &sign);
  take_turn();
  at += sprintf(at, " %s/%s/%s/%s %s %s", error, unknown, signal, real_time, address_text, ether_text);
  take_turn();
  at += sprintf(at, " %d %s %s %s %s %d", parsed->ether_addr_octet[5], digits, number, fraction,
                long_number, other_point);
  at += sprintf(at, " %s %s", codeset, nl_langinfo(MON_1 + me % 12));
  at += sprintf(at, " %s %s %d", terminal, conventions->decimal_point, ttyname(-1) == NULL ? errno : 0);
  at += sprintf(at, " %s", strerror(1 + me) == error ? "same" : "other");
}

static void table(int me) {
  ENTRY entry, *found;
  char keys[20][12];
  int i, sum = 0;
  at += sprintf(at, " table %d", hcreate((size_t)(10 + 2 * me)) != 0);
  for (i = 0; i < 10 + me; ++i) {
    sprintf(keys[i], "key %d", i);
    entry.key = keys[i];
    entry.data = keys[i] + i % 4 + me % 2;
    if (hsearch(entry, ENTER) == NULL) at += sprintf(at, " full");
    take_turn();
  }
  for (i = 0; i < 20; ++i) {
    char key[12];
    sprintf(key, "key %d", i);
    entry.key = key;
    found = hsearch(entry, FIND);
    if (found != NULL) sum += (int)strlen(found->data) * (i + 1);
    take_turn();
  }
  at += sprintf(at, " %d", sum);
  hdestroy();
  take_turn();
  at += sprintf(at, " again %d", hcreate(3) != 0);
  hdestroy();
}

static void characters(int me) {
  /* Two bytes of three, a turn, and the last one. */
  const char euro[] = "\xe2\x82\xac";
  wchar_t wide = 0;
  char32_t code = 0;
  const int parts = 1 + me % 2;
  const size_t first = mbrtowc(&wide, euro, (size_t)parts, NULL);
  size_t second, third;
  take_turn();
  second = mbrtowc(&wide, euro + parts, 3, NULL);
  take_turn();
  third = mbrtoc32(&code, euro, 2, NULL);
  take_turn();
  at += sprintf(at, " characters %d %d %lx %d %d", (int)first, (int)second, (unsigned long)wide,
                (int)third, (int)mbrtoc32(&code, euro + 2, 1, NULL));
  at += sprintf(at, " %d", mbtowc(&wide, euro, (size_t)parts));
  take_turn();
  mbtowc(NULL, NULL, 0);
  take_turn();
  at += sprintf(at, " %d %d %d", mbtowc(&wide, euro, 3), mblen(euro, 3), mblen(euro, 2));
}

static void log_lines(int me) {
  char name[20];
  sprintf(name, "log%d", me);
  openlog(name, LOG_PERROR, LOG_USER);
  if (me % 2 == 0) setlogmask(LOG_UPTO(LOG_ERR));
  memset(name, 'x', 4); /* libc keeps the pointer; who moves must not need it */
  sprintf(name, "log%d", me);
  take_turn();
  syslog(LOG_ERR, "an error of %d", me);
  take_turn();
  syslog(LOG_INFO, "a word of %d", me);
  closelog();
}

int main(void) {
  const int me = my_number();
  FILE* mounts;
  const struct mntent* mount = NULL;
  setlocale(LC_ALL, "C.UTF-8");
  at += sprintf(at, "%d:", me);
  users(me);
  texts(me);
  table(me);
  characters(me);
  log_lines(me);
  mounts = setmntent("/proc/self/mounts", "r");
  if (mounts != NULL) {
    int i;
    for (i = 0; i <= me % 3; ++i) mount = getmntent(mounts);
    take_turn();
    at += sprintf(at, " mount %s", mount != NULL ? mount->mnt_dir : "-");
    endmntent(mounts);
  }
  puts(line);
  return 0;
}
