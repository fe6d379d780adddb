#include "mpi/image/module_set.h"

#include <dlfcn.h>

#include <algorithm>

#include "base/text.h"
#include "mpi/image/checks.h"
#include "mpi/image/library_paths.h"
#include "mpi/image/refusal.h"

namespace roam::mpi {
namespace {

bool lists(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string_view last_part(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

bool LibraryRule::is_shared(std::string_view name) const {
  name = last_part(name);
  if (lists(made_private, name)) return false;
  return lists(made_shared, name) ||
         std::find(std::begin(kProcessLibraries), std::end(kProcessLibraries), name) !=
             std::end(kProcessLibraries);
}

ModuleSet::ModuleSet(const std::string& program, const LibraryRule& rule) : rule_(rule) {
  for (const std::string& name : rule.made_private) {
    if (std::find(std::begin(kProcessLibraries), std::end(kProcessLibraries), name) !=
        std::end(kProcessLibraries)) {
      throw Refusal(text("--private=%s: that library belongs to the process, and cannot be private",
                         name.c_str()));
    }
  }
  add_file(std::make_unique<ElfFile>(program), 0);
  check_program(*files_[0]);
  for (const std::string& name : rule.preloaded) add_needed(0, name);
  for (std::size_t i = 0; i < files_.size(); ++i) {
    for (const std::string_view needed : files_[i]->needed()) add_needed(i, std::string(needed));
  }
  std::vector<bool> seen(count());
  for (std::size_t i = count(); i-- != 0;) {
    if (!seen[i]) order_from(i, &seen);
  }
}

void ModuleSet::add_needed(std::size_t by, const std::string& name) {
  const ElfFile& needs = *files_[by];
  const auto load_shared = [&](const std::string& path) {
    if (dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr)
      needs.refuse(text("the shared library %s cannot be loaded: %s", name.c_str(), dlerror()));
  };
  if (rule_.is_shared(name)) {
    // What the process has already is taken, whatever folders the program names.
    if (dlopen(name.c_str(), RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD) != nullptr)
      return note_shared(last_part(name), name);
    std::string path =
        LibraryRule().is_shared(name) ? std::string() : library_path(name, chain_of(by));
    if (path.empty()) path = name;
    load_shared(path);
    return note_shared(last_part(name), path);
  }
  if (index_of(name) != count()) return;
  check_private_name(needs, last_part(name));
  const std::string path = library_path(name, chain_of(by));
  if (path.empty()) {
    needs.refuse(
        text("it needs %s, which is not found. Set LD_LIBRARY_PATH to where it is", name.c_str()));
  }
  auto file = std::make_unique<ElfFile>(path);
  const std::string_view own_name = file->text_of(DT_SONAME);
  if (!own_name.empty() && rule_.is_shared(own_name)) {
    load_shared(path);
    return note_shared(own_name, path);
  }
  const auto same = std::find_if(files_.begin() + 1, files_.end(),
                                 [&](const auto& other) { return other->is_same_file(*file); });
  names_[name] = static_cast<std::size_t>(same - files_.begin());
  if (same != files_.end()) return;
  if (!own_name.empty()) names_.emplace(own_name, count());
  check_private_library(*file);
  add_file(std::move(file), by);
}

void ModuleSet::add_file(std::unique_ptr<ElfFile> file, std::size_t by) {
  look_ups_.push_back({count(), {}, {}});
  files_.push_back(std::move(file));
  needed_by_.push_back(by);
}

void ModuleSet::note_shared(std::string_view name, const std::string& path) {
  const bool known = std::any_of(look_ups_.begin(), look_ups_.end(),
                                 [&](const LookUp& l) { return l.shared == name; });
  if (!known) look_ups_.push_back({0, std::string(name), path});
}

std::vector<const ElfFile*> ModuleSet::chain_of(std::size_t i) const {
  std::vector<const ElfFile*> chain;
  for (; i != 0; i = needed_by_[i]) chain.push_back(files_[i].get());
  chain.push_back(files_[0].get());
  return chain;
}

std::size_t ModuleSet::index_of(std::string_view name) const {
  const auto found = names_.find(name);
  return found != names_.end() ? found->second : count();
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
