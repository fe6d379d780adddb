#include "runtime/checkpoint/manifest.h"

#include <fcntl.h>
#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "base/os/file_calls.h"
#include "base/text.h"
#include "runtime/checkpoint/hash.h"
#include "runtime/checkpoint/owner.h"

namespace roam::runtime {
namespace {

constexpr const char* kFormat = "roam-checkpoint";
constexpr const char* kHashLine = "xxh3 %016" PRIx64 "\n";
constexpr std::size_t kHashLineBytes = 5 + 16 + 1;

// Numbers of 64 bits are hexadecimal texts: readers of JSON keep 53 bits of a number.
std::string hex(std::uint64_t number) { return roam::text("%016" PRIx64, number); }

std::string hex_of_bytes(const std::string& bytes) {
  static const char* digits = "0123456789abcdef";
  std::string all;
  for (const char byte : bytes) {
    all += digits[static_cast<unsigned char>(byte) >> 4];
    all += digits[static_cast<unsigned char>(byte) & 15];
  }
  return all;
}

using Writer = rapidjson::PrettyWriter<rapidjson::StringBuffer>;

void put(Writer& json, const char* name, const std::string& value) {
  json.Key(name);
  json.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}
void put(Writer& json, const char* name, std::uint64_t value) {
  json.Key(name);
  json.Uint64(value);
}

// What is asked of a document, with an error that names the field.
struct Wrong : std::runtime_error {
  using std::runtime_error::runtime_error;
};
using Value = rapidjson::Value;

const Value& member(const Value& of, const char* name) {
  const auto found = of.FindMember(name);
  if (found == of.MemberEnd()) throw Wrong(roam::text("there is no '%s'", name));
  return found->value;
}
std::uint64_t number_in(const Value& of, const char* name, std::uint64_t most = UINT64_MAX) {
  const Value& value = member(of, name);
  if (!value.IsUint64() || value.GetUint64() > most)
    throw Wrong(roam::text("'%s' is no number up to %" PRIu64, name, most));
  return value.GetUint64();
}
int int_in(const Value& of, const char* name, int least) {
  const auto value = static_cast<int>(number_in(of, name, INT32_MAX));
  if (value < least) throw Wrong(roam::text("'%s' is %d; the least is %d", name, value, least));
  return value;
}
std::string string_of(const Value& value, const char* name) {
  if (!value.IsString()) throw Wrong(roam::text("'%s' is no text", name));
  return {value.GetString(), value.GetStringLength()};
}
std::string string_in(const Value& of, const char* name) {
  return string_of(member(of, name), name);
}
const Value& list_in(const Value& of, const char* name) {
  const Value& value = member(of, name);
  if (!value.IsArray()) throw Wrong(roam::text("'%s' is no list", name));
  return value;
}
const Value& object_in(const Value& of, const char* name) {
  const Value& value = member(of, name);
  if (!value.IsObject()) throw Wrong(roam::text("'%s' is no object", name));
  return value;
}
int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}
std::string bytes_of_hex(const std::string& digits, const char* name) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size() || i < digits.size(); i += 2) {
    const int high = digit_of(digits[i]);
    const int low = i + 1 < digits.size() ? digit_of(digits[i + 1]) : -1;
    if (high < 0 || low < 0) throw Wrong(roam::text("'%s' is not hexadecimal", name));
    bytes += static_cast<char>(high << 4 | low);
  }
  return bytes;
}
std::uint64_t hex_in(const Value& of, const char* name) {
  const std::string bytes = bytes_of_hex(string_in(of, name), name);
  if (bytes.size() != 8) throw Wrong(roam::text("'%s' has not 16 digits", name));
  std::uint64_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

PieceSummary piece_of(const Value& value, const Manifest& of, int rank, int version) {
  if (!value.IsObject()) throw Wrong("a piece is no object");
  PieceSummary piece;
  piece.file = string_in(value, "file");
  if (piece.file.empty() || piece.file[0] == '.' || piece.file.find('/') != std::string::npos)
    throw Wrong(roam::text("piece %d is not in the folder: '%s'", rank, piece.file.c_str()));
  piece.rank = rank;
  piece.ranks = of.ranks;
  piece.number = of.number;
  piece.bytes = number_in(value, "bytes");
  if (version != Manifest::kUncompressedVersion) {
    piece.stored = number_in(value, "stored");
    if (piece.stored == 0) throw Wrong(roam::text("'stored' of piece %d is 0", rank));
  }
  piece.index_offset = number_in(value, "index_offset");
  piece.index_bytes = number_in(value, "index_bytes");
  piece.index_hash = hex_in(value, "index_hash");
  piece.images = number_in(value, "images");
  piece.blocks = number_in(value, "blocks");
  for (const Value& base : list_in(value, "bases").GetArray()) {
    if (!base.IsObject()) throw Wrong("a base is no object");
    piece.bases.push_back({number_in(base, "number"),
                           static_cast<std::uint32_t>(number_in(base, "rank", INT32_MAX)), 0});
  }
  return piece;
}

void take(const Value& json, Manifest* m) {
  if (!json.IsObject()) throw Wrong("it is no object");
  if (string_in(json, "format") != kFormat)
    throw Wrong(roam::text("'format' is not '%s'", kFormat));
  const int version = int_in(json, "version", 0);
  if (version != Manifest::kVersion && version != Manifest::kUncompressedVersion) {
    throw Wrong(roam::text("it has version %d; this program reads versions %d and %d", version,
                           Manifest::kUncompressedVersion, Manifest::kVersion));
  }
  m->number = number_in(json, "number");
  m->made = string_in(json, "made");
  m->ranks = int_in(json, "ranks", 1);
  m->homes = int_in(json, "homes", 1);
  m->threads = number_in(json, "threads");
  m->bytes = number_in(json, "bytes");
  m->program = string_in(json, "program");
  m->roam = string_in(json, "roam");
  for (const Value& fact : list_in(json, "layout").GetArray())
    m->layout.push_back(string_of(fact, "layout"));
  const Value& arena = object_in(json, "arena");
  m->arena = Range{hex_in(arena, "base"), number_in(arena, "bytes")};
  constexpr std::uint64_t kMostAddress = std::uint64_t{1} << 47;
  if (m->arena.begin >= kMostAddress || m->arena.bytes > kMostAddress - m->arena.begin)
    throw Wrong("'arena' lies where no memory can be");
  m->lease_bytes = number_in(arena, "lease_bytes");
  m->canary = hex_in(json, "canary");
  m->clock_ns = hex_in(json, "clock_ns");
  const Value& pieces = list_in(json, "pieces");
  if (pieces.Size() != static_cast<rapidjson::SizeType>(m->ranks))
    throw Wrong(roam::text("there are %u pieces of %d ranks", pieces.Size(), m->ranks));
  for (const Value& piece : pieces.GetArray())
    m->pieces.push_back(piece_of(piece, *m, static_cast<int>(m->pieces.size()), version));
  for (const auto& [name, value] : object_in(json, "data").GetObject())
    m->data[string_of(name, "data")] = bytes_of_hex(string_of(value, "data"), "data");
}

}  // namespace

