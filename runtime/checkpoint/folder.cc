#include "runtime/checkpoint/folder.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <utility>

#include "base/os/file_calls.h"
#include "base/text.h"
#include "runtime/checkpoint/compressed_format.h"
#include "runtime/checkpoint/hash.h"
#include "runtime/checkpoint/piece_format.h"

namespace roam::runtime {
namespace {

constexpr const char* kPart = ".part";
constexpr std::size_t kNameDigits = 16;  // of a name for keepers, in its file
constexpr const char* kLock = "/lock";
constexpr int kOpenFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

bool failed(const std::string& path, const char* call, std::string* why) {
  *why = text("%s: %s: %s", path.c_str(), call, std::strerror(errno));
  return false;
}

// The number of a checkpoint's folder, also of one that is being made; 0: it is something else.
std::uint64_t number_of(std::string name, bool* part) {
  *part = name.size() > 5 && name.ends_with(kPart);
  if (*part) name.resize(name.size() - 5);
  if (name.size() < 6 || name.size() > 18) return 0;
  if (!std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; })) return 0;
  return std::strtoull(name.c_str(), nullptr, 10);
}

// It and the files in it. The manifest goes first: what has none is no checkpoint.
bool remove_all(const std::string& path, std::string* why) {
  const std::string manifest = path + "/" + Manifest::kFile;
  if (os::remove_file(manifest) != 0 && errno != ENOENT) return failed(manifest, "unlink", why);
  std::vector<std::string> names;
  if (!os::list_folder(path, &names)) return errno == ENOENT || failed(path, "opendir", why);
  for (const std::string& name : names) {
    const std::string file = path + "/" + name;
    if (os::remove_file(file) != 0 && errno != ENOENT) return failed(file, "unlink", why);
  }
  return os::remove_folder(path) == 0 || errno == ENOENT || failed(path, "rmdir", why);
}

// Some file systems have no fsync for folders. `above`: who may make a folder in it may not be
// allowed to read it.
bool sync_folder(const std::string& path, std::string* why, bool above = false) {
  const int fd = os::open_file(path, kOpenFolder);
  if (fd < 0) return (above && errno == EACCES) || failed(path, "open", why);
  const bool good =
      os::sync_file(fd) == 0 || errno == EINVAL || errno == ENOTSUP || failed(path, "fsync", why);
  os::close_file_of(fd);
  return good;
}

// Whether `path` is the folder that `fd` is open on.
bool is_at(const std::string& path, int fd) {
  struct stat there {
  }, here{};
  return stat(path.c_str(), &there) == 0 && fstat(fd, &here) == 0 && there.st_ino == here.st_ino &&
         there.st_dev == here.st_dev;
}

// Of a job that died: nobody has a lock of it. Where there are no locks, nobody knows. One that has
// no file for it is just being begun, or removed, or of an earlier version: its lock is the
// folder's, which who begins one holds until there is the file.
void remove_if_left(const std::string& path) {
  const std::string lock = path + kLock;
  std::string locked = lock;
  int fd = os::open_file(locked, O_RDWR | O_NOFOLLOW);
  const bool has_file = fd >= 0;
  if (!has_file && errno == ENOENT) {
    locked = path;
    fd = os::open_file(locked, kOpenFolder);
  }
  if (fd < 0) return;
  std::string why;
  struct stat there {};
  const bool left =
      os::lock_file(fd) == 0 && is_at(locked, fd) && (has_file || stat(lock.c_str(), &there) != 0);
  const bool gone = left && remove_all(path, &why);
  os::close_file_of(fd);
  if (left && !gone && has_file) remove_all(path, &why);  // NFS keeps a file while it is open
}

