// What an image gets and loses while its program runs: libraries that it opens.

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/text.h"
#include "isomalloc/file_cover.h"
#include "mpi/image/image.h"
#include "mpi/image/refusal.h"
#include "mpi/image/reserve.h"
#include "roam/error.h"

namespace roam::mpi {

char* Image::thread_locals_of(std::size_t i) const {
  return reserve_end() - modules_[i].thread_locals_below;
}

// The first gap, from the thread pointer down, that is large enough.
std::size_t Image::room_for_thread_locals(const ModuleLayout::ThreadLocals& t) const {
  if (t.bytes == 0) return 0;
  std::size_t below = round_up(t.bytes, t.alignment);
  const auto taken = [&](const Module& m) {
    return m.bytes != 0 && m.layout->thread_locals.bytes != 0 && m.thread_locals_below > 0 &&
           below > m.thread_locals_below - m.layout->thread_locals.bytes &&
           m.thread_locals_below > below - t.bytes;
  };
  for (;;) {
    const auto other = std::find_if(modules_.begin(), modules_.end(), taken);
    if (other == modules_.end()) break;
    below = round_up(other->thread_locals_below + t.bytes, t.alignment);
  }
  if (below > kReserveBytes) {
    throw Refusal(
        text("it has %zu bytes of thread_local variables, and with the program and what else it "
             "has opened at most %zu are supported. Put large ones on the heap",
             t.bytes, kReserveBytes));
  }
  return below;
}

void Image::fit_thread_locals() {
  std::size_t bytes = 0;
  for (const Module& m : modules_) {
    if (m.bytes != 0 && m.layout->thread_locals.bytes != 0)
      bytes = std::max(bytes, m.thread_locals_below);
  }
  thread_locals_.resize(bytes);
}

std::size_t Image::add_module(const PluginFile& file) {
  const auto free = std::find_if(modules_.begin() + layout().modules().size(), modules_.end(),
                                 [](const Module& m) { return m.bytes == 0; });
  const auto i = static_cast<std::size_t>(free - modules_.begin());
  Module made;
  made.path = file.file.path();
  made.digest = file.digest;
  try {
    const std::size_t below = room_for_thread_locals(file.segments.thread_locals);
    make_room(file.segments, &made);
    made.thread_locals_below = below;
  } catch (const Refusal& refusal) {
    file.file.refuse(refusal.what());
  }
  made.layout = &file.segments;
  hold_plugin(file);
  try {
    if (i == modules_.size()) modules_.emplace_back();
    modules_[i] = made;
    fit_thread_locals();
  } catch (...) {
    std::free(made.block);
    release_plugin(made.layout, Release::kHasNoMore);
    if (i < modules_.size()) modules_[i] = {};
    throw;
  }
  return i;
}

std::vector<ModuleLayout> Image::modules_to_extend(const std::vector<std::size_t>& fresh) const {
  std::vector<ModuleLayout> all(modules_.size());
  for (std::size_t i = 0; i < modules_.size(); ++i) {
    if (!has_module(i)) continue;
    if (std::find(fresh.begin(), fresh.end(), i) != fresh.end()) {
      all[i] = module(i);
    } else {
      all[i].file = module(i).file;
      all[i].bytes = module(i).bytes;
      all[i].thread_locals = module(i).thread_locals;
    }
    all[i].thread_locals.below = modules_[i].thread_locals_below;
  }
  return all;
}

void Image::lay(const Layout& extension, const std::vector<std::size_t>& fresh) {
  for (const std::size_t i : fresh) copy_data(extension.modules()[i], modules_[i]);
  for (const std::size_t i : fresh) add_begins(extension.modules()[i], modules_[i]);
  for (const std::size_t i : fresh) {
    const ModuleLayout::ThreadLocals& t = module(i).thread_locals;
    if (t.bytes != 0) std::memset(thread_locals_of(i), 0, t.bytes);
    if (t.stored != 0) std::memcpy(thread_locals_of(i), at<const void*>(i, t.offset), t.stored);
  }
  for (std::size_t n = 0; n < fresh.size(); ++n) {
    if (cover_text(fresh[n])) continue;
    const int error = errno;
    while (n-- != 0) uncover_text(fresh[n]);
    throw Error(Errc::out_of_memory, no_room(error));
  }
  for (const std::size_t i : fresh) choose(extension.modules()[i], i);
}

void Image::remove_module(std::size_t i) {
  uncover_text(i);
  release_plugin_of(i, Release::kHasNoMore);
  std::free(modules_[i].block);
  modules_[i] = {};
  while (modules_.back().bytes == 0) modules_.pop_back();
  fit_thread_locals();
}

}  // namespace roam::mpi
