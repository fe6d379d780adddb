#ifndef ROAM_BENCH_JSON_FIELD_H_
#define ROAM_BENCH_JSON_FIELD_H_

#include <rapidjson/document.h>

#include <cstdint>
#include <string>

namespace bench {

// A value of a JSON file and the way to it, so that a refusal says where what was found:
//
//   data.3.json: phases[0].tasks[17].time is "fast"; a number, 0 or more, is needed
//
// Errors, of all: std::runtime_error.
class JsonField {
 public:
  // The whole of a file.
  JsonField(const rapidjson::Value& value, const std::string& file) : value_(&value), file_(file) {}

  // Whether an object has `name`. A value that is no object is refused.
  bool has(const char* name) const;
  // A member of an object; refused where there is none.
  JsonField operator[](const char* name) const;
  // Entries of an array; refused where it is none.
  std::size_t size() const;
  JsonField at(std::size_t index) const;

  double amount() const;        // a number, 0 or more
  std::uint64_t bytes() const;  // whole or not, up to 2^62
  std::int64_t whole(std::int64_t low, std::int64_t high) const;
  bool boolean() const;
  std::string text() const;

  // Refuses the value: it is not what is `needed`.
  [[noreturn]] void refuse(const std::string& needed) const;

 private:
  JsonField(const rapidjson::Value* value, const std::string& file, std::string way)
      : value_(value), file_(file), way_(std::move(way)) {}

  const rapidjson::Value* value_;
  const std::string& file_;
  std::string way_;
};

}  // namespace bench

#endif  // ROAM_BENCH_JSON_FIELD_H_
