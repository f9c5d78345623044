#include "submit_commands.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "absl/strings/str_cat.h"
#include "describe.h"
#include "json_text.h"
#include "refusal.h"
#include "request_object.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

constexpr std::size_t kVideoNameMaxBytes = 60;  // of a name made from the story

// ---- preview ----

constexpr char kPreviewExamples[] =
    R"(  pictory preview --text "Once upon a time." --name Tale --watch
  pictory preview --text-file story.txt --voice Brian
  pictory preview storyboard.json --label team=news
  pictory preview --template 20251223… --set Name=Ann --watch
  generate | pictory preview - --json)";

void AddPreviewOptions(CLI::App& command, Invocation& to) {
  CLI::Option* file =
      command.add_option("FILE", to.source, "Pictory's storyboard body as JSON; - reads stdin");
  CLI::Option* text =
      command
          .add_option_function<std::string>(
              "--text", [&to](const std::string& story) { to.text = story; }, "The story itself")
          ->type_name("TEXT")
          ->excludes(file);
  CLI::Option* text_file =
      command
          .add_option("--text-file", to.text_file, "The story is in this text file; - reads stdin")
          ->type_name("FILE")
          ->excludes(file)
          ->excludes(text);
  CLI::Option* from =
      command
          .add_option("--template", to.from_template, "From this template (pictory template list)")
          ->type_name("ID")
          ->excludes(file)
          ->excludes(text)
          ->excludes(text_file);
  command
      .add_option_function<std::vector<std::string>>(
          "--set",
          [&to](const std::vector<std::string>& given) {
            for (const std::string& one : given) {
              const std::size_t equals = std::min(one.find('='), one.size());
              to.variables[one.substr(0, equals)] = one.substr(std::min(equals + 1, one.size()));
            }
          },
          "A variable of the template: name=value; repeatable")
      ->type_name("NAME=VALUE")
      ->needs(from)
      ->allow_extra_args(false);
  command.add_option("--name", to.name, "Name of the video (with --text, --text-file)")
      ->type_name("NAME")
      ->excludes(file);
  command.add_option("--voice", to.voice, "Speaker who reads the story (likewise)")
      ->type_name("NAME")
      ->excludes(file);
  command.add_option("--aspect-ratio", to.aspect_ratio, "Of the video (likewise)")
      ->type_name("1:1|16:9|9:16|4:5")
      ->excludes(file);
}

std::string CheckPreview(const Invocation& to) {
  const bool text = to.text || !to.text_file.empty();
  if (to.source.empty() && !text && to.from_template.empty()) {
    return "preview: give a FILE, --text, --text-file or --template";
  }
  if (to.text && to.text->find_first_not_of(" \t\r\n") == std::string::npos) {
    return "--text: the story is empty";
  }
  return "";
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
  auto& storyboard = *request->mutable_storyboard();
  storyboard.set_video_name(invocation.name.empty() ? NameFrom(story) : invocation.name);
  if (!invocation.aspect_ratio.empty()) storyboard.set_aspect_ratio(invocation.aspect_ratio);
  if (!invocation.voice.empty()) {
    storyboard.mutable_voice_over()->set_enabled(true);
    storyboard.mutable_voice_over()->add_ai_voices()->mutable_speaker()->set_string_value(
        invocation.voice);
  }
  auto& scene = *storyboard.add_scenes();
  scene.set_story(std::move(story));
  scene.set_create_scene_on_new_line(true);
  scene.set_create_scene_on_end_of_sentence(true);
  return request;
}

absl::StatusOr<SubmitRequest> BuildPreview(const Invocation& invocation, const Files& files) {
  if (!invocation.from_template.empty()) {
    auto request = Begin<CreatePreviewRequest>(invocation);
    auto& from = *request->mutable_from_template();
    from.set_template_id(invocation.from_template);
    for (const auto& [name, value] : invocation.variables) {
      (*from.mutable_variables())[name] = value;
    }
    return request;
  }
  if (invocation.text) return PreviewFromText(invocation, *invocation.text);
  if (!invocation.text_file.empty()) {
    absl::StatusOr<std::string> story = files.read(invocation.text_file);
    if (!story.ok()) return story.status();
    return PreviewFromText(invocation, *std::move(story));
  }
  const std::string& source = invocation.source;
  if (source != "-" && !LooksLikeFile(source) && !files.exists(source)) {
    return absl::InvalidArgumentError(
        absl::StrCat(source, ": no such file; a story itself is given with --text"));
  }
  absl::StatusOr<std::string> body =
      ReadJson(files, source, "{", "a storyboard object; for plain text use --text-file");
  if (!body.ok()) return body.status();
  auto request = Begin<CreatePreviewRequest>(invocation);
  request->set_storyboard_json(*std::move(body));
  return request;
}