// Of a new one, until it has its file.
class FolderLock {
 public:
  explicit FolderLock(const std::string& path) : fd_(os::open_file(path, kOpenFolder)) {
    others_ = fd_ >= 0 && os::lock_file(fd_) != 0 && errno == EWOULDBLOCK;
  }
  ~FolderLock() {
    if (fd_ >= 0) os::close_file_of(fd_);
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  bool others() const { return others_; }

 private:
  int fd_;
  bool others_;
};

template <class Trailer>
bool is_trailer(const char* page) {
  Trailer trailer;
  std::memcpy(&trailer, page + kPageBytes - sizeof trailer, sizeof trailer);
  return trailer.magic == Trailer::kMagic &&
         trailer.hash == hash_of(&trailer, offsetof(Trailer, hash));
}

// The manifest of the checkpoint that a base is of may be gone: what was cut off is seen at its
// end.
bool ends_as_a_piece(const std::string& path) {
  const int fd = os::open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return false;
  struct stat file {};
  char page[kPageBytes];
  const bool read =
      fstat(fd, &file) == 0 && file.st_size >= static_cast<off_t>(kPageBytes) &&
      os::read_all(fd, page, kPageBytes, static_cast<std::uint64_t>(file.st_size) - kPageBytes);
  os::close_file_of(fd);
  return read && (is_trailer<PieceTrailer>(page) || is_trailer<CompressedTrailer>(page));
}

// Whether all files that it names are there, and as long as they were: without reading them whole.
bool has_files(const Manifest& manifest) {
  for (int i = 0; i < manifest.ranks; ++i) {
    struct stat file {};
    const PieceSummary& piece = manifest.pieces[static_cast<std::size_t>(i)];
    if (stat(manifest.path_of(i).c_str(), &file) != 0 ||
        static_cast<std::uint64_t>(file.st_size) != piece.stored_bytes())
      return false;
    for (const BaseEntry& base : piece.bases) {
      if (!ends_as_a_piece(manifest.folder + "/" + base_name(base))) return false;
    }
  }
  return true;
}

// Whether no file that one of them needs is the other's, too: damage to one leaves the other whole.
bool share_nothing(const Manifest& a, const Manifest& b) {
  const auto needs = [](const Manifest& manifest, std::uint64_t number, std::uint32_t rank) {
    const auto is_it = [&](const BaseEntry& base) {
      return base.number == number && base.rank == rank;
    };
    return manifest.number == number ||
           std::any_of(manifest.pieces.begin(), manifest.pieces.end(), [&](const auto& piece) {
             return std::any_of(piece.bases.begin(), piece.bases.end(), is_it);
           });
  };
  const auto none_is_in = [&](const Manifest& one, const Manifest& other) {
    return std::none_of(one.pieces.begin(), one.pieces.end(), [&](const PieceSummary& piece) {
      return needs(other, one.number, static_cast<std::uint32_t>(piece.rank)) ||
             std::any_of(piece.bases.begin(), piece.bases.end(), [&](const BaseEntry& base) {
               return needs(other, base.number, base.rank);
             });
    });
  };
  return none_is_in(a, b) && none_is_in(b, a);
}

std::string now_text() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char made[32];
  std::strftime(made, sizeof made, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return made;
}

}  // namespace

void NewCheckpoint::close() {
  if (lock_ >= 0) os::close_file_of(lock_);
  lock_ = -1;
  dir_.clear();
  path_.clear();
  renamed_ = false;
}