bool Manifest::compressed() const {
  return std::any_of(pieces.begin(), pieces.end(),
                     [](const PieceSummary& piece) { return piece.stored != 0; });
}

std::uint64_t Manifest::stored_bytes() const {
  std::uint64_t sum = 0;
  for (const PieceSummary& piece : pieces) sum += piece.stored_bytes();
  return sum;
}

std::string Manifest::text() const {
  const int version = compressed() ? kVersion : kUncompressedVersion;
  rapidjson::StringBuffer buffer;
  Writer json(buffer);
  json.SetIndent(' ', 1);
  json.StartObject();
  put(json, "format", std::string(kFormat));
  put(json, "version", static_cast<std::uint64_t>(version));
  put(json, "number", number);
  put(json, "made", made);
  put(json, "ranks", static_cast<std::uint64_t>(ranks));
  put(json, "homes", static_cast<std::uint64_t>(homes));
  put(json, "threads", threads);
  put(json, "bytes", bytes);
  put(json, "program", program);
  put(json, "roam", roam);
  json.Key("layout");
  json.StartArray();
  for (const std::string& fact : layout)
    json.String(fact.data(), static_cast<rapidjson::SizeType>(fact.size()));
  json.EndArray();
  json.Key("arena");
  json.StartObject();
  put(json, "base", hex(arena.begin));
  put(json, "bytes", std::uint64_t{arena.bytes});
  put(json, "lease_bytes", std::uint64_t{lease_bytes});
  json.EndObject();
  put(json, "canary", hex(canary));
  put(json, "clock_ns", hex(clock_ns));
  json.Key("pieces");
  json.StartArray();
  for (const PieceSummary& piece : pieces) {
    json.StartObject();
    put(json, "file", piece.file);
    put(json, "bytes", piece.bytes);
    if (version == kVersion) put(json, "stored", piece.stored_bytes());
    put(json, "index_offset", piece.index_offset);
    put(json, "index_bytes", piece.index_bytes);
    put(json, "index_hash", hex(piece.index_hash));
    put(json, "images", piece.images);
    put(json, "blocks", piece.blocks);
    json.Key("bases");
    json.StartArray();
    for (const BaseEntry& base : piece.bases) {
      json.StartObject();
      put(json, "number", base.number);
      put(json, "rank", std::uint64_t{base.rank});
      json.EndObject();
    }
    json.EndArray();
    json.EndObject();
  }
  json.EndArray();
  json.Key("data");
  json.StartObject();
  for (const auto& [name, value] : data) put(json, name.c_str(), hex_of_bytes(value));
  json.EndObject();
  json.EndObject();
  std::string all = std::string(buffer.GetString(), buffer.GetSize()) + "\n";
  all += roam::text(kHashLine, hash_of(all.data(), all.size()));
  return all;
}

