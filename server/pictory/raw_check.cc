#include "pictory/raw_check.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "base/limits.h"
#include "json/proto_plan.h"
#include "json/unknown_members.h"
#include "pictory/did_you_mean.h"
#include "pictory/jobs/v1/storyboard.pb.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;

constexpr char kWebhook[] = "webhook";

std::string Article(json::Type type) {
  const std::string name(json::TypeName(type));
  const bool vowel =
      !name.empty() && std::string_view("aeiou").find(name[0]) != std::string_view::npos;
  return (vowel ? "an " : "a ") + name;
}

// The top level of a v1 storyboard, which has no message of its own.
const std::vector<std::string>& V1Keys() {
  static const auto* const kKeys = new std::vector<std::string>{
      "videoName",   "videoDescription",      "language",          "webhook",    "videoWidth",
      "videoHeight", "autoHighlightKeywords", "brandLogo",         "textStyles", "audio",
      "voiceOver",   "splitTextOnNewLine",    "splitTextOnPeriod", "scenes"};
  return *kKeys;
}

bool Contains(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool Has(const json::Outline& body, std::string_view key) {
  const json::Member* const member = body.Find(key);
  return member != nullptr && member->type != json::Type::kNull;
}

// A key as messages and field paths may show it: anybody may have made it, so it is cleaned.
std::string ShownKey(std::string_view key) { return errors::Clean(key); }

// Tells of a member that is not one of `known`; `elsewhere`, if not empty, is where it belongs.
// Returns which of them it was probably meant to be, if any.
std::string TellUnknown(const Path& object, const std::string& key,
                        const std::vector<std::string>& known, std::string_view elsewhere,
                        Violations& violations) {
  std::string text = "is not a member Pictory knows here, and would be dropped silently";
  std::string closest = ClosestWord(key, known);
  if (!closest.empty()) {
    absl::StrAppend(&text, "; did you mean ", closest, "?");
  } else if (!elsewhere.empty()) {
    absl::StrAppend(&text, "; it belongs to ", std::string(elsewhere));
  }
  absl::StrAppend(&text, " (allow_unknown_fields sends it all the same)");
  violations.Add(Under(object, ShownKey(key)), std::move(text));
  return closest;
}

// Checks the top level of a v1 storyboard. Pictory's pages do not agree on what is below it.
// Returns the members of the top level that unknown ones were probably meant to be.
std::vector<std::string> CheckV1Members(const Path& path, const json::Outline& body,
                                        Violations& violations) {
  const std::vector<std::string> other = json::KnownKeys(v1::Storyboard::descriptor());
  std::vector<std::string> meant;
  for (const json::Member& member : body.members) {
    if (violations.full()) break;
    if (Contains(V1Keys(), member.key)) continue;
    meant.push_back(TellUnknown(path, member.key, V1Keys(),
                                Contains(other, member.key) ? "a v2 body" : "", violations));
  }
  return meant;
}

// Checks the members of a body that is described by `message`, at every depth. Returns the same.
std::vector<std::string> CheckMembers(const Path& path, const json::Outline& body,
                                      const google::protobuf::Descriptor* message,
                                      const std::vector<std::string>& v1_keys,
                                      Violations& violations) {
  std::vector<std::string> meant;
  const auto unknown = json::FindUnknown(body.root, RawLimits(), message, limits::kViolationsMax);
  if (!unknown.ok()) return meant;  // never: CheckRawValue has read it
  for (const json::UnknownMember& member : *unknown) {
    const bool top = member.object.empty();
    std::string closest = TellUnknown(
        top ? path : Under(path, member.object), member.key, json::KnownKeys(member.message),
        top && Contains(v1_keys, member.key) ? "a v1 body" : "", violations);
    if (top) meant.push_back(std::move(closest));
  }
  return meant;
}

void Require(const Path& path, std::string_view key, const std::vector<std::string>& meant,
             Violations& violations) {
  if (Contains(meant, key)) return;  // said already, in better words
  violations.Add(Under(path, key), "is required");
}

}  // namespace

json::Limits RawLimits() { return {.max_members = limits::kJsonMembersMax}; }

bool CheckRawValue(const Path& path, std::string_view text, json::Type expected,
                   Violations& violations, json::Outline* outline, json::Reading reading) {
  json::Outline own;
  json::Outline& found = outline != nullptr ? *outline : own;
  found.elements = false;
  json::Limits limits = RawLimits();
  limits.reading = reading;
  const absl::Status checked = json::Check(text, limits, &found);
  if (!checked.ok()) {
    found = {};
    violations.Add(
        path, absl::StrCat("is not usable JSON: ", errors::Clean(std::string(checked.message()))));
    return false;
  }
  if (expected != json::Type::kAbsent && found.type != expected) {
    std::string text_of =
        absl::StrCat("must be ", Article(expected), ", not ", Article(found.type));
    if (found.Find("transcript") != nullptr) text_of += "; pass the value of its `transcript`";
    violations.Add(path, std::move(text_of));
    found = {};
    return false;
  }
  return true;
}

