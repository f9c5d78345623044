#include "sandbox/field_checker.h"

#include <algorithm>

namespace gateway::sandbox {
namespace {

// Counts characters. Pictory would count UTF-16 units; characters are near enough.
std::size_t Characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

bool IsWebUrl(std::string_view url) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (url.substr(0, scheme.size()) != scheme) continue;
    const char first = url.size() > scheme.size() ? url[scheme.size()] : '/';
    return first != '/' && first != '?' && first != ' ' &&
           url.find_first_of(" \t\r\n") == std::string_view::npos;
  }
  return false;
}

std::string FieldChecker::Path(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

void FieldChecker::Wrong(std::string_view key, std::string_view why) {
  errors_->push_back({Path(key), "\"" + Path(key) + "\" " + std::string(why)});
}

bool FieldChecker::IsObject(const char* key) {
  if (!Has(key)) return false;
  if (Get(key)->IsObject()) return true;
  Wrong(key, "must be an object");
  return false;
}

bool FieldChecker::IsArray(const char* key, std::size_t least, std::size_t most) {
  if (!Has(key)) return false;
  if (!Get(key)->IsArray()) {
    Wrong(key, "must be an array");
    return false;
  }
  const std::size_t size = Get(key)->Size();
  if (size < least || size > most) {
    Wrong(key, "must hold " + std::to_string(least) + " to " + std::to_string(most) + " items");
  }
  return true;
}

void FieldChecker::String(const char* key, std::size_t most, std::size_t least) {
  if (!Has(key)) return;
  if (!Get(key)->IsString()) return Wrong(key, "must be a string");
  const std::size_t length = Characters(Text(*Get(key)));
  if (length > most) {
    Wrong(key, "length must be at most " + std::to_string(most) + " characters");
  } else if (length < least) {
    Wrong(key, "length must be at least " + std::to_string(least) + " characters");
  }
}

void FieldChecker::Bool(const char* key) {
  if (Has(key) && !ToBool(Get(key))) Wrong(key, "must be a boolean");
}

void FieldChecker::Number(const char* key, double least, double most) {
  if (!Has(key)) return;
  const std::optional<double> number = ToNumber(Get(key));
  if (!number) {
    Wrong(key, "must be a number");
  } else if (*number < least || *number > most) {
    Wrong(key, "is out of range");
  }
}

void FieldChecker::OneOf(const char* key, std::span<const std::string_view> words) {
  if (!Has(key)) return;
  const Value& value = *Get(key);
  const bool known =
      value.IsString() && std::find(words.begin(), words.end(), Text(value)) != words.end();
  if (!known) Wrong(key, "is not one of the allowed values");
}

void FieldChecker::Exclusive(const char* a, const char* b) {
  if (Has(a) && Has(b)) Wrong(a, "and \"" + Path(b) + "\" must not be used together");
}

void FieldChecker::Url(const char* key) {
  if (Has(key) && (!Get(key)->IsString() || !IsWebUrl(Text(*Get(key))))) {
    Wrong(key, "must be a valid http or https URL");
  }
}

}  // namespace gateway::sandbox
