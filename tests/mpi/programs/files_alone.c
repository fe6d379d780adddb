// What MPICH does not do as the standard says, or a process has no need of: each says how much was
// wrong.
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static char path[300];
static int wrong;

static void expect(int right, const char* what) {
  if (right) return;
  ++wrong;
  say("wrong: %s", what);
}
static int class_of(int code) {
  int class = -1;
  MPI_Error_class(code, &class);
  return class;
}
static MPI_File open_file(int mode) {
  MPI_File f;
  if (MPI_File_open(MPI_COMM_WORLD, path, mode, MPI_INFO_NULL, &f) != MPI_SUCCESS)
    MPI_Abort(MPI_COMM_WORLD, 2);
  return f;
}

// A long has 4 bytes in external32, and the view counts these.
static void longs(void) {
  MPI_File f = open_file(MPI_MODE_CREATE | MPI_MODE_RDWR | MPI_MODE_DELETE_ON_CLOSE);
  const long x[3] = {1, -2, 3 + me};
  long y[4] = {9, 9, 9, 9};
  unsigned char bytes[20], wanted[20] = {0};
  MPI_Status status;
  MPI_Datatype t;
  MPI_Aint extent;
  int count;
  MPI_Type_vector(3, 1, 2, MPI_LONG, &t);
  MPI_Type_commit(&t);
  MPI_File_set_view(f, 20 * me, MPI_LONG, t, "external32", MPI_INFO_NULL);
  MPI_File_get_type_extent(f, t, &extent);
  expect(extent == 20, "the extent of longs");
  MPI_File_write(f, x, 3, MPI_LONG, &status);
  MPI_Get_count(&status, MPI_LONG, &count);
  expect(count == 3, "how many longs were written");
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_File_read_at(f, 1, y, 2, MPI_LONG, &status);
  expect(y[0] == -2 && y[1] == 3 + me && y[2] == 9, "longs read again");
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_File_set_size(f, 20 * n - 2);
  if (me == n - 1) {
    MPI_File_read_at(f, 0, y, 3, MPI_LONG, &status);
    MPI_Get_count(&status, MPI_LONG, &count);
    expect(count == 2 && y[0] == 1 && y[1] == -2, "longs before the end of the file");
  }
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_File_set_view(f, 0, MPI_BYTE, MPI_BYTE, "native", MPI_INFO_NULL);
  MPI_File_read_at(f, 20 * me, bytes, 18, MPI_BYTE, &status);
  wanted[3] = 1;
  memset(wanted + 8, 0xff, 3);
  wanted[11] = 0xfe;
  expect(memcmp(bytes, wanted, 18) == 0, "the bytes of longs");
  MPI_Type_free(&t);
  MPI_File_close(&f);
}

static void full_disk(void) {
  static char data[10000];
  MPI_File f;
  MPI_Status status;
  if (MPI_File_open(MPI_COMM_WORLD, "/dev/full", MPI_MODE_WRONLY, MPI_INFO_NULL, &f) != MPI_SUCCESS)
    return;
  expect(class_of(MPI_File_write_at(f, 0, data, 10000, MPI_BYTE, &status)) == MPI_ERR_NO_SPACE,
         "a full disk");
  MPI_File_close(&f);
  expect(class_of(MPI_File_open(MPI_COMM_WORLD, "/tmp", MPI_MODE_RDONLY, MPI_INFO_NULL, &f)) ==
             MPI_ERR_BAD_FILE,
         "a folder");
}

// What a file type may not be, for a file that is written to; then the view stays as it was.
static void views(void) {
  MPI_File f = open_file(MPI_MODE_CREATE | MPI_MODE_RDWR | MPI_MODE_DELETE_ON_CLOSE);
  const struct {
    int lengths[2], places[2], extent, error;
    const char* what;
  } kinds[] = {
      {{4, 4}, {0, 12}, 16, MPI_SUCCESS, "a file type that just fits"},
      {{4, 4}, {0, 12}, 8, MPI_SUCCESS, "one that begins again before its end"},
      {{4, 4}, {12, 0}, 16, MPI_ERR_IO, "one whose places do not grow"},
      {{4, 4}, {-4, 12}, 16, MPI_ERR_IO, "one that begins before its origin"},
      {{4, 4}, {0, 3}, 16, MPI_ERR_IO, "one whose parts overlap"},
      {{4, 4}, {0, 12}, 0, MPI_ERR_ARG, "one without extent"},
  };
  MPI_File_set_view(f, 7, MPI_BYTE, MPI_BYTE, "native", MPI_INFO_NULL);
  for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; ++i) {
    char name[MPI_MAX_DATAREP_STRING];
    MPI_Datatype parts, tile, etype, filetype;
    MPI_Offset at;
    MPI_Type_indexed(2, kinds[i].lengths, kinds[i].places, MPI_BYTE, &parts);
    MPI_Type_create_resized(parts, 0, kinds[i].extent, &tile);
    MPI_Type_commit(&tile);
    const int code = MPI_File_set_view(f, 9, MPI_BYTE, tile, "native", MPI_INFO_NULL);
    expect(class_of(code) == kinds[i].error, kinds[i].what);
    MPI_File_get_view(f, &at, &etype, &filetype, name);
    expect(at == (code == MPI_SUCCESS ? 9 : 7) && (filetype == MPI_BYTE) == (code != MPI_SUCCESS),
           "the view afterwards");
    if (filetype != MPI_BYTE) MPI_Type_free(&filetype);
    MPI_Type_free(&tile);
    MPI_Type_free(&parts);
    MPI_File_set_view(f, 7, MPI_BYTE, MPI_BYTE, "native", MPI_INFO_NULL);
  }
  MPI_File_close(&f);
}

