/* Time zones that differ, changed under way, with a turn between any two calls; and what programs
   that are started see of the environment. */
#define _GNU_SOURCE
#define _XOPEN_SOURCE 700
#include <locale.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <wchar.h>

#include "turns.h"

extern char** environ;
static const char* const zones[] = {"AAA-3:30BBB,M3.2.0,M11.1.0", "UTC", NULL, "Europe/Berlin",
                                    "CCC7",                       "",    ":America/New_York"};
static char line[4000];
static char* at = line;

static void use(const char* zone) {
  if (zone == NULL) unsetenv("TZ");
  else setenv("TZ", zone, 1);
}

static void show(const struct tm* time) {
  char text[100];
  wchar_t wide[50];
  take_turn();
  at += sprintf(at, " %02d:%02d %ld %s", time->tm_hour, time->tm_min, time->tm_gmtoff, time->tm_zone);
  take_turn();
  strftime(text, sizeof text, "%H %Z %z", time);
  take_turn();
  wcsftime(wide, 50, L"%M %Z", time);
  at += sprintf(at, " [%s|%ls] %s/%s %ld %d", text, wide, tzname[0], tzname[1], timezone, daylight);
}

static void programs(int me) {
  char word[30], command[] = "echo $MINE", *arguments[] = {"sh", "-c", command, NULL}, said[100] = "";
  pid_t child;
  int status = 0;
  FILE* stream;
  sprintf(word, "for %d", me);
  setenv("MINE", word, 1);
  unsetenv("ROAM_VIRTUAL_RANKS");
  take_turn();
  sprintf(word, "exit %d", me + 3);
  at += sprintf(at, " system %d", WEXITSTATUS(system(word)));
  at += sprintf(at, " %d", WEXITSTATUS(system("test \"$MINE\" = \"for $ROAM_VIRTUAL_RANK\"")));
  at += sprintf(at, " %d", WEXITSTATUS(system("test -z \"$ROAM_VIRTUAL_RANKS\"")));
  stream = popen("echo \"$MINE\"", "r");
  if (fgets(said, sizeof said, stream) == NULL) return;
  pclose(stream);
  at += sprintf(at, " popen %.*s", (int)strcspn(said, "\n"), said);
  take_turn();
  if (posix_spawnp(&child, "true", NULL, NULL, arguments, environ) == 0) {
    waitpid(child, &status, 0);
    at += sprintf(at, " true %d", WEXITSTATUS(status));
  }
  setenv("PATH", "/nowhere", 1);
  at += sprintf(at, " spawned %d", posix_spawnp(&child, "true", NULL, NULL, arguments, environ));
}

/* A struct tm that nobody has filled in: the name in it is none. */
static void garbage(void) {
  const char* const formats[] = {"%Y-%m-%d", "%H:%M", "%s"};
  const char* const texts[] = {"2024-05-06", "no time", "1719000000"};
  struct tm scanned;
  int i;
  for (i = 0; i < 3; ++i) {
    const char* end;
    const char* name;
    memset(&scanned, 0x5a, sizeof scanned);
    name = scanned.tm_zone;
    take_turn();
    end = strptime(texts[i], formats[i], &scanned);
    take_turn();
    at += sprintf(at, " scan %d %d", end == NULL ? -1 : *end, scanned.tm_zone == name);
  }
  memset(&scanned, 0x5a, sizeof scanned);
  scanned.tm_year = 0x7fffffff;
  scanned.tm_isdst = -1;
  at += sprintf(at, " made %d", mktime(&scanned) == -1);
}

int main(void) {
  const int me = my_number();
  const time_t winter = 1705312800 + me * 777, summer = winter + 182 * 86400;
  struct tm kept, *lent, made = {.tm_year = 120, .tm_mon = 6, .tm_mday = 4, .tm_hour = 12};
  int i;
  char text[40];
  at += sprintf(at, "%d:", me);
  use(zones[me % 7]);
  localtime_r(&winter, &kept); /* looks at TZ, since nobody has */
  show(&kept);
  for (i = 0; i < 4; ++i) {
    use(zones[(me + 3 * i) % 7]);
    take_turn();
    localtime_r(&summer, &kept); /* as before */
    show(&kept);
    if (i == 1) tzset();
    lent = i % 2 == 0 ? localtime(&winter) : localtime(&summer);
    show(lent);
    made.tm_isdst = -1;
    at += sprintf(at, " made %ld", (long)mktime(&made));
    show(&made);
    show(&kept);
    at += sprintf(at, " %.24s", ctime(&summer));
    take_turn();
    at += sprintf(at, " %.24s;", ctime_r(&winter, text));
    take_turn();
    memset(&kept, 0, sizeof kept);
    strptime("1719000000", "%s", &kept);
    at += sprintf(at, " scanned %d", kept.tm_hour);
  }
  garbage();
  programs(me);
  puts(line);
  return 0;
}
