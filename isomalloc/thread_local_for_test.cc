// A library with a thread_local whose room ld.so makes at its first use in each kernel thread.
namespace {
thread_local long values[2000];
}

extern "C" __attribute__((visibility("default"))) long* next_of_kernel_thread() {
  return &values[1000];
}
