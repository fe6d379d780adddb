#include "mpi/image/libraries.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "base/text.h"
#include "isomalloc/heap.h"
#include "mpi/image/checks.h"
#include "mpi/image/entry.h"
#include "mpi/image/image.h"
#include "mpi/image/library_paths.h"
#include "mpi/image/process_symbols.h"
#include "mpi/image/refusal.h"

namespace roam::mpi {
namespace {

bool contains(const std::vector<Library*>& list, const Library* library) {
  return std::find(list.begin(), list.end(), library) != list.end();
}

void add_once(std::vector<Library*>* list, Library* library) {
  if (!contains(*list, library)) list->push_back(library);
}

// In this process's heap, as all that this process keeps of files.
const PluginFile& file_at(const std::string& path) {
  const iso::HeapScope process;
  char* const whole = realpath(path.c_str(), nullptr);
  const std::string found = whole != nullptr ? whole : path;
  std::free(whole);
  return plugin_file(found);
}

std::vector<Layout::LookUp> look_ups_of(const std::vector<Library*>& scope, const Image& image) {
  std::vector<Layout::LookUp> look_ups;
  for (const Library* l : scope) {
    const ElfFile* file =
        l->is_of_process() ? process_library(l->name) : image.module(l->module).file;
    if (file != nullptr) look_ups.push_back({l->module, file});
  }
  return look_ups;
}

std::vector<std::size_t> numbers_of(const std::vector<Library*>& libraries) {
  std::vector<std::size_t> numbers;
  for (const Library* l : libraries) {
    if (!l->is_of_process()) numbers.push_back(l->module);
  }
  return numbers;
}

}  // namespace

Libraries::~Libraries() = default;

// ---- what there is ----

std::unique_ptr<Library> Libraries::made_for(std::size_t module, const std::string& name) {
  auto library = std::make_unique<Library>();
  const ElfFile& file = *image_.module(module).file;
  library->module = module;
  library->name = name;
  if (const std::string_view own = file.text_of(DT_SONAME); !own.empty() && module != 0)
    library->names.emplace_back(own);
  library->map.l_addr = image_.begin_of(module);
  if (const Elf64_Phdr* s = file.segment(PT_DYNAMIC); s != nullptr)
    library->map.l_ld = image_.at<ElfW(Dyn)*>(module, s->p_vaddr);
  return library;
}

Library* Libraries::add(std::unique_ptr<Library> library) {
  list_.push_back(std::move(library));
  ++added_;
  link_maps();
  return list_.back().get();
}

void Libraries::link_maps() {
  image_.maps = list_.empty() ? nullptr : &list_[0]->map;
  link_map* last = nullptr;
  for (const auto& library : list_) {
    link_map& map = library->map;
    map.l_name = library->name.data();
    map.l_prev = last;
    map.l_next = nullptr;
    if (last != nullptr) last->l_next = &map;
    last = &map;
  }
}

// The program's own at first.
void Libraries::make_base() {
  const ModuleSet& set = image_.layout().set();
  for (std::size_t i = 0; i < set.count(); ++i) {
    Library* made = add(made_for(i, i == 0 ? std::string() : set[i].path()));
    made->kept = made->global = true;
    made->root = list_[0].get();
  }
  for (const ModuleSet::LookUp& l : set.look_ups()) {
    if (l.is_shared()) {
      of_process_.push_back(std::make_unique<Library>());
      of_process_.back()->name = l.path;
      of_process_.back()->names = {l.shared};
      globals_.push_back(of_process_.back().get());
    } else {
      globals_.push_back(list_[l.module].get());
    }
  }
  for (std::size_t i = 0; i < set.count(); ++i) {
    for (const std::string_view name : set[i].needed()) {
      const std::size_t other = set.index_of(name);
      if (other != set.count()) {
        list_[other]->names.emplace_back(name);
        add_once(&list_[i]->needs, list_[other].get());
        continue;
      }
      const std::string_view last = name.substr(name.rfind('/') + 1);
      for (const auto& shared : of_process_) {
        if (shared->names[0] == last) add_once(&list_[i]->needs, shared.get());
      }
    }
  }
  for (const auto& library : list_) find_reach(library.get());
  list_[0]->reach = globals_;  // what is preloaded nobody needs
}

const std::vector<std::unique_ptr<Library>>& Libraries::list() {
  if (list_.empty()) make_base();
  return list_;
}

Library* Libraries::of_handle(void* handle) {
  for (const auto& library : list()) {
    if (library.get() == handle && (library->opens != 0 || library->kept)) return library.get();
  }
  throw Refusal(text("%p is no handle of a library that is open", handle));
}

Library* Libraries::at(const void* address) {
  const std::size_t module = image_.module_of(address);
  for (const auto& library : list()) {
    if (library->module == module) return library.get();
  }
  return nullptr;
}

void Libraries::keep(const void* address) {
  if (list_.empty()) return;  // nothing was opened
  if (Library* library = at(address); library != nullptr) library->kept = true;
}

// By a path no laid one is known: there may be another file by now.
Library* Libraries::known(const std::string& name) const {
  const bool is_path = name.find('/') != std::string::npos;
  for (const auto& library : list_) {
    if (is_path && !library->is_of_process()) continue;
    if (std::find(library->names.begin(), library->names.end(), name) != library->names.end())
      return library.get();
  }
  return nullptr;
}

std::string Libraries::path_of(const std::string& name, Library* by) const {
  std::vector<const ElfFile*> chain;
  for (const Library* l = by; l != nullptr; l = l->needed_by) {
    if (l->module < image_.layout().modules().size()) {
      chain = image_.layout().set().chain_of(l->module);
      break;
    }
    chain.push_back(image_.module(l->module).file);
  }
  if (chain.empty() || chain.back() != image_.module(0).file)
    chain.push_back(image_.module(0).file);
  return library_path(name, chain);
}

// ---- opening ----

Library* Libraries::open(const char* name, int mode, const void* caller) {
  list();
  if ((mode & (RTLD_LAZY | RTLD_NOW)) == 0) throw Refusal("invalid mode for dlopen()");
  if (name == nullptr || *name == '\0') {
    ++list_[0]->opens;
    return list_[0].get();
  }
  Library* by = at(caller);
  if (by == nullptr) by = list_[0].get();
  const std::string asked = name;
  Library* library = known(asked);
  if (library == nullptr && image_.layout().set().rule().is_shared(asked))
    library = of_process(asked, by);
  std::vector<Library*> fresh;
  if (library == nullptr) {
    const std::size_t before = list_.size();
    try {
      library = lay_new(asked, by, (mode & RTLD_NOLOAD) != 0 ? nullptr : &fresh);
      if (library == nullptr) return nullptr;
      if (!fresh.empty()) {
        library->needed_by = nullptr;
        for (std::size_t i = 0; i < fresh.size(); ++i) add_needs(fresh[i], &fresh);
        for (Library* l : fresh) find_reach(l);
        for (Library* l : fresh) l->root = library;
        relocate(library, fresh, (mode & RTLD_DEEPBIND) != 0);
      }
    } catch (...) {
      std::vector<Library*> half;
      for (std::size_t i = before; i < list_.size(); ++i) half.push_back(list_[i].get());
      remove(half);
      throw;
    }
  }
  ++library->opens;
  if ((mode & RTLD_NODELETE) != 0) library->kept = true;
  if ((mode & RTLD_GLOBAL) != 0) make_global(library);
  begin(fresh);
  return library;
}

void Libraries::make_global(Library* root) {
  for (Library* l : root->reach) {
    if (l->global) continue;
    l->global = true;
    globals_.push_back(l);
  }
}

// One whose code all virtual ranks of the process share; where it is not loaded yet, it comes to
// lie as on other ranks.
Library* Libraries::of_process(const std::string& name, Library* by) {
  std::string where = name;
  if (dlopen(name.c_str(), RTLD_NOW | RTLD_NOLOAD) == nullptr) {
    if (!LibraryRule().is_shared(name)) where = path_of(name, by);
    if (where.empty()) where = name;
    if (dlopen(where.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) throw Refusal(dlerror());
  }
  auto library = std::make_unique<Library>();
  library->name = where;
  library->names = {name};
  library->kept = library->global = true;
  library->root = library.get();
  library->reach = {library.get()};
  return add(std::move(library));
}

// `fresh` null: only if it is there.
Library* Libraries::lay_new(const std::string& name, Library* by, std::vector<Library*>* fresh) {
  const ElfFile& asker = *image_.module(by->is_of_process() ? 0 : by->module).file;
  check_private_name(asker, std::string_view(name).substr(name.rfind('/') + 1));
  const std::string path = path_of(name, by);
  if (path.empty()) {
    throw Refusal(name +
                  ": cannot open shared object file: No such file or directory, or it is no "
                  "library of this machine");
  }
  const PluginFile& file = file_at(path);
  const std::string own_name(file.file.text_of(DT_SONAME));
  if (!own_name.empty() && image_.layout().set().rule().is_shared(own_name)) {
    Library* shared = known(own_name);
    return shared != nullptr ? shared : of_process(own_name, by);
  }
  for (const auto& library : list_) {
    if (library->is_of_process() || !image_.module(library->module).file->is_same_file(file.file))
      continue;
    // By a path none is known, so it may have been asked for by this one before.
    if (std::find(library->names.begin(), library->names.end(), name) == library->names.end())
      library->names.push_back(name);
    return library.get();
  }
  if (fresh == nullptr) return nullptr;
  if ((file.file.value(DT_FLAGS_1) & (DF_1_PIE | DF_1_NOOPEN)) != 0)
    file.file.refuse("it is a program, or does not want to be opened by dlopen");
  check_private_library(file.file);
  auto library = made_for(image_.add_module(file), path);
  library->names.push_back(name);
  library->needed_by = by;
  library->kept = (file.file.value(DT_FLAGS_1) & DF_1_NODELETE) != 0;
  fresh->push_back(library.get());
  return add(std::move(library));
}

void Libraries::add_needs(Library* library, std::vector<Library*>* fresh) {
  for (const std::string_view name : image_.module(library->module).file->needed()) {
    const std::string wanted(name);
    Library* found = known(wanted);
    if (found == nullptr) {
      found = image_.layout().set().rule().is_shared(wanted) ? of_process(wanted, library)
                                                             : lay_new(wanted, library, fresh);
    }
    add_once(&library->needs, found);
  }
}

void Libraries::find_reach(Library* library) {
  library->reach = {library};
  for (std::size_t i = 0; i < library->reach.size(); ++i) {
    for (Library* needed : library->reach[i]->needs) add_once(&library->reach, needed);
  }
}

void Libraries::relocate(Library* root, const std::vector<Library*>& fresh, bool own_first) {
  std::vector<Library*> scope = own_first ? root->reach : globals_;
  for (Library* l : own_first ? globals_ : root->reach) add_once(&scope, l);
  const std::vector<std::size_t> numbers = numbers_of(fresh);
  iso::Heap* const heap = iso::current_heap;
  const iso::HeapScope process;
  Layout::Extension extension;
  extension.modules = image_.modules_to_extend(numbers);
  extension.fresh = numbers;
  extension.scope = look_ups_of(scope, image_);
  extension.loaded = numbers_of(laid());
  const Layout layout(image_.layout(), &extension);
  {
    const iso::HeapScope own(heap);
    for (const auto& library : list_) {
      const std::vector<std::size_t>& kept = extension.kept;
      if (std::find(kept.begin(), kept.end(), library->module) != kept.end()) library->kept = true;
      if (library->is_of_process()) continue;
      for (Library* l : fresh) {
        const bool is_used = !layout.modules()[l->module].add_begin[library->module].empty();
        if (is_used && !contains(l->reach, library.get())) add_once(&l->uses, library.get());
      }
    }
  }
  const iso::HeapScope own(heap);
  image_.lay(layout, numbers);
}

void Libraries::begin(const std::vector<Library*>& fresh) {
  const std::vector<Library*> order = in_final_order(fresh);
  for (auto library = order.rbegin(); library != order.rend(); ++library) {
    if ((*library)->begun) continue;
    (*library)->begun = true;
    begin_module(&image_, (*library)->module);
  }
}

void Libraries::note_begun(std::size_t module) { list()[module]->begun = true; }

// ---- closing ----

// The dynamic linker's: who needs another comes before it, and else who came last, comes last.
std::vector<Library*> Libraries::in_final_order(const std::vector<Library*>& libraries) const {
  std::vector<Library*> seen, order;
  const auto visit = [&](const auto& self, Library* library) -> void {
    if (library->is_of_process() || contains(seen, library) || !contains(libraries, library))
      return;
    seen.push_back(library);
    for (Library* other : library->needs) self(self, other);
    for (Library* other : library->uses) self(self, other);
    order.push_back(library);
  };
  for (auto library = libraries.rbegin(); library != libraries.rend(); ++library)
    visit(visit, *library);
  std::reverse(order.begin(), order.end());
  return order;
}

std::vector<Library*> Libraries::laid() const {
  std::vector<Library*> libraries;
  for (const auto& library : list_) {
    if (!library->is_of_process()) libraries.push_back(library.get());
  }
  return libraries;
}

void Libraries::close(Library* library) {
  if (library->opens == 0) throw Refusal("shared object not open");
  --library->opens;
  ending_again_ = true;
  if (ending_) return;  // by a function that is called at the end of another
  ending_ = true;
  while (ending_again_) {
    ending_again_ = false;
    end_unused();
  }
  ending_ = false;
}

std::vector<Library*> Libraries::unused() const {
  std::vector<Library*> used;
  for (const auto& library : list_) {
    if (library->kept || library->opens != 0) used.push_back(library.get());
  }
  for (std::size_t i = 0; i < used.size(); ++i) {
    for (Library* other : used[i]->needs) add_once(&used, other);
    for (Library* other : std::vector<Library*>(used[i]->uses)) add_once(&used, other);
  }
  std::vector<Library*> others;
  for (const auto& library : list_) {
    if (!contains(used, library.get())) others.push_back(library.get());
  }
  return others;
}

void Libraries::end_unused() {
  for (Library* library : in_final_order(unused())) {
    if (!library->begun || library->ended) continue;
    library->ended = true;
    end_module(&image_, library->module);
  }
  // But for what has been opened again meanwhile, and what has become unused: its end comes next.
  std::vector<Library*> ended;
  for (Library* library : unused()) {
    if (library->ended || !library->begun) ended.push_back(library);
  }
  remove(ended);
}

void Libraries::end_all() {
  list();
  for (Library* library : in_final_order(laid())) {
    if (!library->begun || library->ended) continue;
    library->ended = true;
    end_module(&image_, library->module);
  }
}

void Libraries::remove(const std::vector<Library*>& libraries) {
  for (Library* library : libraries) {
    if (!library->is_of_process()) image_.remove_module(library->module);
    std::erase(globals_, library);
  }
  // Those that stay know no other from now on.
  for (const auto& library : list_) {
    if (contains(libraries, library->root)) library->root = library.get();
    if (contains(libraries, library->needed_by)) library->needed_by = nullptr;
  }
  removed_ +=
      std::erase_if(list_, [&](const auto& library) { return contains(libraries, library.get()); });
  link_maps();
}

void Libraries::arrive() const {
  for (const auto& library : list_) {
    if (!library->is_of_process() ||
        dlopen(library->name.c_str(), RTLD_NOW | RTLD_NOLOAD) != nullptr ||
        dlopen(library->name.c_str(), RTLD_NOW | RTLD_GLOBAL) != nullptr)
      continue;
    fatal("a virtual rank comes here with the library %s that it has opened, and here: %s",
          library->name.c_str(), dlerror());
  }
}

}  // namespace roam::mpi
