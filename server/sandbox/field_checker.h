// A FieldChecker checks the fields of a request body and collects all that is wrong with them, as
// the entries of `fields` in Pictory's 400. Numbers and booleans may be written as strings.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/json.h"

namespace gateway::sandbox {

struct FieldError {
  std::string name;
  std::string errors;
};

// Whether a URL is http or https, with a host and without blanks.
bool IsWebUrl(std::string_view url);

// The fields of one JSON object. Its path, such as `scenes[0].background`, begins the name of every
// error. `object` and `errors` must outlive it. Fields that are missing or null pass every check.
class FieldChecker {
 public:
  FieldChecker(const Value& object, std::string path, std::vector<FieldError>* errors)
      : object_(object), path_(std::move(path)), errors_(errors) {}

  const Value* Get(const char* key) const { return Find(object_, key); }
  bool Has(const char* key) const { return Get(key) != nullptr; }
  std::string Path(std::string_view key) const;
  void Wrong(std::string_view key, std::string_view why);

  // A checker for the object at `key`, or at a place of the array there.
  FieldChecker Inside(const char* key) const { return {*Get(key), Path(key), errors_}; }
  FieldChecker Item(const Value& item, std::string_view key, int index) const {
    return {item, Path(key) + "[" + std::to_string(index) + "]", errors_};
  }

  // True if there is a value of this type.
  bool IsObject(const char* key);
  bool IsArray(const char* key, std::size_t least, std::size_t most);  // also if too long or short

  void String(const char* key, std::size_t most, std::size_t least = 0);  // in characters
  void Bool(const char* key);
  void Number(const char* key, double least, double most);
  void OneOf(const char* key, std::span<const std::string_view> words);
  void Exclusive(const char* a, const char* b);
  void Url(const char* key);

 private:
  const Value& object_;
  const std::string path_;
  std::vector<FieldError>* const errors_;
};

}  // namespace gateway::sandbox
