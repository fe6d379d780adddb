// Error handlers and keys that the program has freed: objects that have them keep them, and then their
// numbers are free for others. A program that makes and frees them in a loop does not grow.
#include "check.h"

enum { kTimes = 3000, kMostNumbers = 8 };

static int told, copied, deleted;

static void tell(MPI_Comm* comm, int* code, ...) {
  (void)comm, (void)code;
  ++told;
}
static void tell_window(MPI_Win* window, int* code, ...) {
  (void)window, (void)code;
  ++told;
}
static void tell_file(MPI_File* file, int* code, ...) {
  (void)file, (void)code;
  ++told;
}
// One that frees itself.
static void tell_last(MPI_Comm* comm, int* code, ...) {
  (void)code;
  MPI_Comm_set_errhandler(*comm, MPI_ERRORS_RETURN);
  ++told;
}
static int copy(MPI_Comm from, int key, void* extra, void* value, void* to, int* wanted) {
  (void)from, (void)key, (void)extra;
  *(void**)to = value;
  *wanted = 1;
  ++copied;
  return MPI_SUCCESS;
}
static int drop(MPI_Comm comm, int key, void* value, void* extra) {
  (void)comm, (void)key, (void)value, (void)extra;
  ++deleted;
  return MPI_SUCCESS;
}
// It removes the last attribute that has the key.
static int copy_last(MPI_Comm from, int key, void* extra, void* value, void* to, int* wanted) {
  (void)extra, (void)value, (void)to;
  MPI_Comm_delete_attr(from, key);
  *wanted = 0;
  ++copied;
  return MPI_SUCCESS;
}
static int drop_of_type(MPI_Datatype type, int key, void* value, void* extra) {
  (void)type, (void)key, (void)value, (void)extra;
  ++deleted;
  return MPI_SUCCESS;
}

// How many of the numbers that it is given are different; of many it is enough to know that.
static int numbers[kMostNumbers + 1], count;
static void note(int number) {
  int i;
  for (i = 0; i < count; ++i) {
    if (numbers[i] == number) return;
  }
  if (count <= kMostNumbers) numbers[count++] = number;
}
static int few(void) {
  const int good = count <= kMostNumbers;
  count = 0;
  return good;
}

static void handlers(MPI_Comm comm, MPI_Win window, MPI_File file) {
  MPI_Errhandler h, other, of_window, of_file;
  int i;
  for (i = 0; i < kTimes; ++i) {
    MPI_Comm_create_errhandler(tell, &h);
    note(h);
    MPI_Comm_set_errhandler(comm, h);
    MPI_Errhandler_free(&h);
    MPI_Comm_call_errhandler(comm, MPI_ERR_OTHER);
    MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
    MPI_Win_create_errhandler(tell_window, &of_window);
    note(of_window);
    MPI_Win_set_errhandler(window, of_window);
    MPI_Errhandler_free(&of_window);
    MPI_Win_call_errhandler(window, MPI_ERR_OTHER);
    MPI_Win_set_errhandler(window, MPI_ERRORS_RETURN);
    MPI_File_create_errhandler(tell_file, &of_file);
    note(of_file);
    MPI_File_set_errhandler(file, of_file);
    MPI_Errhandler_free(&of_file);
    MPI_File_call_errhandler(file, MPI_ERR_OTHER);
    MPI_File_set_errhandler(file, MPI_ERRORS_RETURN);
  }
  say("handlers: told %d, freed %d, few %d", told, h == MPI_ERRHANDLER_NULL, few());

  // One that is asked for is named once more, and freed for itself.
  told = 0;
  MPI_Comm_create_errhandler(tell, &h);
  MPI_Comm_set_errhandler(comm, h);
  MPI_Comm_get_errhandler(comm, &other);
  say("asked for: the same %d", other == h);
  MPI_Errhandler_free(&other);
  MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
  MPI_Comm_create_errhandler(tell_last, &other);
  say("still there: %d", other != h);
  MPI_Comm_set_errhandler(comm, h);
  MPI_Comm_call_errhandler(comm, MPI_ERR_OTHER);
  MPI_Comm_set_errhandler(comm, other);
  MPI_Errhandler_free(&h);
  MPI_Errhandler_free(&other);
  MPI_Comm_call_errhandler(comm, MPI_ERR_OTHER);
  say("told: %d", told);

  // A copy of the communicator has it for itself.
  told = 0;
  MPI_Comm_create_errhandler(tell, &h);
  MPI_Comm_set_errhandler(comm, h);
  MPI_Errhandler_free(&h);
  {
    MPI_Comm copied_one;
    MPI_Comm_dup(comm, &copied_one);
    MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
    MPI_Comm_create_errhandler(tell_last, &h);
    MPI_Errhandler_free(&h);
    MPI_Comm_call_errhandler(copied_one, MPI_ERR_OTHER);
    MPI_Comm_free(&copied_one);
  }
  say("of a copy: %d", told);
}

