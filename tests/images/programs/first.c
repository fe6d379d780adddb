/* What a process makes for itself at the first call of a kind, which virtual rank 0 makes before it
 * goes away, is there for others: descriptors, and the folders where libraries are looked for. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "turns.h"

static void say(const char* what, int right) {
  printf("%d: %s: %d\n", my_number(), what, right);
  take_turn();
}

int main(void) {
  int i;
  if (my_number() == 0) {
    say("looked for", dlopen("libnobody_has_it.so", RTLD_NOW) == NULL);
    say("started", system("exit 0") == 0);
    usleep(300000); /* it has moved, or has not */
    return 0;
  }
  usleep(100000); /* nobody moves meanwhile */
  for (i = 0; i < 3; ++i) {
    FILE* file;
    char text[10] = "";
    file = popen("echo word", "r");
    say("popen", file != NULL && fgets(text, sizeof text, file) != NULL && strcmp(text, "word\n") == 0);
    say("closed", file != NULL && pclose(file) == 0);
    file = fopen("/dev/null", "r");
    say("opened", file != NULL && fgetc(file) == EOF);
    say("closed", file != NULL && fclose(file) == 0);
    say("looked for", dlopen("libnobody_has_it.so", RTLD_NOW) == NULL);
  }
  return 0;
}
