#include "request_object.h"

#include <functional>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "json_text.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

// A Take takes a member's value, or says what the value should have been.
using Take = std::function<const char*(std::string_view value)>;

absl::Status ReadObject(const std::string& text, const std::string& name, bool allow_unknown,
                        const std::map<std::string, Take>& known, std::string* extra_json) {
  std::string wrong;
  const auto complain = [&wrong](const std::string& key, const std::string& what) {
    absl::StrAppend(&wrong, "\n  ", OneLine(key), ": ", what);
  };
  std::vector<std::string> names;
  for (const auto& [key, take] : known) names.push_back(key);
  std::set<std::string> seen;
  std::string extra;
  for (const JsonMember& member : MembersOf(text)) {
    if (!seen.insert(member.key).second) {
      complain(member.key, "is there twice");
    } else if (member.key == "webhook") {
      complain(member.key, "is the gateway's own; use --watch, or `pictory watch JOB`");
    } else if (const auto found = known.find(member.key); found != known.end()) {
      if (JsonKind(member.value) == 'n') continue;  // null: as if it were not there
      if (const char* wanted = found->second(member.value)) complain(member.key, wanted);
    } else if (allow_unknown) {
      absl::StrAppend(&extra, extra.empty() ? "" : ",", std::string(member.whole));
    } else {
      const std::string nearest = Nearest(member.key, names);
      complain(member.key,
               nearest.empty()
                   ? "Pictory knows no such field here; --allow-unknown-fields sends it anyway"
                   : "is not known; did you mean " + nearest + "?");
    }
  }
  if (!wrong.empty())
    return absl::InvalidArgumentError(absl::StrCat(name, ": the request is wrong:", wrong));
  if (!extra.empty()) *extra_json = "{" + extra + "}";
  return absl::OkStatus();
}

template <class Set>
Take String(Set set) {
  return [set](std::string_view value) -> const char* {
    const auto text = JsonString(value);
    if (!text) return "must be a string";
    set(*text);
    return nullptr;
  };
}

template <class Set>
Take RawArray(Set set) {
  return [set](std::string_view value) -> const char* {
    if (JsonKind(value) != '[') return "must be an array";
    set(std::string(value));
    return nullptr;
  };
}

const char* ReadClips(std::string_view value, TranscribeRequest& request) {
  static constexpr char kWanted[] = R"(must be an array of {"start":…,"end":…} in seconds)";
  if (JsonKind(value) != '[') return kWanted;
  for (const std::string_view element : ElementsOf(value)) {
    if (JsonKind(element) != '{') return kWanted;
    auto* clip = request.add_highlights();
    for (const JsonMember& member : MembersOf(element)) {
      const auto number = JsonNumber(member.value);
      if (!number) return kWanted;
      if (member.key == "start") {
        clip->set_start(*number);
      } else if (member.key == "end") {
        clip->set_end(*number);
      } else {
        return kWanted;
      }
    }
  }
  return nullptr;
}

}  // namespace

absl::Status ReadTranscribe(const std::string& text, const std::string& name,
                            TranscribeRequest& request) {
  const Take clips = [&](std::string_view value) { return ReadClips(value, request); };
  const absl::Status read = ReadObject(
      text, name, request.allow_unknown_fields(),
      {{"fileUrl", String([&](const std::string& url) { request.set_file_url(url); })},
       {"mediaType", String([&](const std::string& type) { request.set_media_type(type); })},
       {"language", String([&](const std::string& language) { request.set_language(language); })},
       {"transcript",
        RawArray([&](std::string raw) { request.set_transcript_json(std::move(raw)); })},
       {"highlights", clips},
       {"highlight", clips}},
      request.mutable_extra_json());
  if (!read.ok()) return read;
  if (request.file_url().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": the request is wrong:\n  fileUrl: is missing"));
  }
  return absl::OkStatus();
}

absl::Status ReadSummarize(const std::string& text, const std::string& name,
                           SummarizeRequest& request) {
  if (JsonKind(text) == '[') {
    request.set_transcript_json(text);
    return absl::OkStatus();
  }
  const absl::Status read = ReadObject(
      text, name, request.allow_unknown_fields(),
      {{"transcript",
        RawArray([&](std::string raw) { request.set_transcript_json(std::move(raw)); })},
       {"highlight_duration",
        [&](std::string_view value) -> const char* {
          const auto seconds = JsonInteger(value);
          if (!seconds || *seconds <= 0) return "must be a whole number of seconds above 0";
          request.set_highlight_duration_seconds(*seconds);
          return nullptr;
        }},
       {"duration",
        [&](std::string_view value) -> const char* {
          const auto seconds = JsonNumber(value);
          if (!seconds) return "must be a number of seconds";
          request.set_duration_seconds(*seconds);
          return nullptr;
        }},
       {"language", String([&](const std::string& language) { request.set_language(language); })}},
      request.mutable_extra_json());
  if (!read.ok()) return read;
  if (request.transcript_json().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": the request is wrong:\n  transcript: is missing"));
  }
  return absl::OkStatus();
}

}  // namespace pictory_jobs::cli
