// pthread_key_create and its kin, and those of C11.

#include <pthread.h>
#include <threads.h>

#include <cerrno>

#include "mpi/image/image.h"
#include "mpi/image/process_calls.h"
#include "mpi/image/process_symbols.h"

namespace roam::mpi {
namespace {

Keys& keys() { return Image::running()->keys(); }

int create_key(pthread_key_t* key, void (*destructor)(void*)) {
  return keys().make(key, destructor) ? 0 : EAGAIN;
}
int delete_key(pthread_key_t key) {
  if (!keys().has(key)) return EINVAL;
  keys().drop(key);
  return 0;
}
void* get_value(pthread_key_t key) { return keys().get(key); }
int set_value(pthread_key_t key, const void* value) {
  if (!keys().has(key)) return EINVAL;
  keys().set(key, value);
  return 0;
}

int create_c11(tss_t* key, tss_dtor_t destructor) {
  return keys().make(key, destructor) ? thrd_success : thrd_error;
}
void delete_c11(tss_t key) { delete_key(key); }
int set_c11(tss_t key, void* value) {
  return set_value(key, value) == 0 ? thrd_success : thrd_error;
}

}  // namespace

void add_key_calls() {
  add_launcher_call("pthread_key_create", &create_key);
  add_launcher_call("__pthread_key_create", &create_key);
  add_launcher_call("pthread_key_delete", &delete_key);
  add_launcher_call("pthread_getspecific", &get_value);
  add_launcher_call("pthread_setspecific", &set_value);
  add_launcher_call("tss_create", &create_c11);
  add_launcher_call("tss_delete", &delete_c11);
  add_launcher_call("tss_get", &get_value);
  add_launcher_call("tss_set", &set_c11);
}

}  // namespace roam::mpi
