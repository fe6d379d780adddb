#include "mpi/image/image.h"

#include <sysexits.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/check.h"
#include "base/text.h"
#include "isomalloc/file_cover.h"
#include "mpi/image/entry.h"
#include "mpi/image/refusal.h"
#include "mpi/image/reserve.h"
#include "mpi/image/traces.h"
#include "roam/error.h"
#include "threads/kernel_state.h"

namespace roam::mpi {
namespace {

// Each process has its own, of the same files.
const Layout* the_layout = nullptr;
// Whose thread-locals are in the reserve. They stay there until another image's take their place or
// the thread leaves.
Image* resident = nullptr;

// So large that the thread's heap gives the block address space of its own, which pages of a file
// may cover.
constexpr std::size_t kLeastBlock = 64 << 10;

// So that the launcher gets whole lines, whichever virtual ranks share the process. MPICH's
// MPI_Init leaves stdout without a buffer, of which setvbuf makes a line of one byte unless it is
// given one.
bool have_whole_lines() {
  static char buffer[BUFSIZ];
  return std::setvbuf(stdout, buffer, _IOLBF, sizeof buffer) == 0;
}

}  // namespace

void set_layout(const Layout* layout) { the_layout = layout; }

Image* Image::running() { return resident; }

std::string Image::no_room(int error) {
  return text(
      "the code of the program cannot be mapped: %s. The process has as many mappings as "
      "vm.max_map_count allows, of which an image takes two for the program and two for each "
      "private library: run it on more ranks, or raise the limit (sysctl -w "
      "vm.max_map_count=1000000)",
      std::strerror(error));
}

const Layout& Image::layout() const { return *the_layout; }

// Where its modules are described in this process.
void Image::find_layouts() {
  for (std::size_t i = 0; i < modules_.size(); ++i) {
    Module& m = modules_[i];
    if (m.bytes == 0) continue;
    if (i < the_layout->modules().size()) {
      m.layout = &the_layout->modules()[i];
      continue;
    }
    try {
      const PluginFile& file = plugin_file(m.path, m.digest);
      hold_plugin(file);
      m.layout = &file.segments;
    } catch (const Refusal& refusal) {
      fatal("a virtual rank comes here with a library that it has opened: %s", refusal.what());
    }
  }
}

// Those that the program has opened, whose code is not mapped any more.
void Image::release_plugins(Release why) {
  for (std::size_t i = the_layout->modules().size(); i < modules_.size(); ++i)
    release_plugin_of(i, why);
}

void Image::release_plugin_of(std::size_t i, Release why) {
  if (modules_[i].layout != nullptr) release_plugin(modules_[i].layout, why);
  modules_[i].layout = nullptr;
}

Image::Image(const Layout& layout, const std::vector<std::string>& arguments,
             const std::vector<std::string>& environment, int number, int process_number)
    : process_number_(process_number),
      modules_(layout.modules().size()),
      thread_locals_(layout.thread_local_bytes()),
      argument_texts_(arguments),
      environment_(environment),
      standard_input_(number == 0),
      alarm_(number) {
  for (std::string& argument : argument_texts_) arguments_.push_back(argument.data());
  arguments_.push_back(nullptr);
  try {
    for (std::size_t i = 0; i < modules_.size(); ++i) {
      make_room(layout.modules()[i], &modules_[i]);
      copy_data(layout.modules()[i], modules_[i]);
    }
    find_layouts();
    for (std::size_t i = 0; i < modules_.size(); ++i) add_begins(layout.modules()[i], modules_[i]);
    copy_thread_locals();
    if (!cover_texts()) throw Error(Errc::out_of_memory, no_room(errno));
  } catch (...) {
    for (const Module& m : modules_) std::free(m.block);
    throw;
  }
  watch_exits_of_process();
  finish();
}

void Image::make_room(const ModuleLayout& m, Module* to) {
  to->block = std::calloc(1, std::max(m.bytes + m.alignment, kLeastBlock));
  if (to->block == nullptr) throw std::bad_alloc();
  to->begin = round_up(reinterpret_cast<Address>(to->block), m.alignment);
  to->bytes = m.bytes;
  to->thread_locals_below = m.thread_locals.below;
}

void Image::copy_data(const ModuleLayout& m, const Module& to) {
  for (const ModuleLayout::Data& d : m.datas)
    std::memcpy(reinterpret_cast<void*>(to.begin + d.offset), d.bytes.data(), d.bytes.size());
}

void Image::add_begins(const ModuleLayout& m, const Module& to) {
  for (std::size_t i = 0; i < m.add_begin.size(); ++i) {
    const bool own = i + 1 == m.add_begin.size();
    const Address begin = own ? begin_of(Layout::kOwnVariables) : modules_[i].begin;
    for (const std::uint32_t offset : m.add_begin[i])
      *reinterpret_cast<Address*>(to.begin + offset) += begin;
  }
}

// As they are at first: their pointers have been relocated where they are stored.
void Image::copy_thread_locals() {
  for (std::size_t i = 0; i < modules_.size(); ++i) {
    const ModuleLayout::ThreadLocals& t = layout().modules()[i].thread_locals;
    if (t.stored != 0) {
      std::memcpy(thread_locals_.data() + thread_locals_.size() - t.below,
                  at<const void*>(i, t.offset), t.stored);
    }
  }
}

// What runs code of the program, which finds its place as any code of it does.
void Image::finish() {
  trace_crashes(layout().set().program());
  threads::KernelState::set_guest(this);
  enter();
  begin_libc_variables();
  for (std::size_t i = 0; i < modules_.size(); ++i) choose(layout().modules()[i], i);
  copy_variables();
  standard_streams_.find_copies(layout().modules()[0], begin_of(0));
}

void Image::choose(const ModuleLayout& m, std::size_t i) {
  const ModuleLayout::ThreadLocals& t = m.thread_locals;
  for (const ModuleLayout::Chosen& c : m.chosen) {
    const Address chosen = at<Address (*)()>(c.module, c.function)();
    *at<Address*>(i, c.offset) = chosen;
    // What a thread_local variable is at first, of which there is a copy already.
    if (c.offset >= t.offset && c.offset + sizeof chosen <= t.offset + t.stored)
      std::memcpy(thread_locals_of(i) + (c.offset - t.offset), &chosen, sizeof chosen);
  }
}

void Image::copy_variables() {
  for (std::size_t i = 0; i < modules_.size(); ++i) {
    for (const ModuleLayout::Copy& c : layout().modules()[i].copies) {
      const void* source = c.module == Layout::kProcess ? reinterpret_cast<const void*>(c.source)
                                                        : at<const void*>(c.module, c.source);
      std::memcpy(at<void*>(i, c.offset), source, c.bytes);
    }
  }
}

// As libc has them when a process begins.
void Image::begin_libc_variables() {
  static char greenwich[] = "GMT";  // at one address in all processes
  char* const name = arguments_[0];
  char* const slash = name != nullptr ? std::strrchr(name, '/') : nullptr;
  environment_.put_at(&variable<char**>(LibcVariable::kEnvironment));
  begin_variable(LibcVariable::kOptionIndex, 1);
  begin_variable(LibcVariable::kOptionPrint, 1);
  begin_variable(LibcVariable::kOptionWrong, int{'?'});
  begin_variable(LibcVariable::kProgramName, name);
  begin_variable(LibcVariable::kProgramShortName, slash != nullptr ? slash + 1 : name);
  begin_variable(LibcVariable::kZoneNames, std::array<char*, 2>{greenwich, greenwich});
  begin_variable(LibcVariable::kArgpExitStatus, int{EX_USAGE});
  options_.put_at(
      &variable<char*>(LibcVariable::kOptionArgument), &variable<int>(LibcVariable::kOptionIndex),
      &variable<int>(LibcVariable::kOptionPrint), &variable<int>(LibcVariable::kOptionWrong));
}

Image::~Image() {
  streams_.close_all();  // while the memory is there that streams were given
  working_place_.depart();
  threads::KernelState::set_guest(nullptr);
  if (resident == this) {
    PendingLine::drop();
    LocaleState::leave();
    SignalActions::leave();
    resident = nullptr;
  }
  if (covered_) uncover_texts(modules_.size());
  release_plugins(Release::kHasNoMore);
  for (const Module& m : modules_) std::free(m.block);
}

std::size_t Image::module_of(const void* address) const {
  std::size_t i = 0;
  while (i < modules_.size() && !Range{modules_[i].begin, modules_[i].bytes}.contains(address)) ++i;
  return i;
}

bool Image::is_of_file(const void* address) const {
  const std::size_t i = module_of(address);
  if (i == modules_.size()) return false;
  const Address offset = reinterpret_cast<Address>(address) - modules_[i].begin;
  for (const ModuleLayout::Text& t : module(i).texts) {
    if (offset - t.offset < t.bytes) return true;
  }
  return false;
}

// ---- what the process has of it while its thread is there ----

bool Image::cover_texts() {
  [[maybe_unused]] static const bool once = have_whole_lines();
  for (std::size_t i = 0; i < modules_.size(); ++i) {
    if (!has_module(i) || cover_text(i)) continue;
    const int error = errno;
    uncover_texts(i);
    errno = error;
    return false;
  }
  covered_ = true;
  return true;
}

bool Image::cover_text(std::size_t i) {
  const ModuleLayout& m = module(i);
  ROAM_CHECK(!m.file->has_changed(),
             "%s was written to or cut off while it runs, so its code is not what the virtual rank "
             "began with. Put a new build in its place by renaming it, and run it again",
             m.file->path().c_str());
  for (std::size_t n = 0; n < m.texts.size(); ++n) {
    const ModuleLayout::Text& t = m.texts[n];
    if (iso::cover(Range{begin_of(i) + t.offset, t.bytes}, m.file->fd(), t.file_offset)) continue;
    const int error = errno;
    while (n-- != 0) iso::uncover(Range{begin_of(i) + m.texts[n].offset, m.texts[n].bytes});
    errno = error;
    return false;
  }
  modules_[i].covered = true;
  return true;
}

void Image::uncover_text(std::size_t i) {
  if (!modules_[i].covered) return;
  modules_[i].covered = false;
  for (const ModuleLayout::Text& t : module(i).texts)
    iso::uncover(Range{begin_of(i) + t.offset, t.bytes});
}

void Image::uncover_texts(std::size_t modules) {
  for (std::size_t i = 0; i < modules; ++i) uncover_text(i);
  covered_ = false;
}

void Image::save_thread_locals() {
  std::memcpy(thread_locals_.data(), reserve_end() - thread_locals_.size(), thread_locals_.size());
}

void Image::enter() {
  if (!covered_) [[unlikely]] {
    find_layouts();
    libraries_.arrive();
    locale_.arrive();
    alarm_.arrive();
    ROAM_CHECK(cover_texts(), "%s", no_room(errno).c_str());
    // This process may be one where no image was made.
    trace_crashes(layout().set().program());
    watch_exits_of_process();
  }
  if (resident == this) return;
  working_place_.enter();
  if (resident != nullptr) {
    resident->save_thread_locals();
    resident->line_.put_aside();
    resident->standard_streams_.look();
  }
  std::memcpy(reserve_end() - thread_locals_.size(), thread_locals_.data(), thread_locals_.size());
  line_.put_back();
  locale_.enter();
  signal_actions_.enter();
  resident = this;
  standard_streams_.tell();
}

void Image::depart() {
  working_place_.depart();
  alarm_.depart();
  if (resident == this) {
    standard_streams_.look();
    save_thread_locals();
    line_.put_aside();
    LocaleState::leave();
    SignalActions::leave();
    resident = nullptr;
  }
  // Neither, if it is sent on before it has run here.
  if (covered_) uncover_texts(modules_.size());
  release_plugins(Release::kLeaves);
}

}  // namespace roam::mpi