static int told;
static void tell(MPI_File* f, int* code, ...) {
  if (*f != MPI_FILE_NULL && *code != MPI_SUCCESS) ++told;
}
// The handler of a file hears of its closing too; others' objects do not take it.
static void handlers(void) {
  MPI_File f = open_file(MPI_MODE_CREATE | MPI_MODE_RDWR | MPI_MODE_DELETE_ON_CLOSE);
  MPI_Errhandler handler;
  MPI_File_create_errhandler(tell, &handler);
  MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
  expect(class_of(MPI_Comm_set_errhandler(MPI_COMM_SELF, handler)) == MPI_ERR_ARG,
         "a handler of files for a communicator");
  MPI_File_set_errhandler(f, handler);
  MPI_Errhandler_free(&handler);
  MPI_Barrier(MPI_COMM_WORLD);
  if (me == 0) {  // which cannot be removed as a file
    unlink(path);
    mkdir(path, 0700);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  expect(MPI_File_close(&f) != MPI_SUCCESS && told == 1 && f == MPI_FILE_NULL,
         "a closing that fails");
  MPI_Barrier(MPI_COMM_WORLD);
  if (me == 0) rmdir(path);
  MPI_Barrier(MPI_COMM_WORLD);
}

// What has the name of a file that goes with its closing may be another file by then, which stays.
static void replaced(void) {
  MPI_File f = open_file(MPI_MODE_CREATE | MPI_MODE_RDWR | MPI_MODE_DELETE_ON_CLOSE);
  char other[320];
  snprintf(other, sizeof other, "%s.other", path);
  MPI_Barrier(MPI_COMM_WORLD);
  if (me == 0) {
    FILE* made = fopen(other, "w");
    fclose(made);
    rename(other, path);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  expect(class_of(MPI_File_close(&f)) == MPI_ERR_FILE && f == MPI_FILE_NULL,
         "a closing that would remove another file");
  if (me == 0) {
    expect(access(path, F_OK) == 0, "the other file is there");
    unlink(path);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  f = open_file(MPI_MODE_CREATE | MPI_MODE_RDWR | MPI_MODE_DELETE_ON_CLOSE);
  MPI_File_close(&f);
  expect(access(path, F_OK) != 0, "a file that is removed");
  MPI_Barrier(MPI_COMM_WORLD);
}

static void split_in_wrong_order(void) {
  MPI_File f = open_file(MPI_MODE_CREATE | MPI_MODE_RDWR | MPI_MODE_DELETE_ON_CLOSE);
  MPI_Status status;
  int x = me, y = -1;
  expect(MPI_File_write_all_end(f, &x, &status) != MPI_SUCCESS, "an end without a begin");
  MPI_File_write_at_all_begin(f, me, &x, 4, MPI_BYTE);
  expect(MPI_File_write_all_end(f, &x, &status) != MPI_SUCCESS, "another's end");
  expect(MPI_File_read_all_begin(f, &y, 4, MPI_BYTE) != MPI_SUCCESS, "two begins");
  expect(MPI_File_write_at_all_end(f, &x, &status) == MPI_SUCCESS, "its own end");
  MPI_File_close(&f);
}

// In the process where this virtual rank is.
static int is_open_here(void) {
  char link[64], target[400];
  int i, found = 0;
  for (i = 3; i < 400; ++i) {
    snprintf(link, sizeof link, "/proc/self/fd/%d", i);
    const ssize_t bytes = readlink(link, target, sizeof target - 1);
    if (bytes < 0) continue;
    target[bytes] = '\0';
    if (strncmp(target, path, strlen(path)) == 0) ++found;
  }
  return found;
}
// Each goes through all processes while it is open, and again afterwards.
static void nothing_left(void) {
  MPI_File f = open_file(MPI_MODE_CREATE | MPI_MODE_RDWR);
  MPI_Status status;
  char hidden[400];
  int i, x, sum = 0, on = 0;
  for (i = 0; i < 6; ++i) {
    x = me + i;
    MPI_File_write_shared(f, &x, 4, MPI_BYTE, &status);
    on += is_open_here();
    MPI_Barrier(MPI_COMM_WORLD);
  }
  expect(on >= 6, "a file that is open");
  MPI_File_close(&f);
  for (i = 0; i < 6; ++i) {
    sum += is_open_here();
    MPI_Barrier(MPI_COMM_WORLD);
  }
  expect(sum == 0, "descriptors that are left");
  snprintf(hidden, sizeof hidden, "ls -A $(dirname %s) | grep -q pointer", path);
  if (me == 0) {
    expect(system(hidden) != 0, "a hidden file that is left");
    expect(MPI_File_delete(path, MPI_INFO_NULL) == MPI_SUCCESS, "the file itself");
  }
  MPI_Barrier(MPI_COMM_WORLD);
}

int main(int argc, char** argv) {
  const char* folder = getenv("TMPDIR");
  snprintf(path, sizeof path, "%s/roam_files_alone", folder == NULL ? "/tmp" : folder);
  begin(&argc, &argv);
  longs();
  full_disk();
  views();
  handlers();
  replaced();
  split_in_wrong_order();
  nothing_left();
  say("end: %d wrong", wrong);
  MPI_Finalize();
  return 0;
}
