#include "bench/json_field.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cmath>
#include <stdexcept>
#include <utility>

namespace bench {
namespace {

constexpr std::size_t kShown = 60;  // characters of a refused value
constexpr double kMostBytes = 0x1p62;

std::string shown(const rapidjson::Value& value) {
  if (value.IsObject()) return "an object";
  if (value.IsArray()) return "an array";
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  std::string text = buffer.GetString();
  if (text.size() > kShown) text.replace(kShown, text.size(), "...");
  return text;
}

}  // namespace

void JsonField::refuse(const std::string& needed) const {
  throw std::runtime_error(file_ + ": " + (way_.empty() ? "the whole" : way_) + " is " +
                           shown(*value_) + "; " + needed + " is needed");
}

bool JsonField::has(const char* name) const {
  if (!value_->IsObject()) refuse("an object");
  return value_->HasMember(name);
}

JsonField JsonField::operator[](const char* name) const {
  std::string way = way_.empty() ? name : way_ + "." + name;
  if (!has(name)) throw std::runtime_error(file_ + ": " + way + " is missing");
  return {&(*value_)[name], file_, std::move(way)};
}

std::size_t JsonField::size() const {
  if (!value_->IsArray()) refuse("an array");
  return value_->Size();
}

JsonField JsonField::at(std::size_t index) const {
  return {&(*value_)[static_cast<rapidjson::SizeType>(index)], file_,
          way_ + "[" + std::to_string(index) + "]"};
}

double JsonField::amount() const {
  if (!value_->IsNumber() || !(value_->GetDouble() >= 0) || !std::isfinite(value_->GetDouble()))
    refuse("a number, 0 or more,");
  return value_->GetDouble();
}

std::uint64_t JsonField::bytes() const {
  if (!value_->IsNumber() || !(value_->GetDouble() >= 0) || value_->GetDouble() > kMostBytes)
    refuse("a number of bytes from 0 to 2^62");
  return value_->IsUint64() ? value_->GetUint64()
                            : static_cast<std::uint64_t>(std::llround(value_->GetDouble()));
}

std::int64_t JsonField::whole(std::int64_t low, std::int64_t high) const {
  if (!value_->IsInt64() || value_->GetInt64() < low || value_->GetInt64() > high) {
    refuse("a whole number from " + std::to_string(low) + " to " + std::to_string(high));
  }
  return value_->GetInt64();
}

bool JsonField::boolean() const {
  if (!value_->IsBool()) refuse("true or false");
  return value_->GetBool();
}

std::string JsonField::text() const {
  if (!value_->IsString()) refuse("a text");
  return {value_->GetString(), value_->GetStringLength()};
}

}  // namespace bench