void DescribePreview(std::string& out, const Job& job) {
  if (!job.has_preview()) return;
  const auto& preview = job.preview();
  Row(out, "preview", OneLine(preview.preview_url()));
  Row(out, "project", OneLine(preview.project_id()));
  Row(out, "", OneLine(preview.project_url()));
}

void TellPreviewTexts(std::string& out, const Job& job) {
  Text(out, "render-params", job.preview().render_params_json());
  Text(out, "storyboard", job.preview().storyboard_json());
}

// ---- render ----

constexpr char kRenderExamples[] =
    R"(  pictory render 01hx2v…                        # a preview that has SUCCEEDED
  pictory render 01hx2v… --wait-for-preview --wait    # or one that is still made
  pictory render storyboard.json --watch        # straight to the video
  pictory render --render-params params.json    # as `pictory result JOB --part render-params` gave
  pictory render --project 20240101123456789

The argument is a file if one of that name exists, else a preview's job. A JSON file with a
top-level "output" and no "videoName" is taken as render parameters, any other as a storyboard.)";

void AddRenderOptions(CLI::App& command, Invocation& to) {
  command.add_option("JOB|FILE", to.source,
                     "A finished preview's job, or a JSON file; - reads stdin");
  command.add_option("--preview-job", to.preview_job, "From this preview")->type_name("JOB");
  command
      .add_option("--storyboard", to.storyboard_file, "Straight from this storyboard (file or -)")
      ->type_name("FILE");
  command
      .add_option("--render-params", to.render_params_file, "From these renderParams (file or -)")
      ->type_name("FILE");
  command.add_option("--project", to.project, "From this project saved at Pictory")
      ->type_name("ID");
  command.add_flag("--wait-for-preview", to.wait_for_source,
                   "If the preview is not done, the gateway sends the render once it is");
}

std::string CheckRender(const Invocation& to) {
  const int given = !to.source.empty() + !to.preview_job.empty() + !to.storyboard_file.empty() +
                    !to.render_params_file.empty() + !to.project.empty();
  const bool from_job = !to.source.empty() || !to.preview_job.empty();
  if (to.wait_for_source && !from_job)
    return "render: --wait-for-preview goes with a preview's job";
  if (given == 1) return "";
  return "render: give one of JOB, FILE, --preview-job, --storyboard, --render-params and "
         "--project";
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
  request->set_wait_for_preview(invocation.wait_for_source);
  if (body == Body::kRenderParams) {
    request->set_render_params_json(*std::move(text));
  } else {
    request->set_storyboard_json(*std::move(text));
  }
  return request;
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
  request->set_wait_for_preview(invocation.wait_for_source);
  if (!invocation.project.empty()) {
    request->set_project_id(invocation.project);
  } else {
    request->set_preview_job_id(invocation.preview_job.empty() ? source : invocation.preview_job);
  }
  return request;
}

void DescribeRender(std::string& out, const Job& job) {
  if (!job.has_render()) return;
  const auto& render = job.render();
  Row(out, "video", OneLine(render.video_url()));
  Row(out, "page", OneLine(render.share_url()));
  Row(out, "thumbnail", OneLine(render.thumbnail_url()));
  Row(out, "audio", OneLine(render.audio_url()));
  Row(out, "srt", OneLine(render.srt_url()));
  Row(out, "vtt", OneLine(render.vtt_url()));
  Row(out, "txt", OneLine(render.txt_url()));
  Row(out, "length", Seconds(render.has_video_duration_seconds(), render.video_duration_seconds()));
}

// ---- transcribe ----

constexpr char kTranscribeExamples[] =
    R"(  pictory transcribe https://example.com/talk.mp4 --language en-US --watch
  pictory transcribe ./talk.mp4 --wait          # uploads the file first
  pictory transcribe request.json
  echo '{"fileUrl":"https://example.com/a.mp3","mediaType":"audio"}' | pictory transcribe -

A file named .mp4, .mov, .avi, .mp3, .wav or .m4a is uploaded as `pictory upload` does it. To
repeat such a submit with its --request-id, give the URL that the upload printed, not the file.)";

void AddTranscribeOptions(CLI::App& command, Invocation& to) {
  command
      .add_option("URL|FILE", to.source,
                  "The media's URL, a media file to upload, or a request as JSON; - reads stdin")
      ->required();
  command.add_option("--language", to.language, "Such as en-US")->type_name("LANGUAGE");
  command.add_option("--media-type", to.media_type, "What the file is")->type_name("video|audio");
}