bool NewCheckpoint::begin(const std::string& dir, std::string* why, std::uint64_t above) {
  give_up();
  if (os::make_folder(dir, 0700) == 0) {
    if (!sync_folder(dir + "/..", why, true)) return false;
  } else if (errno != EEXIST) {
    return failed(dir, "mkdir", why);
  }
  std::vector<std::string> names;
  if (!os::list_folder(dir, &names)) return failed(dir, "opendir", why);
  std::uint64_t last = above;
  for (const std::string& name : names) {
    bool part = false;
    last = std::max(last, number_of(name, &part));
    if (part && number_of(name, &part) != 0) remove_if_left(dir + "/" + name);
  }
  // Another job may make one in the same folder at the same time.
  for (int tries = 0; tries < 1000; ++tries) {
    number = ++last;
    const std::string path = dir + text("/%06llu", static_cast<unsigned long long>(number));
    const std::string part = path + kPart;
    if (os::make_folder(part, 0700) != 0) {
      if (errno == EEXIST) continue;
      return failed(part, "mkdir", why);
    }
    dir_ = dir;
    path_ = path;
    const FolderLock begun(part);
    if (begun.others()) {
      close();  // it is being taken for one that was left
      continue;
    }
    // A file: to one that is open for writing, NFS has locks for all machines.
    const std::string lock = part + kLock;
    lock_ = os::open_file(lock, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    const bool opened = lock_ >= 0;
    if (!opened && errno != ENOENT) {
      failed(lock, "open", why);
      give_up();
      return false;
    }
    // Not every file system has locks; then nobody removes it.
    const bool taken = opened && os::lock_file(lock_) != 0 && errno == EWOULDBLOCK;
    if (opened && !taken && is_at(lock, lock_)) return true;
    close();  // it was taken for one that was left
  }
  *why = dir + ": too many checkpoints are begun in it at the same time";
  return false;
}

void complete(Manifest* manifest) {
  if (manifest->made.empty()) manifest->made = now_text();
  manifest->bytes = 0;
  for (const PieceSummary& piece : manifest->pieces) manifest->bytes += piece.bytes;
}

bool NewCheckpoint::publish(Manifest manifest, std::string* why) {
  manifest.number = number;
  complete(&manifest);
  if (!manifest.write(part_path(), why) || !sync_folder(part_path(), why)) return false;
  if (os::rename_file(part_path(), path_) != 0) return failed(part_path(), "rename", why);
  renamed_ = true;
  // It is no part of the checkpoint; if it stays, that does not matter.
  os::close_file_of(std::exchange(lock_, -1));
  os::remove_file(path_ + kLock);
  if (!sync_folder(dir_, why)) return false;
  close();
  return true;
}

void NewCheckpoint::give_up() {
  if (path_.empty()) return;
  if (lock_ >= 0) os::close_file_of(std::exchange(lock_, -1));
  std::string why;
  remove_all(renamed_ ? path_ : part_path(), &why);
  close();
}

std::vector<std::string> complete_ones(const std::string& dir, std::string* why) {
  why->clear();
  std::vector<std::string> names;
  if (!os::list_folder(dir, &names)) {
    failed(dir, "opendir", why);
    return {};
  }
  std::vector<std::pair<std::uint64_t, std::string>> found;
  for (const std::string& name : names) {
    bool part = false;
    const std::uint64_t number = number_of(name, &part);
    if (number != 0 && !part) found.emplace_back(number, dir + "/" + name);
  }
  std::sort(found.rbegin(), found.rend());
  // A folder with checkpoints is none itself, whatever else of that name is in it.
  if (found.empty() && std::find(names.begin(), names.end(), Manifest::kFile) != names.end())
    return {dir};
  if (found.empty()) *why = dir + ": there is no checkpoint in it";
  std::vector<std::string> paths;
  for (auto& [number, path] : found) paths.push_back(std::move(path));
  return paths;
}

std::string names_for_keepers(const std::string& dir) { return dir + "/keepers-"; }

std::string name_for_keepers(const std::string& dir, bool anew, std::string* why) {
  const std::string path = dir + "/keepers";
  char digits[kNameDigits + 4] = {};
  if (anew) {
    std::uint64_t random = 0;
    if (getrandom(&random, sizeof random, 0) != sizeof random) {
      failed("getrandom", "a random number", why);
      return {};
    }
    std::snprintf(digits, sizeof digits, "%016llx 0\n", static_cast<unsigned long long>(random));
    const std::string fresh = path + ".new";
    os::remove_file(fresh);
    const int fd = os::open_file(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    const bool written = fd >= 0 && os::write_all(fd, digits, std::strlen(digits), 0);
    if (!written) failed(fresh, fd < 0 ? "open" : "pwritev", why);
    const bool closed = fd >= 0 && os::close_file_of(fd) == 0;
    if (written && !closed) failed(fresh, "close", why);
    if (!written || !closed) return {};
    if (os::rename_file(fresh, path) != 0) {
      failed(fresh, "rename", why);
      return {};
    }
  } else {
    const int fd = os::open_file(path, O_RDONLY | O_NOFOLLOW);
    const bool read = fd >= 0 && os::read_all(fd, digits, kNameDigits, 0);
    if (!read || std::strspn(digits, "0123456789abcdef") != kNameDigits) {
      if (read) errno = EINVAL;
      failed(path, fd < 0 ? "open" : "pread", why);
      if (fd >= 0) os::close_file_of(fd);
      return {};
    }
    os::close_file_of(fd);
  }
  digits[kNameDigits] = 0;
  return names_for_keepers(dir) + digits;
}

// In place: there may be no room on the disk for anything more.
bool note_kept(const std::string& name, bool kept, std::string* why) {
  const std::size_t end = name.size() - std::min(name.size(), kNameDigits);
  const std::string path = name.substr(0, end - std::min<std::size_t>(end, 1));
  const int fd = os::open_file(path, O_RDWR | O_NOFOLLOW);
  if (fd < 0 && !kept && errno == ENOENT) return true;
  if (fd < 0) return failed(path, "open", why);
  char digits[kNameDigits + 1] = {};
  const bool ours = os::read_all(fd, digits, kNameDigits, 0) && name.substr(end) == digits;
  const bool written = !ours || os::write_all(fd, kept ? " 1\n" : " 0\n", 3, kNameDigits);
  if (!written) failed(path, "pwritev", why);
  if (os::close_file_of(fd) != 0 && written) return failed(path, "close", why);
  return written;
}

bool keep_newest(const std::string& dir, int count, const OwnCheckpoints& own, std::string* foreign,
                 std::string* why) {
  int whole = 0;
  Manifest newest;         // of those that count
  bool apart = count < 2;  // one that shares nothing with it is kept, or none is wanted
  foreign->clear();
  const std::vector<std::string> all = complete_ones(dir, why);
  if (all.empty()) return false;
  for (const std::string& path : all) {
    Manifest manifest;
    std::string unreadable;
    if (path == dir || !manifest.read(path, &unreadable)) continue;
    if (manifest.canary != own.canary) {
      if (foreign->empty()) *foreign = path;
      continue;
    }
    const bool passed_over = manifest.number > own.went_on_from && manifest.number < own.first_new;
    if (whole < count) {
      if (passed_over || !has_files(manifest)) continue;
      if (whole++ == 0)
        newest = std::move(manifest);
      else
        apart = apart || share_nothing(newest, manifest);
      continue;
    }
    if (!apart && !passed_over && share_nothing(newest, manifest) && has_files(manifest)) {
      apart = true;
      continue;
    }
    // By another name first: what is half removed is no checkpoint.
    const std::string part = path + kPart;
    if (os::rename_file(path, part) != 0) return failed(path, "rename", why);
    if (!remove_all(part, why)) return false;
  }
  return true;
}

bool same_folder(const std::string& a, const std::string& b) {
  if (a.empty() || b.empty()) return a == b;
  const auto resolved = [](const std::string& path) {
    std::error_code error;
    const std::filesystem::path whole = std::filesystem::absolute(path, error);
    std::string found = std::filesystem::weakly_canonical(whole, error).string();
    if (error) found = whole.lexically_normal().string();
    while (found.size() > 1 && found.back() == '/') found.pop_back();
    return found;
  };
  return resolved(a) == resolved(b);
}

}  // namespace roam::runtime
