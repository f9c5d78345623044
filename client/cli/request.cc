#include "request.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "base/media_type.h"
#include "json_text.h"
#include "request_object.h"

namespace pictory_jobs::cli {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::size_t kVideoNameMaxBytes = 60;  // of a name made from the story

std::string Shown(const std::string& path) { return path == "-" ? "stdin" : path; }

absl::StatusOr<std::string> ReadStream(std::istream& in, const std::string& name) {
  std::string bytes;
  std::array<char, 65536> block;
  while (in.read(block.data(), block.size()) || in.gcount() > 0) {
    bytes.append(block.data(), static_cast<std::size_t>(in.gcount()));
    if (bytes.size() > gateway::limits::kRequestMaxBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, ": larger than 16 MiB, the most a gateway takes"));
    }
  }
  if (in.bad()) return absl::InvalidArgumentError(absl::StrCat(name, ": cannot be read"));
  if (bytes.compare(0, kByteOrderMark.size(), kByteOrderMark) == 0)
    bytes.erase(0, kByteOrderMark.size());
  return bytes;
}

// A file that is one JSON value of one of `kinds` (first bytes, such as "{[").
absl::StatusOr<std::string> ReadJson(const Files& files, const std::string& path,
                                     std::string_view kinds, std::string_view wanted) {
  absl::StatusOr<std::string> text = files.read(path);
  if (!text.ok()) return text;
  if (const auto error = CheckJson(*text)) {
    return absl::InvalidArgumentError(absl::StrCat(
        Shown(path), ":", error->line, ":", error->column, ": this is not JSON: ", error->what));
  }
  if (kinds.find(JsonKind(*text)) == kinds.npos) {
    return absl::InvalidArgumentError(
        absl::StrCat(Shown(path), ": the JSON must be ", std::string(wanted)));
  }
  return text;
}

template <class Request>
Request Begin(const Invocation& invocation) {
  Request request;
  request.set_request_id(invocation.request_id);
  request.set_allow_unknown_fields(invocation.allow_unknown_fields);
  for (const auto& [key, value] : invocation.labels) (*request.mutable_labels())[key] = value;
  return request;
}

bool IsName(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
}

// The story's first words as far as a name may hold them; the same story gives the same name, so
// that a repetition with its request_id is the same request.
std::string NameFrom(std::string_view story) {
  std::string name;
  for (const char c : story) {
    if (name.size() >= kVideoNameMaxBytes || ((c == '.' || c == '\n') && name.size() > 3)) break;
    if (IsName(c)) {
      name.push_back(c);
    } else if (!name.empty() && name.back() != ' ') {
      name.push_back(' ');
    }
  }
  while (!name.empty() && name.back() == ' ') name.pop_back();
  return name.empty() ? "Untitled" : name;
}

absl::StatusOr<SubmitRequest> PreviewFromText(const Invocation& invocation, std::string story) {
  auto request = Begin<CreatePreviewRequest>(invocation);
  if (std::all_of(story.begin(), story.end(),
                  [](unsigned char c) { return std::isspace(c) != 0; })) {
    return absl::InvalidArgumentError("The story is empty");
  }
  auto& storyboard = *request.mutable_storyboard();
  storyboard.set_video_name(invocation.name.empty() ? NameFrom(story) : invocation.name);
  if (!invocation.aspect_ratio.empty()) storyboard.set_aspect_ratio(invocation.aspect_ratio);
  if (!invocation.voice.empty()) {
    storyboard.mutable_voice_over()->set_enabled(true);
    storyboard.mutable_voice_over()->add_ai_voices()->set_speaker(invocation.voice);
  }
  auto& scene = *storyboard.add_scenes();
  scene.set_story(std::move(story));
  scene.set_create_scene_on_new_line(true);
  scene.set_create_scene_on_end_of_sentence(true);
  return request;
}

absl::StatusOr<SubmitRequest> BuildPreview(const Invocation& invocation, const Files& files) {
  if (invocation.text) return PreviewFromText(invocation, *invocation.text);
  if (!invocation.text_file.empty()) {
    absl::StatusOr<std::string> story = files.read(invocation.text_file);
    if (!story.ok()) return story.status();
    return PreviewFromText(invocation, *std::move(story));
  }
  absl::StatusOr<std::string> body = ReadJson(
      files, invocation.source, "{", "a storyboard object; for plain text use --text-file");
  if (!body.ok()) return body.status();
  auto request = Begin<CreatePreviewRequest>(invocation);
  request.set_storyboard_json(*std::move(body));
  return request;
}

enum class Body { kEither, kStoryboard, kRenderParams };

absl::StatusOr<SubmitRequest> RenderFromFile(const Invocation& invocation, const Files& files,
                                             const std::string& path, Body body) {
  absl::StatusOr<std::string> text =
      ReadJson(files, path, "{", "an object: a storyboard or renderParams");
  if (!text.ok()) return text.status();
  if (body == Body::kEither) {
    bool output = false;
    bool video_name = false;
    for (const JsonMember& member : MembersOf(*text)) {
      if (member.key == "renderParams") {
        return absl::InvalidArgumentError(
            absl::StrCat(Shown(path),
                         ": this is a preview's result; give its job instead, or save the "
                         "parameters alone with\n"
                         "  pictory result JOB --part render-params -o params.json"));
      }
      output = output || member.key == "output";
      video_name = video_name || member.key == "videoName";
    }
    body = output && !video_name ? Body::kRenderParams : Body::kStoryboard;
  }
  auto request = Begin<RenderRequest>(invocation);
  if (body == Body::kRenderParams) {
    request.set_render_params_json(*std::move(text));
  } else {
    request.set_storyboard_json(*std::move(text));
  }
  return request;
}

