#include <pthread.h>
#include <unistd.h>

static int undone;

static void undo(void* amount) { undone += *(int*)amount; }

static void* leave(void* exits) {
  int outer = 1, inner = 10;
  pthread_cleanup_push(undo, &outer);
  pthread_cleanup_push(undo, &inner);
  if (exits) pthread_exit((void*)5);
  for (;;) pause();
  pthread_cleanup_pop(0);
  pthread_cleanup_pop(0);
  return 0;
}

// A kernel thread that leaves by pthread_exit (result 5) or is cancelled (-1); *sum: 11 if both of
// its handlers ran.
long clean_up_in_c(int exits, int* sum) {
  pthread_t id;
  void* result = 0;
  undone = 0;
  pthread_create(&id, 0, leave, exits ? &undone : 0);
  if (!exits) {
    usleep(50000);
    pthread_cancel(id);
  }
  pthread_join(id, &result);
  *sum = undone;
  return (long)result;
}

// Handlers of the caller itself, with a call in between.
int clean_up_around(void (*call)(void)) {
  int amount = 3, before;
  pthread_cleanup_push(undo, &amount);
  call();
  before = undone;
  pthread_cleanup_pop(1);
  return undone - before;
}
