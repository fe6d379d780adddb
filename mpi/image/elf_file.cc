#include "mpi/image/elf_file.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/os/file_pages.h"
#include "base/os/memory.h"
#include "base/text.h"
#include "mpi/image/refusal.h"

namespace roam::mpi {
namespace {

std::string from_root(const std::string& path) {
  if (path.starts_with('/')) return path;
  char* const folder = getcwd(nullptr, 0);
  std::string whole = folder == nullptr ? path : std::string(folder) + '/' + path;
  std::free(folder);
  return whole;
}

// Larger ones are for other machines, or files that are damaged.
constexpr std::size_t kMostAlignment = kHugePageBytes;
constexpr std::uint64_t kMostExtent = std::uint64_t{2} << 30;  // what code reaches

constexpr unsigned kHiddenVersion = 0x8000;

std::uint32_t gnu_hash(std::string_view name) {
  std::uint32_t h = 5381;
  for (const char c : name) h = h * 33 + static_cast<unsigned char>(c);
  return h;
}

std::uint32_t elf_hash(std::string_view name) {
  std::uint32_t h = 0;
  for (const char c : name) {
    h = (h << 4) + static_cast<unsigned char>(c);
    h ^= h >> 24 & 0xf0;
    h &= 0x0fffffff;
  }
  return h;
}

}  // namespace

ElfFile::ElfFile(std::string path) : path_(std::move(path)), whole_path_(from_root(path_)) {
  fd_ = os::open_to_read(path_);
  if (fd_ < 0) refuse(text("it cannot be opened: %s", std::strerror(errno)));
  try {
    if (fstat(fd_, &state_) != 0) refuse(text("it cannot be looked at: %s", std::strerror(errno)));
    file_ = os::map_whole_file(fd_);
    read_header();
    read_segments();
    read_dynamic();
    read_versions();
  } catch (...) {
    if (file_.bytes != 0) os::unreserve(file_);
    os::close_file(fd_);
    throw;
  }
}

ElfFile::~ElfFile() {
  os::unreserve(file_);
  os::close_file(fd_);
}

std::string_view ElfFile::name() const {
  const std::size_t slash = path_.rfind('/');
  return slash == std::string::npos ? std::string_view(path_)
                                    : std::string_view(path_).substr(slash + 1);
}

std::uint64_t ElfFile::digest() const {
  std::uint64_t sum = extent_.bytes;
  for (const Elf64_Phdr& s : segments_) {
    if (s.p_type != PT_LOAD) continue;
    const char* bytes = file_bytes(s.p_offset, s.p_filesz, "a segment");
    for (std::size_t i = 0; i < s.p_filesz; i += sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes + i, std::min<std::size_t>(sizeof word, s.p_filesz - i));
      sum = (sum ^ word) * 0x9e3779b97f4a7c15;
      sum ^= sum >> 29;
    }
  }
  return sum;
}

bool ElfFile::is_same_file(const ElfFile& other) const {
  return state_.st_dev == other.state_.st_dev && state_.st_ino == other.state_.st_ino;
}

bool ElfFile::has_changed() const {
  struct stat now;
  return fstat(fd_, &now) != 0 || now.st_size != state_.st_size ||
         now.st_mtim.tv_sec != state_.st_mtim.tv_sec ||
         now.st_mtim.tv_nsec != state_.st_mtim.tv_nsec;
}

void ElfFile::refuse(const std::string& why) const { throw Refusal(path_ + ": " + why); }

const char* ElfFile::file_bytes(std::uint64_t offset, std::size_t bytes, const char* what) const {
  if (offset > file_.bytes || bytes > file_.bytes - offset) {
    refuse(text("the file is cut off or damaged: %s would be %zu bytes at 0x%llx of %zu", what,
                bytes, static_cast<unsigned long long>(offset), file_.bytes));
  }
  return static_cast<const char*>(file_.pointer()) + offset;
}

void ElfFile::refuse_place(const char* what) const {
  refuse(text("the file is damaged: %s is not where such a table may be", what));
}

void ElfFile::read_header() {
  if (file_.bytes < sizeof(Elf64_Ehdr) || std::memcmp(file_.pointer(), ELFMAG, SELFMAG) != 0) {
    refuse("it is no ELF program (a script?). Name the program itself");
  }
  header_ = static_cast<const Elf64_Ehdr*>(file_.pointer());
  if (header_->e_ident[EI_CLASS] != ELFCLASS64 || header_->e_ident[EI_DATA] != ELFDATA2LSB ||
      header_->e_machine != EM_X86_64) {
    refuse(text("it is for another machine (ELF machine %u); only x86-64 is supported",
                header_->e_machine));
  }
  if (header_->e_type == ET_EXEC) {
    refuse(
        "it is not position independent, so it can lie at one address only. Build it with "
        "-fPIE -pie, without -no-pie and -static");
  }
  if (header_->e_type != ET_DYN || header_->e_phentsize != sizeof(Elf64_Phdr)) {
    refuse(text("it is neither a program nor a library (ELF type %u)", header_->e_type));
  }
}

