#ifndef ROAM_MPI_CALLS_FILES_H_
#define ROAM_MPI_CALLS_FILES_H_

#include <mpi.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace roam::mpi {

struct File;

// The files that a virtual rank has open. A program has their addresses as handles, and numbers
// from 1 on in Fortran.
class Files {
 public:
  Files();
  ~Files();

  // Null: it is none, or was closed.
  File* find(MPI_File handle) const;
  File* find_number(int number) const;
  int number_of(MPI_File handle) const;  // 0: none
  File* add(std::unique_ptr<File> file);
  void remove(const File* file);
  // By number; null: it was closed.
  const std::vector<std::unique_ptr<File>>& all() const { return files_; }

  MPI_Errhandler errhandler = MPI_ERRORS_RETURN;  // of those that are opened
  std::set<std::string> representations;          // that the program has registered

 private:
  std::vector<std::unique_ptr<File>> files_;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_FILES_H_
