#include "sandbox/catalog.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <vector>

#include "sandbox/field_checker.h"
#include "sandbox/json.h"
#include "sandbox/url.h"

namespace gateway::sandbox {
namespace {

struct Voice {
  int id;
  std::string_view name, gender, language, accent, service, engine;
};

constexpr Voice kVoices[] = {
    {1001, "Joanna", "female", "en-US", "American accent", "aws", "neural"},
    {1008, "Brian", "male", "en-GB", "British accent", "aws", "neural"},
    {1034, "Fiona", "female", "en-GB", "British accent", "google", "WaveNet"},
    {1060, "Hans", "male", "de-DE", "German accent", "google", "Neural2"},
};

// A person, in one look.
struct Avatar {
  std::string_view id, name, gender, look_id, look;
};

constexpr Avatar kAvatars[] = {
    {"a1f0", "Mira", "Female", "Mira_apron_sandbox", "Mira in an Apron"},
    {"b2e1", "Otto", "Male", "Otto_coat_sandbox", "Otto in a White Coat"},
};

struct Named {
  std::string_view id, name;
};

constexpr Named kBrands[] = {{"7d1c0001-0000-4000-8000-000000000001", "Default Brand"},
                             {"7d1c0001-0000-4000-8000-000000000002", "Bakery"}};
constexpr Named kStyles[] = {{"7d1c0002-0000-4000-8000-000000000001", "Default"},
                             {"7d1c0002-0000-4000-8000-000000000002", "Crust"}};
constexpr Named kSmartLayouts[] = {{"202511300000000000sandboxlayout1", "Loaf"},
                                   {"202511300000000000sandboxlayout2", "Crumb"}};

// One word of each list; a Track has some of several.
struct Track {
  int id;
  std::string_view title;
  int seconds;
  std::string_view group, genre, mood, instrument, purpose;
};

constexpr Track kTracks[] = {
    {101, "Morning Oven", 140, "Ambient", "Downtempo", "Calm / Serene", "Synth", "Technology"},
    {102, "First Loaf", 95, "Rock", "Indie Rock", "Happy / Bright", "Guitar - Electric",
     "Corporate / Business"},
    {103, "Long Rise", 210, "Classical", "Neo Classical", "Hopeful / Optimistic", "Piano",
     "Atmospheric"},
    {104, "Market Day", 121, "Folk", "Acoustic Folk", "Upbeat / Cheerful", "Guitar - Acoustic",
     "Road Trip"},
};

using Field = std::string_view Track::*;

// A list of words, the members of a search that choose by it, and the member of a found track.
struct List {
  std::string_view name;
  const char* chooses;
  const char* leaves_out;
  const char* member;  // null: tracks do not show it
  Field field;
};

constexpr List kLists[] = {
    {"genres", "genre", "notGenre", "genres", &Track::genre},
    {"genres/groups", "genreGroup", "notGenreGroup", nullptr, &Track::group},
    {"instruments", "instrument", "notInstrument", "instruments", &Track::instrument},
    {"moods", "mood", "notMood", "moods", &Track::mood},
    {"purposes", "purpose", "notPurpose", "purposes", &Track::purpose},
};

constexpr int kPageMin = 20;
constexpr int kPageMax = 100;
constexpr int kMediaPage = 20;
constexpr int kMediaPages = 5;

// Whether `wanted`, one word or several, names `word`.
bool Names(const Value& wanted, std::string_view word) {
  if (wanted.IsString()) return word == Text(wanted);
  if (!wanted.IsArray()) return false;
  return std::any_of(wanted.Begin(), wanted.End(),
                     [&](const Value& each) { return Names(each, word); });
}

bool Fits(const Track& track, const Value& search) {
  for (const List& list : kLists) {
    const Value* const wanted = Find(search, list.chooses);
    const Value* const unwanted = Find(search, list.leaves_out);
    if (wanted != nullptr && !Names(*wanted, track.*list.field)) return false;
    if (unwanted != nullptr && Names(*unwanted, track.*list.field)) return false;
  }
  if (track.seconds < FindNumber(search, "minDuration", 0)) return false;
  if (track.seconds > FindNumber(search, "maxDuration", 1e9)) return false;
  return track.title.find(FindText(search, "query")) != std::string_view::npos;
}

void WriteTrack(JsonOut& out, const Track& track, const std::string& origin) {
  out.Object().Field("id", track.id).Field("title", track.title);
  out.Field("audioUrl", origin + "/media/stock/sound.mp3").Field("duration", track.seconds);
  for (const List& list : kLists) {
    if (list.member == nullptr) continue;
    out.Key(list.member).Array().Put(track.*list.field).EndArray();
  }
  out.EndObject();
}

void WritePicture(JsonOut& out, const char* key, const std::string& origin) {
  out.Key(key).Object().Field("jpg", origin + "/media/stock/clip.jpg");
  out.Field("url", origin + "/media/stock/clip.mp4").EndObject();
}

template <std::size_t count>
ApiReply ListOf(const Named (&all)[count]) {
  JsonOut out;
  out.Array();
  for (const Named& each : all) {
    out.Object().Field("id", each.id).Field("name", each.name).EndObject();
  }
  return {200, out.EndArray().Take()};
}

}  // namespace

ApiReply Avatars(const std::string& origin) {
  JsonOut out;
  out.Object().Key("items").Array();
  for (const Avatar& avatar : kAvatars) {
    out.Object().Field("id", avatar.id).Field("name", avatar.name).Field("gender", avatar.gender);
    out.Key("looks").Array().Object().Field("id", avatar.look_id).Field("name", avatar.look);
    out.Field("previewImage", origin + "/media/stock/clip.jpg");
    out.Field("previewVideo", origin + "/media/stock/clip.mp4").EndObject().EndArray().EndObject();
  }
  return {200, out.EndArray().Key("nextPageKey").Put(nullptr).EndObject().Take()};
}

ApiReply Brands() { return ListOf(kBrands); }

ApiReply Styles() { return ListOf(kStyles); }

ApiReply SmartLayouts() {
  JsonOut out;
  out.Object().Key("items").Array();
  for (const Named& layout : kSmartLayouts) {
    out.Object().Field("templateId", layout.id).Field("templateName", layout.name);
    out.Field("schemaVersion", "v3").EndObject();
  }
  return {200, out.EndArray().EndObject().Take()};
}

ApiReply SearchMedia(const std::string& query, const std::string& origin) {
  const std::string keyword = QueryValue(query, "keyword");
  if (keyword.empty()) return Refused("INVALID_REQUEST", "keyword is required");
  const int page = std::max(1, std::atoi(QueryValue(query, "page").c_str()));
  JsonOut out;
  out.Object().Key("data").Object().Field("page", page).Key("searchResults").Array();
  for (int i = 0; i < kMediaPage && page <= kMediaPages; ++i) {
    const int id = 10'000'000 + (page - 1) * kMediaPage + i;
    out.Object().Field("assetId", id).Field("duration", 15).Field("id", id);
    out.Field("keyword", keyword).Field("mediaDescription", "A clip of the sandbox's: " + keyword);
    out.Field("mediaType", "video");
    WritePicture(out, "preview", origin);
    out.Field("searchLibrary", "story_blocks");
    WritePicture(out, "thumbnail", origin);
    out.EndObject();
  }
  return {200, out.EndArray().EndObject().EndObject().Take()};
}

ApiReply Voices(const std::string& origin) {
  JsonOut out;
  out.Array();
  for (const Voice& voice : kVoices) {
    out.Object().Field("accent", voice.accent).Field("category", "standard");
    out.Field("engine", voice.engine).Field("gender", voice.gender).Field("id", voice.id);
    out.Field("language", voice.language).Field("name", voice.name);
    out.Field("sample", origin + "/media/stock/sound.mp3").Field("service", voice.service);
    out.Field("ssmlSupportCategory", "B").Field("voice", voice.name).EndObject();
  }
  return {200, out.EndArray().Take()};
}

ApiReply SearchMusic(const std::string& body, const std::string& origin) {
  std::string error;
  const auto search = ParseJson(body.empty() ? "{}" : body, &error);
  if (search == nullptr || !search->IsObject()) {
    return InvalidBody({{"", "the body must be a JSON object"}});
  }
  std::vector<FieldError> errors;
  FieldChecker fields(*search, "", &errors);
  fields.Number("page", 1, 1e6);
  fields.Number("pageSize", kPageMin, kPageMax);
  if (!errors.empty()) return InvalidBody(errors);
  JsonOut out;
  out.Object().Key("items").Array();
  for (const Track& track : kTracks) {
    if (FindNumber(*search, "page", 1) > 1 || !Fits(track, *search)) continue;
    WriteTrack(out, track, origin);
  }
  return {200, out.EndArray().EndObject().Take()};
}

ApiReply MusicWords(std::string_view list) {
  for (const List& each : kLists) {
    if (each.name != list) continue;
    std::set<std::string_view> words;
    for (const Track& track : kTracks) words.insert(track.*each.field);
    JsonOut out;
    out.Array();
    for (const std::string_view word : words) out.Put(word);
    return {200, out.EndArray().Take()};
  }
  return NoSuchRoute();
}

}  // namespace gateway::sandbox
