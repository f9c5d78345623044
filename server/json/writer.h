// A Writer writes compact JSON, without white space, by appending to a string.
//
// The caller keeps the grammar (a Key before each value of an object, every Start ended); the
// Writer sets the commas. Numbers JSON cannot hold and strings that are not UTF-8 make `ok()` false
// for good and write `null` and `""` in their place, so that no half-written document goes
// unnoticed.
//
// It is not thread-safe. The string must outlive the Writer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gateway::json {

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void StartObject() { Open('{'); }
  void EndObject() { Close('}'); }
  void StartArray() { Open('['); }
  void EndArray() { Close(']'); }

  void Key(std::string_view key);
  // `"key":`, quoted and escaped beforehand by QuotedKey().
  void KeyAsIs(std::string_view quoted) {
    Comma();
    out_.append(quoted);
    fresh_ = true;
  }

  void String(std::string_view value);
  void Int(std::int64_t value);
  void Uint(std::uint64_t value);
  void Double(double value);  // the shortest text that reads back as the same number
  void Bool(bool value);
  void Null();
  // A whole JSON value, as the bytes it has.
  void Raw(std::string_view value);
  // Members of an object in the making, `"a":1,"b":2`, as the bytes they have; none is fine.
  void Members(std::string_view members);

  bool ok() const { return ok_; }

 private:
  void Comma() {
    if (!fresh_) out_.push_back(',');
    fresh_ = false;
  }
  void Open(char bracket) {
    Comma();
    out_.push_back(bracket);
    fresh_ = true;
  }
  void Close(char bracket) {
    out_.push_back(bracket);
    fresh_ = false;
  }

  std::string& out_;
  bool fresh_ = true;  // no comma before what comes next
  bool ok_ = true;
};

// `"key":` with what needs escaping escaped.
std::string QuotedKey(std::string_view key);

// Appends `value` in quotes. False, with `""` appended, if it is not UTF-8.
bool AppendString(std::string& out, std::string_view value);

}  // namespace gateway::json
