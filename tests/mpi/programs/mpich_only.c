// Functions that MPICH alone has, of which its library may have some: of devices, and for errors that a
// program takes back.
#include <string.h>

#include "judge.h"

#pragma weak MPIX_Query_cuda_support
#pragma weak MPIX_Query_ze_support
#pragma weak MPIX_Query_hip_support
#pragma weak MPIX_GPU_query_support
#pragma weak MPIX_Delete_error_class
#pragma weak MPIX_Delete_error_code
#pragma weak MPIX_Delete_error_string
static void devices(void) {
  if (MPIX_Query_cuda_support != NULL) expect(MPIX_Query_cuda_support() == 0, "CUDA", 1);
  if (MPIX_Query_ze_support != NULL) expect(MPIX_Query_ze_support() == 0, "ZE", 1);
  if (MPIX_Query_hip_support != NULL) expect(MPIX_Query_hip_support() == 0, "HIP", 1);
  if (MPIX_GPU_query_support == NULL) return;
  for (int kind = -1; kind < 4; ++kind) {
    int there = 7;
    is(kind < 0 || kind > 2 ? MPI_ERR_ARG : MPI_SUCCESS, MPIX_GPU_query_support(kind, &there), "a kind of device");
    expect(there == 0, "a device", there);
  }
}
static int last_code(void) {
  int *last, flag;
  MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_LASTUSEDCODE, &last, &flag);
  return *last;
}
static void says(int code, const char* wanted) {
  char text[MPI_MAX_ERROR_STRING];
  int length;
  MPI_Error_string(code, text, &length);
  expect(strcmp(text, wanted) == 0, text, length);
}
static void removed_errors(void) {
  if (MPIX_Delete_error_class == NULL || MPIX_Delete_error_code == NULL || MPIX_Delete_error_string == NULL) return;
  const int before = last_code();
  int class, code, other;
  MPI_Add_error_class(&class);
  MPI_Add_error_code(class, &code);
  MPI_Add_error_code(MPI_ERR_ARG, &other);
  MPI_Add_error_string(code, "one of the program's");
  says(code, "one of the program's");
  is(MPI_SUCCESS, MPIX_Delete_error_string(code), "a string");
  says(code, "");
  is(MPI_ERR_OTHER, MPIX_Delete_error_string(MPI_ERR_ARG), "a string of the standard");
  is(MPI_ERR_OTHER, MPIX_Delete_error_code(MPI_ERR_ARG), "a code of the standard");
  is(MPI_ERR_OTHER, MPIX_Delete_error_class(MPI_ERR_ARG), "a class of the standard");
  is(MPI_ERR_OTHER, MPIX_Delete_error_class(code), "a code, as a class");
  is(MPI_ERR_OTHER, MPIX_Delete_error_code(class), "a class, as a code");
  is(MPI_SUCCESS, MPIX_Delete_error_code(code), "a code");
  is(MPI_ERR_OTHER, MPIX_Delete_error_code(code), "a code that is gone");
  is(MPI_ERR_ARG, MPI_Add_error_string(code, "again"), "a string of a code that is gone");
  is(MPI_ERR_UNKNOWN, code, "the class of a code that is gone");
  is(MPI_ERR_ARG, other, "the class of another code");
  is(MPI_SUCCESS, MPIX_Delete_error_class(class), "a class");
  is(MPI_ERR_OTHER, MPIX_Delete_error_class(class), "a class that is gone");
  expect(last_code() == other, "the last code", last_code());
  is(MPI_SUCCESS, MPIX_Delete_error_code(other), "another code");
  expect(last_code() == before, "the last code", last_code());
}

int main(int argc, char** argv) {
  begin(&argc, &argv);
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  devices();
  removed_errors();
  MPI_Barrier(MPI_COMM_WORLD);
  say("end: %d wrong", wrong);
  MPI_Finalize();
  return 0;
}
