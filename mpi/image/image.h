#ifndef ROAM_MPI_IMAGE_IMAGE_H_
#define ROAM_MPI_IMAGE_IMAGE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/range.h"
#include "mpi/image/alarm.h"
#include "mpi/image/children.h"
#include "mpi/image/descriptors.h"
#include "mpi/image/environment.h"
#include "mpi/image/exits.h"
#include "mpi/image/keys.h"
#include "mpi/image/layout.h"
#include "mpi/image/libc_answers.h"
#include "mpi/image/libc_state.h"
#include "mpi/image/libraries.h"
#include "mpi/image/locale_state.h"
#include "mpi/image/options.h"
#include "mpi/image/pending_line.h"
#include "mpi/image/plugin_files.h"
#include "mpi/image/signal_actions.h"
#include "mpi/image/standard_input.h"
#include "mpi/image/standard_streams.h"
#include "mpi/image/streams.h"
#include "mpi/image/working_place.h"
#include "threads/guest.h"

namespace roam::mpi {

// A program laid once, for one virtual rank: variables of the program and of its private libraries,
// and what of a process it has for itself. All of it lies in the heap of the thread that made it
// and goes where that goes; the code between the variables is pages of the files, laid by the
// process in which the thread is.
//
//   block of the thread's heap, a module each
//   | head | code and constants (pages of the file) | .data | .bss |
class Image final : public threads::Guest {
 public:
  // Lays an image and makes it the calling thread's, until it is destroyed by that thread. At most
  // one lives in a thread. Context: threads of Roam.
  // Errors: std::bad_alloc; Error(out_of_memory): the process has no room for more mappings.
  // `number` is the virtual rank's, from 0 on; `process_number` what getpid gives (launch.h).
  Image(const Layout& layout, const std::vector<std::string>& arguments,
        const std::vector<std::string>& environment, int number, int process_number);
  ~Image();
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;

  // That of the thread that runs, if it runs code of the program; else the last one's of which that
  // is so, or null.
  static Image* running();

  // Or of the variables of libc (Layout::kOwnVariables).
  Address begin_of(std::size_t module) const {
    return module < modules_.size() ? modules_[module].begin
                                    : reinterpret_cast<Address>(own_variables_);
  }
  // Numbers of modules are below it; those of layout() come first, then libraries that the program
  // has opened. What was closed leaves its number to others.
  std::size_t module_count() const { return modules_.size(); }
  bool has_module(std::size_t i) const { return modules_[i].bytes != 0; }
  const ModuleLayout& module(std::size_t i) const { return *modules_[i].layout; }
  // Where its thread_local variables begin, of this thread.
  char* thread_locals_of(std::size_t i) const;

  // Makes room for a library that the program opens: a number, memory and thread-locals. Errors:
  // std::bad_alloc; Refusal.
  std::size_t add_module(const PluginFile& file);
  // The modules of that library and others, by number, for Layout::Extension: `fresh` ones whole.
  std::vector<ModuleLayout> modules_to_extend(const std::vector<std::size_t>& fresh) const;
  // Puts in what was relocated. Errors: Error(out_of_memory), as when an image is made.
  void lay(const Layout& extension, const std::vector<std::size_t>& fresh);
  void remove_module(std::size_t i);

  // The function or object at `offset` of a module.
  template <class T>
  T at(std::size_t module, std::uint64_t offset) const {
    return reinterpret_cast<T>(begin_of(module) + offset);
  }
  // The module whose code has the address; its number, or module_count().
  std::size_t module_of(const void* address) const;
  // Whether that is code or a constant: pages of a file, which other ranks do not see.
  bool is_of_file(const void* address) const;
  const Layout& layout() const;  // of the program
  Libraries& libraries() { return libraries_; }
  LocaleState& locale() { return locale_; }
  SignalActions& signal_actions() { return signal_actions_; }
  Alarm& alarm() { return alarm_; }
  // Before it ends, and now and then: whether it has redirected them.
  void look_at_standard_streams() {
    standard_streams_.look();
    standard_streams_.tell();
  }