void ElfFile::read_segments() {
  segments_ = {as<Elf64_Phdr>(file_bytes(header_->e_phoff, header_->e_phnum * sizeof(Elf64_Phdr),
                                         "the table of segments"),
                              "the table of segments"),
               header_->e_phnum};
  std::uint64_t low = UINT64_MAX, high = 0;
  for (const Elf64_Phdr& s : segments_) {
    if (s.p_type != PT_LOAD || s.p_memsz == 0) continue;
    file_bytes(s.p_offset, s.p_filesz, "a segment");
    if (s.p_filesz > s.p_memsz || (s.p_vaddr - s.p_offset) % kPageBytes != 0)
      refuse(text("the segment at 0x%llx is damaged", static_cast<unsigned long long>(s.p_vaddr)));
    if (s.p_vaddr > kMostExtent || s.p_memsz > kMostExtent - s.p_vaddr) {
      refuse(text(
          "it has a segment of %llu bytes at 0x%llx, and what is supported ends at %llu (2 "
          "GiB). Put large arrays on the heap, or share them out among more virtual ranks",
          static_cast<unsigned long long>(s.p_memsz), static_cast<unsigned long long>(s.p_vaddr),
          static_cast<unsigned long long>(kMostExtent)));
    }
    if (s.p_align > kMostAlignment) {
      refuse(text("a segment is to be aligned to %llu bytes; at most %zu are supported",
                  static_cast<unsigned long long>(s.p_align), kMostAlignment));
    }
    low = std::min<std::uint64_t>(low, round_down(s.p_vaddr, kPageBytes));
    high = std::max<std::uint64_t>(high, round_up(s.p_vaddr + s.p_memsz, kPageBytes));
    if (s.p_align > alignment_) alignment_ = s.p_align;
  }
  if (low >= high) refuse("it has nothing to load");
  extent_ = Range{low, high - low};
}

const Elf64_Phdr* ElfFile::segment(std::uint32_t type) const {
  for (const Elf64_Phdr& s : segments_) {
    if (s.p_type == type) return &s;
  }
  return nullptr;
}

const char* ElfFile::bytes_at(std::uint64_t address, std::size_t count, std::size_t size,
                              const char* what) const {
  for (const Elf64_Phdr& s : segments_) {
    if (s.p_type != PT_LOAD || address < s.p_vaddr || address - s.p_vaddr > s.p_filesz) continue;
    // Not this one: it may end where the next begins.
    if (count > (s.p_filesz - (address - s.p_vaddr)) / size) continue;
    return file_bytes(s.p_offset + (address - s.p_vaddr), count * size, what);
  }
  refuse(text("the file is damaged: %s would be at 0x%llx, where the file has nothing", what,
              static_cast<unsigned long long>(address)));
}

void ElfFile::read_dynamic() {
  const Elf64_Phdr* s = segment(PT_DYNAMIC);
  if (s == nullptr) refuse("it is linked statically. Build it without -static and -static-pie");
  const char* what = "the dynamic section";
  dynamic_ = {as<Elf64_Dyn>(file_bytes(s->p_offset, s->p_filesz, what), what),
              s->p_filesz / sizeof(Elf64_Dyn)};
  strings_ = table<char>(DT_STRTAB, DT_STRSZ);
  if (strings_.empty() || strings_.back() != '\0') refuse("its table of names is damaged");
}

bool ElfFile::has(std::int64_t tag) const {
  for (const Elf64_Dyn& d : dynamic_) {
    if (d.d_tag == DT_NULL) break;
    if (d.d_tag == tag) return true;
  }
  return false;
}

std::uint64_t ElfFile::value(std::int64_t tag, std::uint64_t otherwise) const {
  for (const Elf64_Dyn& d : dynamic_) {
    if (d.d_tag == DT_NULL) break;
    if (d.d_tag == tag) return d.d_un.d_val;
  }
  return otherwise;
}

std::string_view ElfFile::text_of(std::int64_t tag) const {
  return has(tag) ? string(value(tag)) : std::string_view();
}

std::vector<std::string_view> ElfFile::needed() const {
  std::vector<std::string_view> names;
  for (const Elf64_Dyn& d : dynamic_) {
    if (d.d_tag == DT_NULL) break;
    if (d.d_tag == DT_NEEDED) names.push_back(string(d.d_un.d_val));
  }
  return names;
}