bool IsEmptyArray(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t open = text.find_first_not_of(kSpace);
  if (open == std::string_view::npos || text[open] != '[') return false;
  const std::size_t next = text.find_first_not_of(kSpace, open + 1);
  return next != std::string_view::npos && text[next] == ']';
}

void CheckRawStoryboard(const Path& path, const json::Outline& body, v1::PathVersion version,
                        bool allow_unknown_keys, Violations& violations) {
  if (body.Find(kWebhook) != nullptr) violations.Add(Under(path, kWebhook), kWebhookIsOurs);
  const bool old = version == v1::PATH_VERSION_V1;
  std::vector<std::string> meant;
  if (!allow_unknown_keys) {
    meant = old ? CheckV1Members(path, body, violations)
                : CheckMembers(path, body, v1::Storyboard::descriptor(), V1Keys(), violations);
  }
  if (!Has(body, "videoName")) Require(path, "videoName", meant, violations);
  if (!Has(body, "scenes") && (old || !Has(body, "templateId"))) {
    Require(path, "scenes", meant, violations);
  }
  const json::Member* const scenes = body.Find("scenes");
  if (scenes != nullptr && scenes->type != json::Type::kNull &&
      scenes->type != json::Type::kArray) {
    violations.Add(Under(path, "scenes"), "must be an array");
  }
  if (old) return;
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kPairs = {
      {{"brandId", "brandName"},
       {"subtitleStyleId", "subtitleStyleName"},
       {"smartLayoutId", "smartLayoutName"}}};
  for (const auto& [id, name] : kPairs) {
    if (Has(body, id) && Has(body, name)) {
      violations.Add(Under(path, name), "cannot stand together with " + std::string(id));
    }
  }
  if (Has(body, "videoWidth") != Has(body, "videoHeight")) {
    violations.Add(Under(path, Has(body, "videoWidth") ? "videoHeight" : "videoWidth"),
                   "is required: width and height go together");
  }
}

void CheckRawRenderParams(const Path& path, const json::Outline& body, Violations& violations) {
  if (body.Find(kWebhook) != nullptr) violations.Add(Under(path, kWebhook), kWebhookIsOurs);
  const bool wrapped = body.Find("renderParams") != nullptr ||
                       (body.Find("success") != nullptr && body.Find("data") != nullptr);
  if (wrapped) {
    violations.Add(path,
                   "must be the content of renderParams, not an object around it: Pictory takes "
                   "{\"renderParams\":{…}} and renders nothing usable");
  } else if (body.members.empty()) {
    violations.Add(path, "must not be empty");
  }
}

void CheckRawBody(const Path& path, const json::Outline& body,
                  const google::protobuf::Descriptor* typed, Violations& violations) {
  if (body.Find(kWebhook) != nullptr) violations.Add(Under(path, kWebhook), kWebhookIsOurs);
  if (typed != nullptr) CheckMembers(path, body, typed, {}, violations);
}

std::vector<std::string> CheckLikelyMisspelt(const Path& path, const json::Outline& body,
                                             const google::protobuf::Descriptor* typed,
                                             Violations& violations) {
  const std::vector<std::string> known = json::KnownKeys(typed);
  std::vector<std::string> meant;
  for (const json::Member& member : body.members) {
    if (violations.full()) break;
    if (Contains(known, member.key)) continue;
    std::string closest = ClosestWord(member.key, known);
    if (closest.empty() || body.Find(closest) != nullptr) continue;
    violations.Add(Under(path, ShownKey(member.key)),
                   absl::StrCat("is not a member that Pictory publishes; did you mean ", closest,
                                "? (allow_unknown_fields sends it all the same)"));
    meant.push_back(std::move(closest));
  }
  return meant;
}

void CheckExtra(const Path& path, std::string_view text, bool top,
                const std::function<bool(const std::string& key)>& taken, Violations& violations) {
  json::Outline extra;
  if (!CheckRawValue(path, text, json::Type::kObject, violations, &extra)) return;
  for (const json::Member& member : extra.members) {
    if (violations.full()) return;
    if (top && member.key == kWebhook) {
      violations.Add(Under(path, kWebhook), kWebhookIsOurs);
    } else if (taken(member.key)) {
      violations.Add(Under(path, ShownKey(member.key)),
                     "has its own place in this request: set it there");
    }
  }
}

}  // namespace gateway::pictory
