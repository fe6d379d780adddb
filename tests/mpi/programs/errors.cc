// C++: MPICH's library for it throws errors.
#include <mpi.h>

#include "check.h"

namespace {

// One more rank than there are.
int nobody() { return n; }
const char kNoFile[] = "/there/is/no/such/file";

template <class Call>
void thrown(const char* what, Call call) {
  try {
    call();
    say("%s: nothing is thrown", what);
  } catch (MPI::Exception& error) {
    say("%s: class %d is thrown", what, error.Get_error_class());
  }
}
void throw_them(MPI::Win& window, MPI::File& file, MPI::Intracomm& own) {
  int x = 0;
  own.Set_errhandler(MPI::ERRORS_THROW_EXCEPTIONS);
  window.Set_errhandler(MPI::ERRORS_THROW_EXCEPTIONS);
  file.Set_errhandler(MPI::ERRORS_THROW_EXCEPTIONS);
  MPI::FILE_NULL.Set_errhandler(MPI::ERRORS_THROW_EXCEPTIONS);
  MPI::COMM_WORLD.Set_errhandler(MPI::ERRORS_THROW_EXCEPTIONS);
  thrown("send", [&] { own.Send(&x, 1, MPI::INT, nobody(), 0); });
  thrown("put", [&] { window.Put(&x, 1, MPI::INT, nobody(), 0, 1, MPI::INT); });
  thrown("write", [&] { file.Write(&x, 1, MPI::INT); });
  thrown("open",
         [] { MPI::File::Open(MPI::COMM_SELF, kNoFile, MPI::MODE_RDONLY, MPI::INFO_NULL); });
  thrown("type", [] { MPI::DOUBLE.Create_vector(-1, 1, 1); });
  thrown("call", [&] { own.Call_errhandler(MPI_ERR_RANK); });
  // To C the codes are returned, and the handler is one that can be freed.
  MPI_Errhandler handler;
  MPI_Comm_get_errhandler(own, &handler);
  say("the same handler: %d", handler == MPI_Errhandler(MPI::ERRORS_THROW_EXCEPTIONS));
  say("freed: %d", MPI_Errhandler_free(&handler) == MPI_SUCCESS);
  say("send of C fails: %d", MPI_Send(&x, 1, MPI_INT, nobody(), 0, own) != MPI_SUCCESS);
}

}  // namespace

int main(int argc, char** argv) {
  begin(&argc, &argv);
  int memory[4] = {0};
  MPI::Intracomm own = MPI::COMM_WORLD.Dup();
  MPI::Win window = MPI::Win::Create(memory, sizeof memory, sizeof(int), MPI::INFO_NULL, own);
  MPI::File file = MPI::File::Open(MPI::COMM_SELF, argv[0], MPI::MODE_RDONLY, MPI::INFO_NULL);
  throw_them(window, file, own);
  file.Close();
  window.Free();
  own.Free();
  MPI_Finalize();
  return 0;
}