absl::StatusOr<SubmitRequest> BuildTranscribe(const Invocation& invocation, const Files& files) {
  auto request = Begin<TranscribeRequest>(invocation);
  if (IsUrl(invocation.source)) {
    request->set_file_url(invocation.source);
  } else if (!UploadsFirst(invocation)) {
    absl::StatusOr<std::string> text =
        ReadJson(files, invocation.source, "{", R"(an object such as {"fileUrl":"https://…"})");
    if (!text.ok()) return text.status();
    const absl::Status read = ReadObject(*text, Shown(invocation.source), *request);
    if (!read.ok()) return read;
  }
  if (!invocation.language.empty()) request->set_language(invocation.language);
  if (!invocation.media_type.empty()) request->set_media_type(invocation.media_type);
  return request;
}

void TakeUpload(SubmitRequest& request, const std::string& url) {
  static_cast<TranscribeRequest&>(*request).set_file_url(url);
}

void DescribeSummaries(std::string& out,
                       const google::protobuf::RepeatedPtrField<v1::Summary>& summaries) {
  for (const v1::Summary& summary : summaries) {
    Row(out, "summary",
        absl::StrCat(Seconds(summary.has_duration_seconds(), summary.duration_seconds()),
                     summary.has_duration_seconds() ? ": " : "", OneLine(summary.text())));
  }
}

void DescribeTranscription(std::string& out, const Job& job) {
  if (!job.has_transcription()) return;
  const auto& transcription = job.transcription();
  Row(out, "edit", OneLine(transcription.edit_video_url()));
  DescribeSummaries(out, transcription.summaries());
  Row(out, "text", OneLine(transcription.txt()));
}

template <class Result>
void TellSpeech(std::string& out, const Result& result) {
  Text(out, "txt", result.txt());
  Text(out, "srt", result.srt());
  Text(out, "vtt", result.vtt());
}

// ---- summarize ----

constexpr char kSummarizeExamples[] =
    R"(  pictory summarize 01hx2v… --seconds 60        # a transcription that has SUCCEEDED
  pictory summarize 01hx2v…                     # of a length that Pictory picks
  pictory summarize request.json                # {"transcript":[…],"highlight_duration":60}
  pictory result 01hx2v… --part transcript | pictory summarize - --seconds 60)";

void AddSummarizeOptions(CLI::App& command, Invocation& to) {
  command
      .add_option(
          "JOB|FILE", to.source,
          "A finished transcription's job, or a request or transcript as JSON; - reads stdin")
      ->required();
  command
      .add_option_function<int>(
          "--seconds", [&to](const int& seconds) { to.seconds = seconds; }, "Length wanted")
      ->type_name("N")
      ->check(AboveZero());
  command.add_option("--language", to.language, "Two letters, such as en")->type_name("LANGUAGE");
  command.add_flag("--wait-for-transcription", to.wait_for_source,
                   "If the transcription is not done, the gateway sends the summary once it is");
}

// A bare transcript array, or a whole request.
absl::Status ReadTranscript(const std::string& text, const std::string& name,
                            SummarizeRequest& request) {
  if (JsonKind(text) == '[') {
    request.set_transcript_json(text);
    return absl::OkStatus();
  }
  const absl::Status read = ReadObject(text, name, request);
  if (!read.ok() || request.has_transcript_json()) return read;
  return absl::InvalidArgumentError(
      absl::StrCat(name, ": the request is wrong:\n  transcript: is missing"));
}

absl::StatusOr<SubmitRequest> BuildSummarize(const Invocation& invocation, const Files& files) {
  auto request = Begin<SummarizeRequest>(invocation);
  request->set_wait_for_transcription(invocation.wait_for_source);
  const std::string& source = invocation.source;
  if (source == "-" || files.exists(source) || LooksLikeFile(source)) {
    absl::StatusOr<std::string> text =
        ReadJson(files, source, "{[",
                 R"(a transcript array, or {"transcript":[…],"highlight_duration":60})");
    if (!text.ok()) return text.status();
    const absl::Status read = ReadTranscript(*text, Shown(source), *request);
    if (!read.ok()) return read;
  } else {
    request->set_transcription_job_id(source);
  }
  if (!invocation.language.empty()) request->set_language(invocation.language);
  if (invocation.seconds) request->set_highlight_duration_seconds(*invocation.seconds);
  if (request->highlight_duration_seconds() <= 0 && !request->has_transcription_job_id()) {
    return absl::InvalidArgumentError(
        "How long may the summary be? Add --seconds, such as --seconds 60, or highlight_duration "
        "to "
        "the request");
  }
  return request;
}

