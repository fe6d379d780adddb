// C++: MPICH's library for it throws errors, and calls a program's handlers once for each.
#include <mpi.h>

#include "check.h"

namespace {

int told = 0;
void of_communicator(MPI::Comm&, int*, ...) { ++told; }
void of_file(MPI::File&, int*, ...) { ++told; }
void of_window(MPI::Win&, int*, ...) { ++told; }

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
template <class Call>
void counted(const char* what, Call call) {
  told = 0;
  const bool failed = call() != MPI_SUCCESS;
  say("%s: told %d times%s", what, told, failed ? ", and returned" : "");
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

void count_them(MPI::Win& window, MPI::File& file, MPI::Intracomm& own) {
  int x = 0;
  MPI::Errhandler comms = MPI::Comm::Create_errhandler(of_communicator),
                  files = MPI::File::Create_errhandler(of_file),
                  windows = MPI::Win::Create_errhandler(of_window);
  own.Set_errhandler(comms);
  window.Set_errhandler(windows);
  file.Set_errhandler(files);
  MPI::FILE_NULL.Set_errhandler(files);
  MPI::COMM_WORLD.Set_errhandler(comms);
  counted("send", [&] { return own.Send(&x, 1, MPI::INT, nobody(), 0), 0; });
  counted("put", [&] { return window.Put(&x, 1, MPI::INT, nobody(), 0, 1, MPI::INT), 0; });
  counted("write", [&] { return file.Write(&x, 1, MPI::INT), 0; });
  counted("open", [] {
    return MPI::File::Open(MPI::COMM_SELF, kNoFile, MPI::MODE_RDONLY, MPI::INFO_NULL), 0;
  });
  counted("type", [] { return MPI::DOUBLE.Create_vector(-1, 1, 1), 0; });
  counted("call", [&] { return own.Call_errhandler(MPI_ERR_RANK), 0; });
  // And so where C has called.
  counted("send of C", [&] { return MPI_Send(&x, 1, MPI_INT, nobody(), 0, own); });
  counted("put of C", [&] { return MPI_Put(&x, 1, MPI_INT, nobody(), 0, 1, MPI_INT, window); });
  counted("write of C", [&] { return MPI_File_write(file, &x, 1, MPI_INT, MPI_STATUS_IGNORE); });
  counted("open of C", [] {
    MPI_File none;
    return MPI_File_open(MPI_COMM_SELF, kNoFile, MPI_MODE_RDONLY, MPI_INFO_NULL, &none);
  });
  counted("call of C", [&] { return MPI_Comm_call_errhandler(own, MPI_ERR_RANK); });
  counted("start of C", [] { return MPI_Startall(-1, nullptr); });
  counted("start of C", [] { return MPI_Startall(1, nullptr); });
  comms.Free();
  files.Free();
  windows.Free();
}

}  // namespace

int main(int argc, char** argv) {
  begin(&argc, &argv);
  int memory[4] = {0};
  MPI::Intracomm own = MPI::COMM_WORLD.Dup();
  MPI::Win window = MPI::Win::Create(memory, sizeof memory, sizeof(int), MPI::INFO_NULL, own);
  MPI::File file = MPI::File::Open(MPI::COMM_SELF, argv[0], MPI::MODE_RDONLY, MPI::INFO_NULL);
  throw_them(window, file, own);
  count_them(window, file, own);
  file.Close();
  window.Free();
  own.Free();
  MPI_Finalize();
  return 0;
}
