#ifndef ROAM_MPI_IMAGE_LIBRARIES_H_
#define ROAM_MPI_IMAGE_LIBRARIES_H_

#include <link.h>

#include <memory>
#include <string>
#include <vector>

#include "mpi/image/layout.h"

namespace roam::mpi {

class Image;

// What dlopen gives: a library that is laid for the virtual rank, or one of the process. It begins
// with what programs find where libc's handle points to.
struct Library {
  link_map map{};
  std::string name;                // where it was found
  std::vector<std::string> names;  // by which it was asked for
  std::size_t module = Layout::kProcess;
  unsigned opens = 0;
  bool global = false;
  bool kept = false;  // to the end of the program
  bool begun = false, ended = false;
  Library* needed_by = nullptr;  // null: the program itself has opened it
  Library* root = nullptr;       // by whose opening it was laid
  std::vector<Library*> needs;   // by name
  std::vector<Library*> uses;    // whose definitions it has found besides
  std::vector<Library*> reach;   // itself and all that they need, as names are looked up

  bool is_of_process() const { return module == Layout::kProcess; }
};

// The libraries that a virtual rank sees: its program, the private libraries of that, what it has
// opened (plug-ins, private as well), and those of the process. They lie in its memory.
//
// Context: the virtual rank's thread. Errors: Refusal, if nothing else is said: what dlerror says.
class Libraries {
 public:
  explicit Libraries(Image* image) : image_(*image) {}
  ~Libraries();
  Libraries(const Libraries&) = delete;
  Libraries& operator=(const Libraries&) = delete;

  // As dlopen, of code at `caller`. Null: it is not there (RTLD_NOLOAD).
  Library* open(const char* name, int mode, const void* caller);
  // As dlclose: what nobody needs any more ends and is taken off.
  void close(Library* library);
  // The library that the handle is. Errors: Refusal: none.
  Library* of_handle(void* handle);
  // Whose code or variable lies there; null: none of the laid ones.
  Library* at(const void* address);

  // As dlsym and dlvsym; `version` is empty if none is wanted.
  void* find(void* handle, const char* name, const std::string& version, const void* caller);

  // All, in the order in which they came, and how many have come and gone.
  const std::vector<std::unique_ptr<Library>>& list();

  unsigned long long added() const { return added_; }
  unsigned long long removed() const { return removed_; }

  // What dlerror says, once; null: nothing.
  void fail(std::string why);
  void forget_error() { failed_ = false; }
  char* error();

  // Before main; and after it, what is open still.
  void note_begun(std::size_t module);
  // The one at `address` has asked for something at the end of its thread, so it stays.
  void keep(const void* address);
  void end_all();
  // The process has what this one opened of its libraries. Calls: the rank's kernel thread. Errors:
  // none; a message.
  void arrive() const;

 private:
  void make_base();
  std::unique_ptr<Library> made_for(std::size_t module, const std::string& name);
  Library* add(std::unique_ptr<Library> library);
  Library* known(const std::string& name) const;
  Library* of_process(const std::string& name, Library* by);
  Library* lay_new(const std::string& name, Library* by, std::vector<Library*>* fresh);
  std::string path_of(const std::string& name, Library* by) const;
  void add_needs(Library* library, std::vector<Library*>* fresh);
  static void find_reach(Library* library);
  void relocate(Library* root, const std::vector<Library*>& fresh, bool own_first);
  void make_global(Library* root);
  void begin(const std::vector<Library*>& fresh);
  void end_unused();
  std::vector<Library*> unused() const;
  void remove(const std::vector<Library*>& libraries);
  void link_maps();
  std::vector<Library*> in_final_order(const std::vector<Library*>& libraries) const;
  std::vector<Library*> laid() const;
  void* found_in(const std::vector<Library*>& scope, const std::string& name,
                 const std::string& version, Library** in = nullptr) const;
  Library* the_one(Library* library, std::uint32_t* symbol, const std::string& name,
                   const std::string& version) const;
  void* address_of(std::size_t module, std::uint32_t symbol) const;
  void* found_in_process(const Library* library, const std::string& name,
                         const std::string& version) const;

  Image& image_;
  std::vector<std::unique_ptr<Library>> list_;
  std::vector<std::unique_ptr<Library>> of_process_;  // that the program and its libraries need
  std::vector<Library*> globals_;
  bool ending_ = false, ending_again_ = false;
  unsigned long long added_ = 0, removed_ = 0;
  std::string error_, told_;
  bool failed_ = false;
};

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_LIBRARIES_H_
