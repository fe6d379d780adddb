// Locks of C11. libc's are its pthread calls in other types, which it calls by a way of its own.

#include <pthread.h>
#include <threads.h>

#include <cerrno>

#define ROAM_EXPORT extern "C" __attribute__((visibility("default")))

namespace {

pthread_mutex_t* of(mtx_t* m) { return reinterpret_cast<pthread_mutex_t*>(m); }
pthread_cond_t* of(cnd_t* c) { return reinterpret_cast<pthread_cond_t*>(c); }
static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t) && sizeof(cnd_t) == sizeof(pthread_cond_t));

int of_c11(int error) {
  switch (error) {
    case 0:
      return thrd_success;
    case ENOMEM:
      return thrd_nomem;
    case ETIMEDOUT:
      return thrd_timedout;
    case EBUSY:
      return thrd_busy;
    default:
      return thrd_error;
  }
}

}  // namespace

ROAM_EXPORT int mtx_lock(mtx_t* m) { return of_c11(pthread_mutex_lock(of(m))); }
ROAM_EXPORT int mtx_timedlock(mtx_t* m, const timespec* until) {
  return of_c11(pthread_mutex_timedlock(of(m), until));
}
ROAM_EXPORT int mtx_trylock(mtx_t* m) { return of_c11(pthread_mutex_trylock(of(m))); }
ROAM_EXPORT int mtx_unlock(mtx_t* m) { return of_c11(pthread_mutex_unlock(of(m))); }

ROAM_EXPORT int cnd_wait(cnd_t* c, mtx_t* m) { return of_c11(pthread_cond_wait(of(c), of(m))); }
ROAM_EXPORT int cnd_timedwait(cnd_t* c, mtx_t* m, const timespec* until) {
  return of_c11(pthread_cond_timedwait(of(c), of(m), until));
}
ROAM_EXPORT int cnd_signal(cnd_t* c) { return of_c11(pthread_cond_signal(of(c))); }
ROAM_EXPORT int cnd_broadcast(cnd_t* c) { return of_c11(pthread_cond_broadcast(of(c))); }

ROAM_EXPORT void call_once(once_flag* flag, void (*make)()) {
  pthread_once(reinterpret_cast<pthread_once_t*>(flag), make);
}