void DescribeSummary(std::string& out, const Job& job) {
  if (!job.has_summary()) return;
  const auto& summary = job.summary();
  Row(out, "length",
      Seconds(summary.has_summary_duration_seconds(), summary.summary_duration_seconds()));
  for (const v1::Segment& segment : summary.segments()) {
    Row(out, "segment",
        absl::StrCat(Number(segment.start_seconds()), "-", Number(segment.end_seconds()), " s  ",
                     OneLine(segment.text())));
  }
  Row(out, "summary", OneLine(summary.summary_text()));
  DescribeSummaries(out, summary.summaries());
}

// ---- image, video ----

constexpr char kImageExamples[] =
    R"(  pictory image --prompt "A lake at sunset" --aspect-ratio 16:9 --wait
  pictory image --prompt "The same in winter" --reference https://example.com/lake.jpg
  pictory image request.json                    # {"prompt":"…","model":"nanobanana"}

Pictory takes its price in AI credits for each picture; which models there are is Pictory's to say.)";

constexpr char kVideoExamples[] =
    R"(  pictory video --prompt "A drone flies over a forest" --duration 8s --wait
  pictory video --prompt "It lands" --first-frame https://example.com/last.png
  pictory video request.json                    # {"prompt":"…","model":"veo3.1_fast"}

This makes one short clip from a prompt; a video from a story is `pictory render`. Pictory takes its
price in AI credits for each second; which models there are is Pictory's to say.)";

void AddPromptOptions(CLI::App& command, Invocation& to) {
  CLI::Option* file =
      command.add_option("FILE", to.source, "Pictory's body as JSON; - reads stdin");
  command.add_option("--prompt", to.prompt, "What it shows, in 5 to 5,000 characters")
      ->type_name("TEXT")
      ->excludes(file);
  command.add_option("--model", to.model, "Which of Pictory's models makes it")->type_name("NAME");
  command.add_option("--aspect-ratio", to.aspect_ratio, "Its sides, by model")
      ->type_name("16:9|9:16|1:1|…");
}

void AddImageOptions(CLI::App& command, Invocation& to) {
  AddPromptOptions(command, to);
  command.add_option("--style", to.style, "How it looks")
      ->type_name("photorealistic|artistic|cartoon|minimalist|vintage|futuristic");
  command.add_option("--reference", to.references, "A picture that guides this one")
      ->type_name("URL")
      ->expected(1);
}

void AddVideoOptions(CLI::App& command, Invocation& to) {
  AddPromptOptions(command, to);
  command.add_option("--duration", to.duration, "Its length, by model")->type_name("4s|5s|8s|…");
  CLI::Option* first =
      command.add_option("--first-frame", to.first_frame, "A picture that the clip begins with")
          ->type_name("URL");
  CLI::Option* extend = command.add_option("--extend", to.extend, "A clip to go on from")
                            ->type_name("URL")
                            ->excludes(first);
  command.add_option("--reference", to.references, "A picture that guides it; may be repeated")
      ->type_name("URL")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->excludes(first)
      ->excludes(extend);
}

std::string CheckPrompt(const Invocation& to) {
  if (!to.source.empty() || !to.prompt.empty()) return "";
  return absl::StrCat(to.submit->name, ": give --prompt, or a FILE");
}

// What both kinds take, from the file and from the options.
template <class Request>
absl::Status ReadPrompt(const Invocation& invocation, const Files& files, Request& request) {
  if (!invocation.source.empty()) {
    absl::StatusOr<std::string> text =
        ReadJson(files, invocation.source, "{", R"(an object such as {"prompt":"…"})");
    if (!text.ok()) return text.status();
    const absl::Status read = ReadObject(*text, Shown(invocation.source), request);
    if (!read.ok()) return read;
  }
  if (!invocation.prompt.empty()) request.set_prompt(invocation.prompt);
  if (!invocation.model.empty()) request.set_model(invocation.model);
  if (!invocation.aspect_ratio.empty()) request.set_aspect_ratio(invocation.aspect_ratio);
  return absl::OkStatus();
}

absl::StatusOr<SubmitRequest> BuildImage(const Invocation& invocation, const Files& files) {
  auto request = Begin<GenerateImageRequest>(invocation);
  const absl::Status read = ReadPrompt(invocation, files, *request);
  if (!read.ok()) return read;
  if (!invocation.style.empty()) request->set_style(invocation.style);
  if (!invocation.references.empty()) {
    request->set_reference_image_url(invocation.references.front());
  }
  return request;
}