std::string_view ElfFile::string(std::uint64_t offset) const {
  if (offset >= strings_.size()) refuse("it refers to a name that its table has not");
  return strings_.data() + offset;
}

const Elf64_Sym& ElfFile::symbol(std::uint32_t index) const {
  return at<Elf64_Sym>(value(DT_SYMTAB) + std::uint64_t{index} * sizeof(Elf64_Sym), 1,
                       "a symbol")[0];
}

void ElfFile::read_versions() {
  const auto set = [&](std::size_t number, std::string_view name) {
    number &= 0x7fff;
    if (versions_.size() <= number) versions_.resize(number + 1);
    versions_[number] = name;
  };
  std::uint64_t place = value(DT_VERDEF);
  for (std::uint64_t left = value(DT_VERDEFNUM); left != 0; --left) {
    const auto& d = at<Elf64_Verdef>(place, 1, "a version")[0];
    const auto& name = at<Elf64_Verdaux>(place + d.vd_aux, 1, "a version")[0];
    if ((d.vd_flags & VER_FLG_BASE) == 0) set(d.vd_ndx, string(name.vda_name));
    place += d.vd_next;
  }
  place = value(DT_VERNEED);
  for (std::uint64_t left = value(DT_VERNEEDNUM); left != 0; --left) {
    const auto& need = at<Elf64_Verneed>(place, 1, "a version that it needs")[0];
    std::uint64_t entry = place + need.vn_aux;
    for (unsigned i = 0; i < need.vn_cnt; ++i) {
      const auto& name = at<Elf64_Vernaux>(entry, 1, "a version that it needs")[0];
      set(name.vna_other, string(name.vna_name));
      entry += name.vna_next;
    }
    place += need.vn_next;
  }
}

// Number of the version, and a bit for what is hidden from who asks without one. 0: for itself, or
// there are no versions; 1: of none; those that the file defines are from 2 on.
unsigned ElfFile::version_entry(std::uint32_t index) const {
  if (!has(DT_VERSYM)) return 0;
  return at<Elf64_Half>(value(DT_VERSYM) + std::uint64_t{index} * sizeof(Elf64_Half), 1,
                        "a version")[0];
}

std::string_view ElfFile::version_of(std::uint32_t index) const {
  const unsigned number = version_entry(index) & ~kHiddenVersion;
  return number < versions_.size() ? versions_[number] : std::string_view();
}

bool ElfFile::defines(std::uint32_t index, std::string_view name) const {
  const Elf64_Sym& s = symbol(index);
  const unsigned type = ELF64_ST_TYPE(s.st_info);
  return s.st_shndx != SHN_UNDEF && ELF64_ST_BIND(s.st_info) != STB_LOCAL && type != STT_SECTION &&
         type != STT_FILE && string(s.st_name) == name;
}

// As the dynamic linker chooses. Source: glibc, elf/dl-lookup.c.
bool ElfFile::is_meant(std::uint32_t index, Wanted* wanted) const {
  if (!defines(index, wanted->name)) return false;
  if (!has(DT_VERSYM)) return true;
  const unsigned entry = version_entry(index), number = entry & ~kHiddenVersion;
  const bool hidden = (entry & kHiddenVersion) != 0;
  if (!wanted->version.empty()) {
    const std::string_view mine = version_of(index);
    return mine == wanted->version || (mine.empty() && !hidden && wanted->asks == Asks::kInCode);
  }
  if (number < (wanted->asks == Asks::kByName ? 2u : 3u)) return true;
  if (!hidden && wanted->laters++ == 0) wanted->later = index;
  return false;
}

std::uint32_t ElfFile::find(std::string_view name, std::string_view version, Asks asks) const {
  Wanted wanted{.name = name, .version = version, .asks = asks};
  std::uint32_t found = 0;
  if (has(DT_GNU_HASH)) {
    found = find_by_gnu_hash(&wanted);
  } else if (has(DT_HASH)) {
    found = find_by_hash(&wanted);
  }
  return found != 0 ? found : wanted.found_late();
}

std::uint32_t ElfFile::find_by_gnu_hash(Wanted* wanted) const {
  const std::uint64_t table = value(DT_GNU_HASH);
  const auto head = at<std::uint32_t>(table, 4, "the hash table");
  const std::uint32_t buckets = head[0], first = head[1], words = head[2];
  if (buckets == 0) return 0;
  const std::uint32_t hash = gnu_hash(wanted->name);
  const std::uint64_t at_buckets = table + 16 + std::uint64_t{words} * 8;
  const std::uint64_t at_chains = at_buckets + std::uint64_t{buckets} * 4;
  std::uint32_t i = at<std::uint32_t>(at_buckets + hash % buckets * 4, 1, "the hash table")[0];
  if (i < first) return 0;
  for (;; ++i) {
    const std::uint32_t other =
        at<std::uint32_t>(at_chains + std::uint64_t{i - first} * 4, 1, "the hash table")[0];
    if ((other | 1) == (hash | 1) && is_meant(i, wanted)) return i;
    if ((other & 1) != 0) return 0;
  }
}

