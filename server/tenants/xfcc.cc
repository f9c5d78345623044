#include "tenants/xfcc.h"

#include <algorithm>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace gateway::tenants {
namespace {

absl::Status Broken(const char* why) {
  return absl::InvalidArgumentError(absl::StrCat("x-forwarded-client-cert ", why));
}

void Put(std::string_view key, std::string value, ClientCertificate& into) {
  const auto is = [&](const char* name) {
    return absl::EqualsIgnoreCase(absl::string_view(key.data(), key.size()), name);
  };
  if (is("By")) {
    into.by = std::move(value);
  } else if (is("Hash")) {
    into.hash = std::move(value);
  } else if (is("Subject")) {
    into.subject = std::move(value);
  } else if (is("URI") && !value.empty()) {
    into.uris.push_back(std::move(value));
  } else if (is("DNS") && !value.empty()) {
    into.dns.push_back(std::move(value));
  }
}

// Reads values one after the other.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }
  char Next() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  void SkipSpaces() {
    while (!done() && (rest_.front() == ' ' || rest_.front() == '\t')) rest_.remove_prefix(1);
  }

  // The name in front of `=`, which is taken too.
  absl::StatusOr<std::string_view> Key() {
    const std::size_t end = rest_.find_first_of("=,;\"");
    if (end == std::string_view::npos || end == 0 || rest_[end] != '=') {
      return Broken("has a part that is not NAME=VALUE");
    }
    const std::string_view key = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return key;
  }

  // A value, in quotes or up to the next separator, which is not taken.
  absl::StatusOr<std::string> Value() {
    if (!done() && rest_.front() == '"') return Quoted();
    const std::size_t end = std::min(rest_.size(), rest_.find_first_of(",;\""));
    if (end < rest_.size() && rest_[end] == '"') return Broken("has a quote inside a value");
    std::string value(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return value;
  }

 private:
  absl::StatusOr<std::string> Quoted() {
    Next();
    std::string value;
    while (!done()) {
      const char c = Next();
      if (c == '"') return value;
      if (c == '\\') {
        if (done()) break;
        value.push_back(Next());
      } else {
        value.push_back(c);
      }
    }
    return Broken("has a quote that does not end");
  }

  std::string_view rest_;
};

}  // namespace

absl::StatusOr<ClientCertificate> ParseXfcc(std::string_view header) {
  Reader reader(header);
  ClientCertificate last;
  if (reader.done()) return Broken("is empty");
  while (true) {
    reader.SkipSpaces();
    const absl::StatusOr<std::string_view> key = reader.Key();
    if (!key.ok()) return key.status();
    absl::StatusOr<std::string> value = reader.Value();
    if (!value.ok()) return value.status();
    Put(*key, *std::move(value), last);
    reader.SkipSpaces();
    if (reader.done()) return last;
    const char separator = reader.Next();
    if (separator == ',') {
      last = {};
    } else if (separator != ';') {
      return Broken("has text behind a quoted value");
    }
  }
}

}  // namespace gateway::tenants
