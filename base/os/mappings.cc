#include "base/os/mappings.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "base/text.h"

namespace roam::os {
namespace {

std::string whole_file(const char* path) {
  std::string content;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return content;
  char part[16 << 10];
  for (ssize_t n = 0; (n = read(fd, part, sizeof part)) > 0;)
    content.append(part, static_cast<std::size_t>(n));
  close(fd);
  return content;
}

// 7ffff7d8a000-7ffff7d8c000 rw-p 00000000 00:00 0    name
bool parse_mapping(const std::string& line, Mapping* mapping) {
  unsigned long begin = 0, end = 0;
  char access[5] = "";
  int name_at = 0;
  if (std::sscanf(line.c_str(), "%lx-%lx %4s %*s %*s %*s %n", &begin, &end, access, &name_at) < 3)
    return false;
  mapping->range = Range{begin, end - begin};
  mapping->writable = access[1] == 'w';
  mapping->shared = access[3] == 's';
  mapping->name = name_at > 0 ? line.substr(static_cast<std::size_t>(name_at)) : "";
  return true;
}

int add_module(dl_phdr_info* info, std::size_t, void* modules) {
  Module module;
  module.program = info->dlpi_name[0] == '\0';
  module.path = info->dlpi_name;
  if (module.program) {
    char path[4096];
    const ssize_t n = readlink("/proc/self/exe", path, sizeof path);
    module.path.assign(path, n > 0 ? static_cast<std::size_t>(n) : 0);
  }
  Range constants{};  // relocated, then made read-only, by whole pages
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    const Range range{info->dlpi_addr + header.p_vaddr, header.p_memsz};
    if (header.p_type == PT_LOAD) {
      module.segments.push_back(range);
      if ((header.p_flags & PF_W) != 0) {
        module.variables.push_back(range);
        module.stored.push_back({range.begin, header.p_filesz});
      }
    } else if (header.p_type == PT_GNU_RELRO) {
      constants.begin = range.begin;
      constants.bytes = round_down(range.end(), kPageBytes) - range.begin;
    } else if (header.p_type == PT_TLS && info->dlpi_tls_data != nullptr) {
      module.thread_local_data = {reinterpret_cast<Address>(info->dlpi_tls_data), header.p_memsz};
    }
  }
  for (Range& variables : module.variables) {
    if (!variables.contains(constants.begin)) continue;
    variables.bytes = variables.end() > constants.end() ? variables.end() - constants.end() : 0;
    variables.begin = constants.end();
  }
  static_cast<std::vector<Module>*>(modules)->push_back(std::move(module));
  return 0;
}

int read_changes(dl_phdr_info* info, std::size_t, void* changes) {
  *static_cast<unsigned long long*>(changes) = info->dlpi_adds + info->dlpi_subs;
  return 1;
}

}  // namespace

const char* Module::name() const {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? path.c_str() : path.c_str() + slash + 1;
}

std::vector<Mapping> mappings() {
  std::vector<Mapping> all;
  const std::string content = whole_file("/proc/self/maps");
  for (std::size_t at = 0; at < content.size();) {
    const std::size_t end = std::min(content.find('\n', at), content.size());
    Mapping next;
    if (parse_mapping(content.substr(at, end - at), &next)) {
      Mapping* last = all.empty() ? nullptr : &all.back();
      if (last != nullptr && last->range.end() == next.range.begin && last->name == next.name &&
          last->writable == next.writable && last->shared == next.shared) {
        last->range.bytes += next.range.bytes;
      } else {
        all.push_back(std::move(next));
      }
    }
    at = end + 1;
  }
  return all;
}

std::vector<Module> modules() {
  std::vector<Module> all;
  dl_iterate_phdr(add_module, &all);
  return all;
}

unsigned long long module_changes() {
  unsigned long long changes = 0;
  dl_iterate_phdr(read_changes, &changes);
  return changes;
}

bool copy_memory(Range from, void* to) {
  static const int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  return pread(fd, to, from.bytes, static_cast<off_t>(from.begin)) ==
         static_cast<ssize_t>(from.bytes);
}

std::string symbol_at(Address address) {
  Dl_info info{};
  const ElfW(Sym)* symbol = nullptr;
  if (dladdr1(reinterpret_cast<void*>(address), &info,
              reinterpret_cast<void**>(const_cast<ElfW(Sym)**>(&symbol)), RTLD_DL_SYMENT) == 0 ||
      info.dli_sname == nullptr || symbol == nullptr) {
    return {};
  }
  const Address offset = address - reinterpret_cast<Address>(info.dli_saddr);
  if (offset >= std::max<Address>(symbol->st_size, 1)) return {};
  int status = 0;
  char* plain = abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &status);
  std::string name = status == 0 ? plain : info.dli_sname;
  std::free(plain);
  if (offset != 0) name += text(" + %zu", offset);
  return name;
}

// glibc's `struct pthread` has some 2300 bytes; its size is in no header.
Range kernel_thread_descriptor() {
  return {reinterpret_cast<Address>(__builtin_thread_pointer()), 2240};
}

}  // namespace roam::os