  template <class T>
  T& variable(LibcVariable v) const {
    const Layout::Variable& place = layout().variable(v);
    return *at<T*>(place.module, place.offset);
  }

  int process_number() const { return process_number_; }
  int argument_count() const { return static_cast<int>(arguments_.size()) - 1; }
  char** arguments() { return arguments_.data(); }
  Environment& environment() { return environment_; }
  Exits& exits() { return exits_; }
  LibcState& libc_state() { return libc_state_; }
  // Made at the first use.
  LibcAnswers& libc_answers() {
    if (libc_answers_ == nullptr) libc_answers_ = std::make_unique<LibcAnswers>();
    return *libc_answers_;
  }
  Descriptors& descriptors() { return descriptors_; }
  Children& children() { return children_; }
  StandardInput& standard_input() { return standard_input_; }
  Streams& streams() { return streams_; }
  WorkingPlace& working_place() { return working_place_; }
  Keys& keys() { return keys_; }
  Options& options() { return options_; }

  // Where main is left: see entry.cc.
  void* leave[5] = {};
  int status = 0;
  // Of libraries(), for debuggers.
  link_map* maps = nullptr;
  // What whoever runs the program keeps of this virtual rank, in its thread's memory.
  void* attached = nullptr;
  // Of that the call of MPI that it is in, "" where it is in none; null: there is no MPI.
  const char* const* call = nullptr;
  bool in_main = false;

  void enter() override;
  void depart() override;
  // In a call of MPI, functions of the program are called that know the process's memory.
  bool may_leave_asleep() const override { return in_main && (call == nullptr || **call == 0); }
  // Where it comes to asleep, nobody looks at its alarm before it runs.
  std::int64_t runs_by_ns() override { return alarm_.deadline_ns(); }

 private:
  struct Module {
    void* block = nullptr;  // of the thread's heap
    Address begin = 0;
    std::size_t bytes = 0;  // 0: none has this number
    // Of this process; of a library that was opened, while it is here.
    const ModuleLayout* layout = nullptr;
    std::size_t thread_locals_below = 0;
    std::string path;  // of a library that was opened
    std::uint64_t digest = 0;
    bool covered = false;
  };
  static std::string no_room(int error);
  void find_layouts();
  void release_plugins(Release why);
  void release_plugin_of(std::size_t i, Release why);
  static void make_room(const ModuleLayout& m, Module* to);
  std::size_t room_for_thread_locals(const ModuleLayout::ThreadLocals& t) const;
  void fit_thread_locals();
  static void copy_data(const ModuleLayout& m, const Module& to);
  void add_begins(const ModuleLayout& m, const Module& to);
  void copy_thread_locals();
  void finish();
  void choose(const ModuleLayout& m, std::size_t i);
  void copy_variables();
  void begin_libc_variables();
  template <class T>
  void begin_variable(LibcVariable v, T value) {
    if (layout().variable(v).fresh) variable<T>(v) = value;
  }
  bool cover_texts();
  bool cover_text(std::size_t i);
  void uncover_text(std::size_t i);
  void uncover_texts(std::size_t modules);
  void save_thread_locals();

  const int process_number_;
  std::vector<Module> modules_;
  std::vector<char> thread_locals_;  // up to the thread pointer, while another image's are there
  bool covered_ = false;
  std::vector<std::string> argument_texts_;
  std::vector<char*> arguments_;  // and a null
  alignas(16) char own_variables_[kLibcVariables * kLibcVariableBytes] = {};
  Environment environment_;
  Exits exits_;
  LibcState libc_state_;
  std::unique_ptr<LibcAnswers> libc_answers_;
  Descriptors descriptors_;
  Children children_;
  StandardInput standard_input_;
  Streams streams_{&descriptors_};
  WorkingPlace working_place_;
  Keys keys_;
  Options options_;
  Libraries libraries_{this};
  LocaleState locale_;
  SignalActions signal_actions_;
  Alarm alarm_;
  PendingLine line_;
  StandardStreams standard_streams_;
};

// The layout that all images of this process follow; set once, before the first.
void set_layout(const Layout* layout);

}  // namespace roam::mpi

#endif  // ROAM_MPI_IMAGE_IMAGE_H_