std::uint32_t ElfFile::find_by_hash(Wanted* wanted) const {
  const std::uint64_t table = value(DT_HASH);
  const auto head = at<std::uint32_t>(table, 2, "the hash table");
  const auto buckets = at<std::uint32_t>(table + 8, head[0], "the hash table");
  const auto chains =
      at<std::uint32_t>(table + 8 + 4 * std::uint64_t{head[0]}, head[1], "the hash table");
  if (buckets.empty()) return 0;
  std::uint32_t i = buckets[elf_hash(wanted->name) % buckets.size()];
  for (std::size_t steps = 0; i != 0 && i < chains.size() && steps < chains.size(); ++steps) {
    if (is_meant(i, wanted)) return i;
    i = chains[i];
  }
  return 0;
}

// The GNU hash table does not say it: its last chain ends with it.
std::uint32_t ElfFile::symbol_count() const {
  if (!has(DT_GNU_HASH))
    return has(DT_HASH) ? at<std::uint32_t>(value(DT_HASH), 2, "the hash table")[1] : 0;
  const std::uint64_t table = value(DT_GNU_HASH);
  const auto head = at<std::uint32_t>(table, 4, "the hash table");
  const std::uint64_t at_buckets = table + 16 + std::uint64_t{head[2]} * 8;
  const auto buckets = at<std::uint32_t>(at_buckets, head[0], "the hash table");
  const std::uint64_t at_chains = at_buckets + std::uint64_t{head[0]} * 4;
  std::uint32_t last = 0;
  for (const std::uint32_t bucket : buckets) last = std::max(last, bucket);
  if (last < head[1]) return head[1];
  while ((at<std::uint32_t>(at_chains + std::uint64_t{last - head[1]} * 4, 1, "the hash table")[0] &
          1) == 0)
    ++last;
  return last + 1;
}

std::uint32_t ElfFile::symbol_at(std::uint64_t address) const {
  std::uint32_t best = 0;
  for (std::uint32_t i = 1, count = symbol_count(); i < count; ++i) {
    const Elf64_Sym& s = symbol(i);
    if (s.st_shndx == SHN_UNDEF || s.st_shndx == SHN_ABS || ELF64_ST_TYPE(s.st_info) == STT_TLS ||
        s.st_value > address || address - s.st_value >= std::max<std::uint64_t>(s.st_size, 1))
      continue;
    if (best == 0 || symbol(best).st_value < s.st_value) best = i;
  }
  return best;
}

std::string_view ElfFile::name_at(std::uint64_t address) const {
  if (const std::string_view own = own_name_at(address); !own.empty()) return own;
  const std::uint32_t found = symbol_at(address);
  return found == 0 ? std::string_view() : string(symbol(found).st_name);
}

// By the table for linkers and debuggers.
std::string_view ElfFile::own_name_at(std::uint64_t address) const {
  if (header_->e_shoff == 0 || header_->e_shentsize != sizeof(Elf64_Shdr)) return {};
  const std::size_t bytes = header_->e_shnum * sizeof(Elf64_Shdr);
  const std::span<const Elf64_Shdr> sections = {
      as<Elf64_Shdr>(file_bytes(header_->e_shoff, bytes, "the table of sections"),
                     "the table of sections"),
      header_->e_shnum};
  for (const Elf64_Shdr& s : sections) {
    if (s.sh_type != SHT_SYMTAB || s.sh_link >= sections.size()) continue;
    const Elf64_Shdr& names = sections[s.sh_link];
    const char* texts = file_bytes(names.sh_offset, names.sh_size, "the names of symbols");
    if (names.sh_size == 0 || texts[names.sh_size - 1] != '\0') return {};
    const std::span<const Elf64_Sym> symbols = {
        as<Elf64_Sym>(file_bytes(s.sh_offset, s.sh_size, "the symbols"), "the symbols"),
        s.sh_size / sizeof(Elf64_Sym)};
    for (const Elf64_Sym& symbol : symbols) {
      const unsigned type = ELF64_ST_TYPE(symbol.st_info);
      if ((type == STT_FUNC || type == STT_GNU_IFUNC) && symbol.st_shndx != SHN_UNDEF &&
          symbol.st_value <= address && address - symbol.st_value < symbol.st_size &&
          symbol.st_name < names.sh_size)
        return texts + symbol.st_name;
    }
  }
  return {};
}

}  // namespace roam::mpi