bool Manifest::fits(std::size_t bytes, std::string* why) {
  if (bytes <= kMostBytes) return true;
  *why = roam::text(
      "its manifest would have %zu bytes, and %zu are the most: take a smaller full=, "
      "or less job data",
      bytes, kMostBytes);
  return false;
}

bool Manifest::parse(const std::string& folder_read, const std::string& text, std::string* why) {
  *this = {};
  folder = folder_read;
  const std::string path = folder + "/" + kFile;
  const std::size_t bytes_of_json = text.size() - std::min(text.size(), kHashLineBytes);
  const std::uint64_t hash = hash_of(text.data(), bytes_of_json);
  if (text.compare(bytes_of_json, std::string::npos, roam::text(kHashLine, hash)) != 0) {
    *why = path + ": it does not end with its checksum: it is cut off, or was changed";
    return false;
  }
  rapidjson::Document json;
  json.Parse<rapidjson::kParseIterativeFlag>(text.data(), bytes_of_json);
  if (json.HasParseError()) {
    *why = roam::text("%s at byte %zu: %s", path.c_str(), json.GetErrorOffset(),
                      rapidjson::GetParseError_En(json.GetParseError()));
    return false;
  }
  try {
    take(json, this);
    return true;
  } catch (const Wrong& wrong) {
    *why = path + ": " + wrong.what();
    return false;
  }
}

bool Manifest::write(const std::string& folder_to, std::string* why) const {
  const std::string path = folder_to + "/" + kFile;
  const auto fail = [&](const char* call, int fd) {
    *why = roam::text("%s: %s: %s", path.c_str(), call, std::strerror(errno));
    if (fd >= 0) os::close_file_of(fd);
    return false;
  };
  const std::string all = text();
  if (!fits(all.size(), why)) return false;
  const int fd = os::open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (fd < 0) return fail("open", fd);
  if (!os::write_all(fd, all.data(), all.size(), 0)) return fail("pwritev", fd);
  if (os::sync_file(fd) != 0) return fail("fsync", fd);
  if (os::close_file_of(fd) != 0) return fail("close", -1);
  return true;
}

bool Manifest::read(const std::string& folder_read, std::string* why, bool of_others) {
  *this = {};
  folder = folder_read;
  const std::string path = folder + "/" + kFile;
  const auto fail = [&](const std::string& what, int fd) {
    *why = path + ": " + what;
    if (fd >= 0) os::close_file_of(fd);
    return false;
  };
  const int fd = os::open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  struct stat file {};
  if (fd < 0 || fstat(fd, &file) != 0)
    return fail(roam::text("open: %s", std::strerror(errno)), fd);
  if (!S_ISREG(file.st_mode) || file.st_size > off_t{kMostBytes})
    return fail("it cannot be a manifest", fd);
  std::string whose;
  if (!may_be_read(file.st_uid, geteuid(), of_others, &whose)) return fail(whose, fd);
  std::string all(static_cast<std::size_t>(file.st_size), '\0');
  for (std::size_t done = 0; done < all.size();) {
    const iovec part{all.data() + done, all.size() - done};
    const ssize_t n = os::read_parts(fd, &part, 1, done);
    if (n < 0) return fail(roam::text("preadv: %s", std::strerror(errno)), fd);
    if (n == 0) all.resize(done);
    done += static_cast<std::size_t>(n);
  }
  os::close_file_of(fd);
  return parse(folder_read, all, why);
}

}  // namespace roam::runtime
