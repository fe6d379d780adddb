#include "mpi/image/module_set.h"

#include <dlfcn.h>

#include <algorithm>

#include "base/text.h"
#include "mpi/image/checks.h"
#include "mpi/image/library_paths.h"
#include "mpi/image/refusal.h"

namespace roam::mpi {
namespace {

constexpr std::string_view kShared[] = {
    "ld-linux-x86-64.so.2", "libanl.so.1",    "libc.so.6",    "libdl.so.2",
    "libgcc_s.so.1",        "libm.so.6",      "libmvec.so.1", "libpthread.so.0",
    "libquadmath.so.0",     "libresolv.so.2", "librt.so.1",   "libutil.so.1",
};

bool lists(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void load_shared(const ElfFile& by, const std::string& name) {
  if (dlopen(name.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr)
    by.refuse(text("the shared library %s cannot be loaded: %s", name.c_str(), dlerror()));
}

}  // namespace

bool LibraryRule::is_shared(std::string_view name) const {
  if (lists(made_private, name)) return false;
  return lists(made_shared, name) ||
         std::find(std::begin(kShared), std::end(kShared), name) != std::end(kShared);
}

ModuleSet::ModuleSet(const std::string& program, const LibraryRule& rule) {
  for (const std::string& name : rule.made_private) {
    if (std::find(std::begin(kShared), std::end(kShared), name) != std::end(kShared)) {
      throw Refusal(text("--private=%s: that library belongs to the process, and cannot be private",
                         name.c_str()));
    }
  }
  files_.push_back(std::make_unique<ElfFile>(program));
  names_.emplace_back(files_[0]->name());
  check_program(*files_[0]);
  for (std::size_t i = 0; i < files_.size(); ++i) {
    for (const std::string_view needed : files_[i]->needed()) {
      const std::string name(needed);
      if (rule.is_shared(name)) {
        load_shared(*files_[i], name);
        continue;
      }
      if (index_of(name) != count()) continue;
      check_private_name(*files_[i], name);
      const std::string path = library_path(name, *files_[i], *files_[0]);
      if (path.empty()) {
        files_[i]->refuse(text(
            "it needs %s, which is not found. Set LD_LIBRARY_PATH to where it is", name.c_str()));
      }
      files_.push_back(std::make_unique<ElfFile>(path));
      names_.push_back(name);
      check_private_library(*files_.back());
    }
  }
  std::vector<bool> seen(count());
  order_from(0, &seen);
}

std::size_t ModuleSet::index_of(std::string_view name) const {
  return static_cast<std::size_t>(std::find(names_.begin(), names_.end(), name) - names_.begin());
}

void ModuleSet::order_from(std::size_t i, std::vector<bool>* seen) {
  (*seen)[i] = true;
  for (const std::string_view needed : files_[i]->needed()) {
    const std::size_t other = index_of(needed);
    if (other != count() && !(*seen)[other]) order_from(other, seen);
  }
  initial_order_.push_back(i);
}

}  // namespace roam::mpi
