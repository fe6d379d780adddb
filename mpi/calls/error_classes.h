#ifndef ROAM_MPI_CALLS_ERROR_CLASSES_H_
#define ROAM_MPI_CALLS_ERROR_CLASSES_H_

#include <string>
#include <vector>

namespace roam::mpi {

// Name of a class of the standard ("MPI_ERR_RANK"); null: it is none.
const char* name_of_error(int error_class);

// Classes and codes that a program adds to those of the standard (MPI_Add_error_class). Codes of
// errors here are their classes.
class OwnErrors {
 public:
  int add_class() { return add(-1); }
  int add_code(int error_class) { return add(error_class); }
  // False: it was not added here.
  bool set_text(int code, const std::string& text);
  // MPI_ERR_UNKNOWN: it is no code.
  int class_of(int code) const;
  std::string text_of(int code) const;
  int last() const;
  // False: it is no class, or no code of one, that was added here and is there still.
  bool remove_class(int error_class) { return remove(error_class, true); }
  bool remove_code(int code) { return remove(code, false); }

 private:
  struct Own {
    int error_class;  // itself, of a class; kGone
    std::string text;
  };
  static constexpr int kGone = -1;
  int add(int error_class);
  bool remove(int code, bool is_class);
  const Own* find(int code) const;
  std::vector<Own> own_;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_CALLS_ERROR_CLASSES_H_
