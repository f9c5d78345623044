// A View is a look at one JSON value of an answer: what type it has, and what lies in it. It is
// read as forgivingly as all answers of Pictory's. The text must outlive the view.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/transport.h"
#include "json/check.h"

namespace gateway::contract {

class View {
 public:
  explicit View(std::string_view text);

  bool Is(json::Type type) const { return outline_.type == type; }
  // The member; absent if there is none.
  View At(std::string_view member) const;
  // Whether there is a member of that type.
  bool Has(std::string_view member, json::Type type) const;
  bool Has(std::string_view member) const;  // of any type but null
  std::string Text() const;                 // of a scalar
  std::string_view Raw() const { return outline_.root; }
  std::vector<View> Elements() const;  // of an array

  // What it is, for people: `an object of data (object), success (bool)`. Names that do not look
  // like names, and all values, are left out.
  std::string Words() const;

 private:
  json::Outline outline_;
};

// `HTTP 200, an object of …`, or why there is no whole answer.
std::string Seen(const http::Response& response);

// Whether the answer says something of the call: it is whole, and neither a 429 nor a server's
// trouble.
bool Answered(const http::Response& response);

// A word of Pictory's that may be shown: a short one, of letters and signs between them.
// Otherwise `another word`.
std::string Shown(std::string_view word);

}  // namespace gateway::contract