// Nobody names a job like that.
bool LooksLikeFile(const std::string& source) {
  return source.find('/') != std::string::npos || source.find('.') != std::string::npos;
}

absl::StatusOr<SubmitRequest> BuildRender(const Invocation& invocation, const Files& files) {
  if (!invocation.storyboard_file.empty()) {
    return RenderFromFile(invocation, files, invocation.storyboard_file, Body::kStoryboard);
  }
  if (!invocation.render_params_file.empty()) {
    return RenderFromFile(invocation, files, invocation.render_params_file, Body::kRenderParams);
  }
  const std::string& source = invocation.source;
  if (source == "-" || files.exists(source) || LooksLikeFile(source)) {
    return RenderFromFile(invocation, files, source, Body::kEither);
  }
  auto request = Begin<RenderRequest>(invocation);
  if (!invocation.project.empty()) {
    request.set_project_id(invocation.project);
  } else {
    request.set_preview_job_id(invocation.preview_job.empty() ? source : invocation.preview_job);
  }
  return request;
}

bool IsUrl(const std::string& source) {
  return source.rfind("https://", 0) == 0 || source.rfind("http://", 0) == 0;
}

absl::StatusOr<SubmitRequest> BuildTranscribe(const Invocation& invocation, const Files& files) {
  auto request = Begin<TranscribeRequest>(invocation);
  if (IsUrl(invocation.source)) {
    request.set_file_url(invocation.source);
  } else if (!UploadsFirst(invocation)) {
    absl::StatusOr<std::string> text =
        ReadJson(files, invocation.source, "{", R"(an object such as {"fileUrl":"https://…"})");
    if (!text.ok()) return text.status();
    const absl::Status read = ReadTranscribe(*text, Shown(invocation.source), request);
    if (!read.ok()) return read;
  }
  if (!invocation.language.empty()) request.set_language(invocation.language);
  if (!invocation.media_type.empty()) request.set_media_type(invocation.media_type);
  return request;
}

absl::StatusOr<SubmitRequest> BuildSummarize(const Invocation& invocation, const Files& files) {
  auto request = Begin<SummarizeRequest>(invocation);
  const std::string& source = invocation.source;
  if (source == "-" || files.exists(source) || LooksLikeFile(source)) {
    absl::StatusOr<std::string> text =
        ReadJson(files, source, "{[",
                 R"(a transcript array, or {"transcript":[…],"highlight_duration":60})");
    if (!text.ok()) return text.status();
    const absl::Status read = ReadSummarize(*text, Shown(source), request);
    if (!read.ok()) return read;
  } else {
    request.set_transcription_job_id(source);
  }
  if (!invocation.language.empty()) request.set_language(invocation.language);
  if (invocation.seconds) request.set_highlight_duration_seconds(*invocation.seconds);
  if (request.highlight_duration_seconds() <= 0) {
    return absl::InvalidArgumentError(
        "How long may the summary be? Add --seconds, such as --seconds 60");
  }
  return request;
}

}  // namespace

Files Files::Real() {
  return {[](const std::string& path) {
            std::error_code ignored;
            return std::filesystem::is_regular_file(path, ignored) ||
                   std::filesystem::is_fifo(path, ignored);
          },
          [](const std::string& path) -> absl::StatusOr<std::string> {
            if (path == "-") return ReadStream(std::cin, "stdin");
            std::error_code ignored;
            if (std::filesystem::is_directory(path, ignored)) {
              return absl::InvalidArgumentError(absl::StrCat(path, ": is a directory"));
            }
            std::ifstream in(path, std::ios::binary);
            if (!in) {
              return absl::InvalidArgumentError(
                  absl::StrCat(path, std::filesystem::exists(path, ignored) ? ": cannot be read"
                                                                            : ": no such file"));
            }
            return ReadStream(in, path);
          }};
}

// Everything but JSON: what no transcription takes is refused under its own name, not as bad JSON.
bool UploadsFirst(const Invocation& invocation) {
  if (invocation.command != Command::kTranscribe || IsUrl(invocation.source)) return false;
  constexpr std::array<std::string_view, 8> kOtherMedia = {"mkv",  "webm", "flac", "ogg",
                                                           "opus", "aac",  "wmv",  "m4v"};
  const std::string extension = gateway::ExtensionOf(invocation.source);
  return gateway::MediaTypeOf(invocation.source).has_value() ||
         std::find(kOtherMedia.begin(), kOtherMedia.end(), extension) != kOtherMedia.end();
}

absl::StatusOr<SubmitRequest> BuildRequest(const Invocation& invocation, const Files& files) {
  switch (invocation.command) {
    case Command::kPreview:
      return BuildPreview(invocation, files);
    case Command::kRender:
      return BuildRender(invocation, files);
    case Command::kTranscribe:
      return BuildTranscribe(invocation, files);
    case Command::kSummarize:
      return BuildSummarize(invocation, files);
    default:
      return absl::InternalError("This command submits nothing");
  }
}

}  // namespace pictory_jobs::cli