static void keys(MPI_Comm comm) {
  int i, key, flag, *value, *of_copy;
  MPI_Comm other;
  for (i = 0; i < kTimes; ++i) {
    MPI_Comm_create_keyval(copy, drop, &key, NULL);
    note(key);
    MPI_Comm_set_attr(comm, key, &i);
    MPI_Comm_delete_attr(comm, key);
    MPI_Comm_free_keyval(&key);
    MPI_Type_create_keyval(MPI_TYPE_NULL_COPY_FN, drop_of_type, &key, NULL);
    note(key);
    MPI_Type_set_attr(MPI_INT, key, &i);
    MPI_Type_delete_attr(MPI_INT, key);
    MPI_Type_free_keyval(&key);
  }
  say("keys: deleted %d, freed %d, few %d", deleted, key == MPI_KEYVAL_INVALID, few());

  // One that is freed before its attributes.
  deleted = 0;
  for (i = 0; i < kTimes / 10; ++i) {
    const int number = (MPI_Comm_create_keyval(copy, drop, &key, NULL), key);
    note(number);
    MPI_Comm_set_attr(comm, number, &told);
    MPI_Comm_free_keyval(&key);
    MPI_Comm_dup(comm, &other);
    MPI_Comm_get_attr(other, number, &of_copy, &flag);
    if (!flag || of_copy != &told) say("wrong: %d", flag);
    MPI_Comm_delete_attr(comm, number);
    MPI_Comm_get_attr(other, number, &value, &flag);
    if (!flag || value != &told) say("wrong: gone, %d", flag);
    MPI_Comm_free(&other);
  }
  say("keys of attributes: copied %d, deleted %d, few %d", copied, deleted, few());

  copied = 0;
  MPI_Comm_create_keyval(copy_last, drop, &key, NULL);
  MPI_Comm_set_attr(comm, key, &told);
  MPI_Comm_free_keyval(&key);
  MPI_Comm_dup(comm, &other);
  MPI_Comm_free(&other);
  say("last: copied %d", copied);
}

int main(int argc, char** argv) {
  MPI_Comm comm;
  MPI_Win window;
  MPI_File closed, file;
  char name[300];
  int memory;
  begin(&argc, &argv);
  MPI_Comm_dup(MPI_COMM_SELF, &comm);
  MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
  MPI_Win_create(&memory, sizeof memory, 1, MPI_INFO_NULL, MPI_COMM_SELF, &window);
  snprintf(name, sizeof name, "%s/released.%d", getenv("HOME"), me);
  MPI_File_open(MPI_COMM_SELF, name, MPI_MODE_CREATE | MPI_MODE_RDWR, MPI_INFO_NULL, &closed);
  MPI_File_open(MPI_COMM_SELF, name, MPI_MODE_RDWR | MPI_MODE_DELETE_ON_CLOSE, MPI_INFO_NULL, &file);
  MPI_File_close(&closed);
  handlers(comm, window, file);
  keys(comm);
  MPI_File_close(&file);
  MPI_Win_free(&window);
  MPI_Comm_free(&comm);
  say("end");
  MPI_Finalize();
  return 0;
}