absl::StatusOr<SubmitRequest> BuildVideo(const Invocation& invocation, const Files& files) {
  auto request = Begin<GenerateVideoRequest>(invocation);
  const absl::Status read = ReadPrompt(invocation, files, *request);
  if (!read.ok()) return read;
  if (!invocation.duration.empty()) request->set_duration(invocation.duration);
  if (!invocation.first_frame.empty()) request->set_first_frame_image_url(invocation.first_frame);
  if (!invocation.extend.empty()) request->set_extend_video_url(invocation.extend);
  for (const std::string& url : invocation.references) request->add_reference_image_urls(url);
  return request;
}

template <class Result>
void SizeRow(std::string& out, const Result& result) {
  if (!result.has_width() || !result.has_height()) return;
  Row(out, "size", absl::StrCat(result.width(), "x", result.height()));
}

void DescribeImage(std::string& out, const Job& job) {
  if (!job.has_image()) return;
  Row(out, "image", OneLine(job.image().url()));
  SizeRow(out, job.image());
}

void DescribeVideo(std::string& out, const Job& job) {
  if (!job.has_video()) return;
  const auto& video = job.video();
  Row(out, "video", OneLine(video.url()));
  Row(out, "length", OneLine(video.duration()));
  SizeRow(out, video);
  Row(out, "thumbnail", OneLine(video.thumbnail_image_url()));
  Row(out, "last frame", OneLine(video.last_frame_image_url()));
}

constexpr std::array kCommands = {
    SubmitCommand{.kind = v1::JOB_KIND_PREVIEW,
                  .call = "CreatePreview",
                  .name = "preview",
                  .about = "Make a storyboard and its preview",
                  .examples = kPreviewExamples,
                  .add_options = AddPreviewOptions,
                  .check = CheckPreview,
                  .build = BuildPreview,
                  .describe = DescribePreview,
                  .tell_texts = TellPreviewTexts},
    SubmitCommand{.kind = v1::JOB_KIND_RENDER,
                  .call = "Render",
                  .name = "render",
                  .about = "Make the video",
                  .examples = kRenderExamples,
                  .add_options = AddRenderOptions,
                  .check = CheckRender,
                  .build = BuildRender,
                  .describe = DescribeRender,
                  .file_url = [](const Job& job) -> auto& { return job.render().video_url(); }},
    SubmitCommand{.kind = v1::JOB_KIND_TRANSCRIPTION,
                  .call = "Transcribe",
                  .name = "transcribe",
                  .about = "Turn speech into text",
                  .examples = kTranscribeExamples,
                  .add_options = AddTranscribeOptions,
                  .build = BuildTranscribe,
                  .take_upload = TakeUpload,
                  .describe = DescribeTranscription,
                  .tell_texts = [](std::string& out,
                                   const Job& job) { TellSpeech(out, job.transcription()); }},
    SubmitCommand{
        .kind = v1::JOB_KIND_SUMMARY,
        .call = "Summarize",
        .name = "summarize",
        .about = "Pick the highlights of a transcript",
        .examples = kSummarizeExamples,
        .add_options = AddSummarizeOptions,
        .build = BuildSummarize,
        .describe = DescribeSummary,
        .tell_texts = [](std::string& out, const Job& job) { TellSpeech(out, job.summary()); }},
    SubmitCommand{.kind = v1::JOB_KIND_IMAGE,
                  .call = "GenerateImage",
                  .name = "image",
                  .about = "Make a picture from a prompt",
                  .examples = kImageExamples,
                  .add_options = AddImageOptions,
                  .check = CheckPrompt,
                  .build = BuildImage,
                  .describe = DescribeImage,
                  .file_url = [](const Job& job) -> auto& { return job.image().url(); }},
    SubmitCommand{.kind = v1::JOB_KIND_VIDEO,
                  .call = "GenerateVideo",
                  .name = "video",
                  .about = "Make a short clip from a prompt",
                  .examples = kVideoExamples,
                  .add_options = AddVideoOptions,
                  .check = CheckPrompt,
                  .build = BuildVideo,
                  .describe = DescribeVideo,
                  .file_url = [](const Job& job) -> auto& { return job.video().url(); }},
};

consteval bool EveryKindIsHere() {
  for (std::size_t i = 0; i < kCommands.size(); ++i) {
    if (kCommands[i].kind != static_cast<int>(i) + 1) return false;
  }
  return kCommands.size() == v1::JobKind_MAX;
}
static_assert(EveryKindIsHere(), "each JobKind needs a row in kCommands");

}  // namespace

std::span<const SubmitCommand> SubmitCommands() { return kCommands; }

}  // namespace pictory_jobs::cli
