#include "bench/vt_set.h"

#include <brotli/decode.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>

namespace bench {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostUnpacked = std::size_t{1} << 30;

struct Name {
  std::string stem;
  std::size_t rank;
};

// NAME.RANK.json or NAME.RANK.json.br; nothing if it is anything else.
std::optional<Name> split(std::string_view name) {
  if (name.ends_with(".br")) name.remove_suffix(3);
  if (!name.ends_with(".json")) return std::nullopt;
  name.remove_suffix(5);
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return std::nullopt;
  std::size_t rank = 0;
  const auto [end, error] = std::from_chars(name.data() + dot + 1, name.data() + name.size(), rank);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return Name{std::string(name.substr(0, dot)), rank};
}

std::string unpacked(const std::string& file, const std::string& packed) {
  const std::unique_ptr<BrotliDecoderState, decltype(&BrotliDecoderDestroyInstance)> decoder(
      BrotliDecoderCreateInstance(nullptr, nullptr, nullptr), BrotliDecoderDestroyInstance);
  if (decoder == nullptr) throw std::bad_alloc();
  std::string result;
  std::size_t in_bytes = packed.size();
  const auto* in = reinterpret_cast<const std::uint8_t*>(packed.data());
  for (;;) {
    std::size_t out_bytes = 0;
    const BrotliDecoderResult state =
        BrotliDecoderDecompressStream(decoder.get(), &in_bytes, &in, &out_bytes, nullptr, nullptr);
    for (std::size_t bytes = 0; BrotliDecoderHasMoreOutput(decoder.get());) {
      const std::uint8_t* out = BrotliDecoderTakeOutput(decoder.get(), &bytes);
      result.append(reinterpret_cast<const char*>(out), bytes);
      bytes = 0;
      if (result.size() > kMostUnpacked)
        throw std::runtime_error(file + ": unpacked it is more than 1 GiB");
    }
    if (state == BROTLI_DECODER_RESULT_SUCCESS) break;
    if (state == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) continue;
    throw std::runtime_error(
        file + ": begins with no '{', and brotli cannot unpack it" +
        (state == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT ? ": it is cut off" : ""));
  }
  if (in_bytes != 0)
    throw std::runtime_error(file + ": " + std::to_string(in_bytes) +
                             " bytes behind what is packed");
  return result;
}

}  // namespace

std::vector<std::string> find_vt_set(const std::string& path) {
  const bool whole = fs::is_directory(path);
  const fs::path dir = whole ? fs::path(path) : fs::path(path).parent_path();
  const std::string wanted = whole ? "" : fs::path(path).filename().string();
  if (!whole && fs::exists(path)) {
    throw std::runtime_error(path +
                             ": a file; give the directory of files NAME.RANK.json, unpacked");
  }
  std::map<std::string, std::map<std::size_t, std::string>> sets;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(dir.empty() ? fs::path(".") : dir, error)) {
    const auto name = split(entry.path().filename().string());
    if (!name || (!whole && name->stem != wanted)) continue;
    const auto [at, is_new] = sets[name->stem].emplace(name->rank, entry.path().string());
    if (is_new) continue;
    throw std::runtime_error(entry.path().string() + ": rank " + std::to_string(name->rank) +
                             " has a second file, " + at->second);
  }
  if (sets.empty()) {
    throw std::runtime_error(path + (whole
                                         ? ": has no file NAME.RANK.json"
                                         : ": no such directory, nor a file " + path + ".0.json"));
  }
  if (sets.size() > 1) {
    std::string names;
    for (const auto& [stem, files] : sets) names += (names.empty() ? "" : ", ") + stem;
    throw std::runtime_error(path + ": has several sets (" + names + "); name one, as " +
                             (dir / sets.begin()->first).string());
  }
  std::vector<std::string> files;
  for (const auto& [rank, file] : sets.begin()->second) {
    if (rank != files.size()) {
      throw std::runtime_error(path + ": rank " + std::to_string(files.size()) +
                               " has no file, but rank " + std::to_string(rank) + " has " + file);
    }
    files.push_back(file);
  }
  return files;
}

std::string read_unpacked(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string content((std::istreambuf_iterator<char>(in)), {});
  if (!in) throw std::runtime_error("cannot read " + file);
  const std::size_t first = content.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) throw std::runtime_error(file + ": is empty");
  return content[first] == '{' ? content : unpacked(file, content);
}

}  // namespace bench
