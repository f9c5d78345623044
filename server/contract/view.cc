#include "contract/view.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "pictory/envelope.h"
#include "pictory/http_reply.h"

namespace gateway::contract {
namespace {

constexpr std::size_t kMembersShown = 12;

// Letters and `_` and `-` make names; digits make ids, keys and numbers of accounts.
bool IsPlain(std::string_view name) {
  return !name.empty() && name.size() <= limits::kContractWordMaxBytes &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
         });
}

}  // namespace

View::View(std::string_view text) {
  json::Limits limits = pictory::kReplyLimits;
  outline_.elements = false;
  if (text.empty() || !json::Check(text, limits, &outline_).ok()) outline_ = {};
}

View View::At(std::string_view member) const {
  const json::Member* const found = outline_.Find(member);
  return View(found == nullptr ? std::string_view() : found->value);
}

bool View::Has(std::string_view member, json::Type type) const {
  const json::Member* const found = outline_.Find(member);
  return found != nullptr && found->type == type;
}

bool View::Has(std::string_view member) const {
  const json::Member* const found = outline_.Find(member);
  return found != nullptr && found->type != json::Type::kNull;
}

std::string View::Text() const { return json::Text(outline_.root); }

std::vector<View> View::Elements() const {
  std::vector<View> views;
  if (!Is(json::Type::kArray)) return views;
  for (const std::string_view element : json::Elements(outline_.root)) views.emplace_back(element);
  return views;
}

std::string View::Words() const {
  if (Is(json::Type::kAbsent)) return "no JSON";
  if (!Is(json::Type::kObject)) return std::string(json::TypeName(outline_.type));
  std::string words;
  std::size_t shown = 0;
  for (const json::Member& member : outline_.members) {
    if (!IsPlain(member.key) || shown == kMembersShown) continue;
    absl::StrAppend(&words, words.empty() ? "" : ", ", member.key, " (",
                    std::string(json::TypeName(member.type)), ")");
    ++shown;
  }
  if (shown == 0) return outline_.members.empty() ? "an empty object" : "an object";
  return absl::StrCat("an object of ", words, shown < outline_.members.size() ? " and more" : "");
}

std::string Seen(const http::Response& response) {
  const std::string head = pictory::Describe(response);
  if (response.outcome != http::Response::Outcome::kComplete) return head;
  if (response.body.empty()) return absl::StrCat(head, ", nothing in it");
  return absl::StrCat(head, ", ", View(response.body).Words());
}

bool Answered(const http::Response& response) {
  return response.outcome == http::Response::Outcome::kComplete && response.status != 429 &&
         response.status < 500;
}

std::string Shown(std::string_view word) {
  return IsPlain(word) ? std::string(word) : std::string("another word");
}

}  // namespace gateway::contract
