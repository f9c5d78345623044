#include "sandbox/job_maker.h"

#include <initializer_list>

#include "sandbox/projects.h"
#include "sandbox/render_params_v1.h"
#include "sandbox/results.h"
#include "sandbox/storyboard_check.h"
#include "sandbox/storyboard_v1.h"
#include "sandbox/transcript.h"

namespace gateway::sandbox {
namespace {

constexpr double kHighlightMaxSeconds = 24 * 3600;
constexpr double kHighlightSeconds = 15;  // unless told; what Pictory picks is not published

// Takes what every body may carry, whatever it makes. Null counts as "not given": Pictory's own
// samples send it.
std::optional<ApiReply> TakeWebhook(const Value* body, Job* job) {
  if (body == nullptr) return std::nullopt;
  if (const Value* webhook = Find(*body, "webhook")) {
    if (!webhook->IsString() || !IsWebUrl(Text(*webhook))) {
      return InvalidBody("webhook", "must be a valid http or https URL");
    }
    job->webhook = Text(*webhook);
  }
  if (const Value* input = Find(*body, "webhookInput")) job->webhook_input = ToText(*input);
  return std::nullopt;
}

void Fail(Job* job, std::string code, std::string message) {
  if (!job->error_code.empty()) return;
  job->error_code = std::move(code);
  job->error_message = std::move(message);
}

void FailByName(Job* job) {
  Fail(job, "TEXT_TO_VIDEO_FAILED", "The sandbox was asked for a failure by the name given.");
}

void ObeyMagic(std::string_view text, Job* job) {
  job->magic = FindMagic(text);
  const bool is_render = job->kind == Kind::kRender;
  if (job->magic.no_credits) {
    Fail(job, "INSUFFICIENT_CREDITS", "There are not enough AI credits for this video.");
  }
  const Magic& magic = job->magic;
  if (magic.fail_object || magic.fail_list || magic.fail_text || magic.fail_silent) {
    Fail(job, "5001", "Could not download the file from https://media.example.com/missing.mp4");
  }
  if (job->magic.fail || (is_render && job->magic.fail_render)) FailByName(job);
}

// These functions find what Pictory accepts and then fails over.
void CheckSpeakerLate(const Value& voice, Job* job) {
  const Value* speaker = Find(voice, "speaker");
  if (speaker == nullptr || !speaker->IsString() || IsKnownSpeaker(Text(*speaker))) return;
  Fail(job, "TEXT_TO_VIDEO_FAILED", "Invalid speaker name: " + std::string(Text(*speaker)));
}

void CheckVisualLate(std::string_view url, Job* job) {
  if (url.find("visual-not-found") == std::string_view::npos) return;
  Fail(job, "SCENE_BACKGROUND_VISUAL_NOT_FOUND",
       "The background visual of a scene was not found: " + std::string(url));
}

void FindLateErrors(const Value& node, Job* job) {
  if (const Value* voice = Find(node, "voiceOver")) {
    const Value* voices = Find(*voice, "aiVoices");
    if (voices == nullptr || !voices->IsArray()) return;
    for (const Value& one : voices->GetArray()) CheckSpeakerLate(one, job);
  }
  if (const Value* background = Find(node, "background")) {
    CheckVisualLate(FindText(*background, "visualUrl"), job);
  }
}

void FindLateErrorsV1(const Value& body, Job* job) {
  if (const Value* audio = Find(body, "audio")) {
    if (const Value* voice = Find(*audio, "aiVoiceOver")) CheckSpeakerLate(*voice, job);
  }
  for (const Value& scene : Find(body, "scenes")->GetArray()) {
    CheckVisualLate(FindText(scene, "backgroundUri"), job);
  }
}

// A storyboard within the bounds of a request may become a film that is not: one of millions of
// scenes would hold up everybody else. What is in the journal was within the bounds of its time.
std::optional<ApiReply> WhyTooLong(const MakeRequest& request) {
  if (request.replayed || TextBytes(*request.body) <= kFilmTextMaxBytes) return std::nullopt;
  return TooLarge("the texts of a storyboard may have " + std::to_string(kFilmTextMaxBytes) +
                  " bytes in the sandbox");
}

std::optional<ApiReply> WhyTooLong(const MakeRequest& request, const Film& film) {
  if (request.replayed || film.scenes.size() <= kFilmScenesMax) return std::nullopt;
  return TooLarge("the film of a storyboard may have " + std::to_string(kFilmScenesMax) +
                  " scenes in the sandbox, and this one has more");
}

std::optional<ApiReply> CheckObject(const Value* body) {
  if (body == nullptr) return InvalidBody({{"", "the body is missing"}});
  if (!body->IsObject()) return InvalidBody({{"", "the body must be a JSON object"}});
  return std::nullopt;
}

Made FromStoryboard(const MakeRequest& request, Kind kind) {
  if (auto refusal = CheckObject(request.body)) return *refusal;
  const Value& body = *request.body;
  if (const auto errors = CheckStoryboard(body); !errors.empty()) return InvalidBody(errors);
  if (auto refusal = WhyTooLong(request)) return *refusal;
  auto job = std::make_unique<Job>();
  job->kind = kind;
  if (auto refusal = TakeWebhook(&body, job.get())) return *refusal;
  ObeyMagic(FindText(body, "videoName"), job.get());
  FindLateErrors(body, job.get());
  if (const Value* scenes = Find(body, "scenes")) {
    for (const Value& scene : scenes->GetArray()) FindLateErrors(scene, job.get());
  }
  job->film = FilmFromStoryboard(body);
  if (auto refusal = WhyTooLong(request, job->film)) return *refusal;
  job->storyboard = ResolveStoryboard(body);
  return job;
}

std::optional<ApiReply> CheckHighlightRequest(const Value& body, bool needs_seconds) {
  const Value* given = Find(body, "highlight_duration");
  if (given != nullptr || needs_seconds) {
    const std::optional<double> seconds = ToNumber(given);
    if (!seconds) return InvalidBody("highlight_duration", "is required and must be a number");
    if (*seconds <= 0 || *seconds > kHighlightMaxSeconds) {
      return InvalidBody("highlight_duration", "is out of range");
    }
  }
  const Value* language = Find(body, "language");
  if (language != nullptr && (!language->IsString() || language->GetStringLength() != 2)) {
    return InvalidBody("language", "must be a two-letter language code");
  }
  return std::nullopt;
}

Made MakeHighlights(const MakeRequest& request, const Value& transcript, bool needs_seconds) {
  if (auto refusal = CheckHighlightRequest(*request.body, needs_seconds)) return *refusal;
  auto job = std::make_unique<Job>();
  job->kind = Kind::kHighlights;
  if (auto refusal = TakeWebhook(request.body, job.get())) return *refusal;
  std::unique_ptr<Json> own = NormalTranscript(transcript);
  Highlight(own.get(), FindNumber(*request.body, "highlight_duration", kHighlightSeconds));
  job->data = HighlightsData(*own);
  job->transcript = std::move(own);
  return job;
}

Made FromPrompt(const MakeRequest& request, Kind kind,
                std::vector<FieldError> (*check)(const Value&), Visual (*read)(const Value&)) {
  if (auto refusal = CheckObject(request.body)) return *refusal;
  const Value& body = *request.body;
  if (const auto errors = check(body); !errors.empty()) return InvalidBody(errors);
  auto job = std::make_unique<Job>();
  job->kind = kind;
  if (auto refusal = TakeWebhook(&body, job.get())) return *refusal;
  ObeyMagic(FindText(body, "prompt"), job.get());
  job->visual = read(body);
  job->film.name = job->visual.model;
  return job;
}

Made AsV1(Made made) {
  if (auto* job = std::get_if<std::unique_ptr<Job>>(&made)) (*job)->version = Version::kV1;
  return made;
}

// Why a preview cannot be rendered by a call of this API version; "" if it can.
std::string WhyNotRenderable(const Job& preview, Version version) {
  if (preview.version == version || preview.of_template) return "";
  const std::string by = preview.version == Version::kV1 ? "v1" : "v2";
  return "Job " + preview.id + " was made by the " + by + " API: render it with PUT /" + by +
         "/video/render/" + preview.id + " or POST /" + by + "/video/render.";
}

bool IsLoopbackUrl(std::string_view url) {
  for (const char* prefix : {"http://127.0.0.1", "http://localhost", "http://[::1]"}) {
    if (url.rfind(prefix, 0) == 0) return true;
  }
  return false;
}

}  // namespace

std::optional<ApiReply> WhyNotUsable(const JobBook& book, const Job& job, Kind kind) {
  if (job.kind != kind) {
    return Refused("INVALID_JOB", "Job " + job.id + " is of another kind than this call needs.");
  }
  switch (book.StateOf(job).phase) {
    case Phase::kCompleted:
      return std::nullopt;
    case Phase::kFailed:
      return Refused("JOB_FAILED", "Job " + job.id + " has failed.");
    case Phase::kCleaned:
      return Refused("JOB_CLEANED", "Job " + job.id + " has been cleaned.");
    case Phase::kWaiting:
    case Phase::kRunning:
      break;
  }
  return Refused("JOB_NOT_COMPLETED", "Job " + job.id + " is still in progress.");
}

std::optional<ApiReply> WhyNotEditable(const JobBook& book, const Job& job) {
  if (job.kind == Kind::kPreview && job.version == Version::kV1) {
    return Refused("INVALID_JOB", "Job " + job.id + " was made by the v1 API: it has no elements.");
  }
  return WhyNotUsable(book, job, Kind::kPreview);
}

Made JobMaker::Preview(const MakeRequest& request) {
  Made made = FromStoryboard(request, Kind::kPreview);
  if (auto* job = std::get_if<std::unique_ptr<Job>>(&made)) {
    // The project's id comes with the job's own; here it is only noted that one is wanted.
    if (FindBool(*request.body, "saveProject", false)) (*job)->project_id = "wanted";
  }
  return made;
}

Made JobMaker::StraightRender(const MakeRequest& request) {
  return FromStoryboard(request, Kind::kRender);
}

Made JobMaker::RenderOfParams(const MakeRequest& request) {
  if (auto refusal = CheckObject(request.body)) return *refusal;
  const Value& body = *request.body;
  std::vector<FieldError> errors;
  const Value* output = Find(body, "output");
  const Value* elements = Find(body, "elements");
  if (output == nullptr || !output->IsObject()) {
    errors.push_back({"output", "\"output\" is required"});
  }
  if (elements == nullptr || !elements->IsArray() || elements->Empty()) {
    errors.push_back({"elements", "\"elements\" is required"});
  }
  if (!errors.empty()) return InvalidBody(errors);
  auto job = std::make_unique<Job>();
  job->kind = Kind::kRender;
  if (auto refusal = TakeWebhook(&body, job.get())) return *refusal;
  job->film = FilmFromRenderParams(body);
  ObeyMagic(job->film.name, job.get());
  return job;
}

Made JobMaker::Render(const MakeRequest& request, const Job& preview, Version version) {
  if (!request.replayed) {
    if (auto refusal = WhyNotUsable(book_, preview, Kind::kPreview)) return *refusal;
  }
  if (const std::string why = WhyNotRenderable(preview, version); !why.empty()) {
    return Refused("INVALID_JOB", why);
  }
  if (request.body != nullptr && !request.body->IsObject()) {
    return InvalidBody({{"", "the body must be a JSON object"}});
  }
  auto job = std::make_unique<Job>();
  job->kind = Kind::kRender;
  job->version = version;
  if (auto refusal = TakeWebhook(request.body, job.get())) return *refusal;
  // The film is made by way of renderParams, so that edits of its elements count.
  const auto params = RenderParams(preview, request.origin);
  job->film = preview.version == Version::kV1 ? FilmFromRenderParamsV1(*params)
                                              : FilmFromRenderParams(*params);
  job->film.name = preview.film.name;
  ObeyMagic(preview.film.name, job.get());
  return job;
}

Made JobMaker::RenderOfPreview(const MakeRequest& request) {
  const Job* preview = book_.Find(request.id, request.account);
  if (preview == nullptr) return UnknownJob(request.id);
  return Render(request, *preview, Version::kV2);
}

Made JobMaker::RenderOfProject(const MakeRequest& request) {
  const Job* preview = book_.FindProject(request.id, request.account);
  if (preview == nullptr && request.replayed) preview = book_.AdoptProject(request.id);
  if (preview == nullptr) return UnknownProject(request.id);
  Made made = Render(request, *preview, Version::kV2);
  if (auto* job = std::get_if<std::unique_ptr<Job>>(&made)) {
    (*job)->of_project = true;
    (*job)->film = FilmOfProject(*preview, std::move((*job)->film));
    if (preview->project != nullptr) ObeyMagic((*job)->film.name, job->get());
  }
  return made;
}

Made JobMaker::Transcription(const MakeRequest& request) {
  if (auto refusal = CheckObject(request.body)) return *refusal;
  const Value& body = *request.body;
  const std::string_view url = FindText(body, "fileUrl");
  if (url.empty()) return InvalidBody("fileUrl", "is required");
  if (!IsWebUrl(url) || (url.rfind("https://", 0) != 0 && !IsLoopbackUrl(url))) {
    return InvalidBody("fileUrl", "must be an HTTPS URL");
  }
  const std::string_view type = FindText(body, "mediaType");
  const Value* given_type = Find(body, "mediaType");
  if (given_type != nullptr && type != "video" && type != "audio") {
    return InvalidBody("mediaType", "must be one of [video, audio]");
  }
  auto job = std::make_unique<Job>();
  job->kind = Kind::kTranscription;
  if (auto refusal = TakeWebhook(&body, job.get())) return *refusal;
  ObeyMagic(url, job.get());
  const Value* given = Find(body, "transcript");
  if (given != nullptr) {
    if (const std::string wrong = CheckTranscript(*given); !wrong.empty()) {
      return InvalidBody("transcript", wrong);
    }
  }
  job->transcript = NormalTranscript(given != nullptr ? *given : BuiltInTranscript());
  job->data = TranscriptionData(*job->transcript, type != "audio");
  if (given == nullptr && job->magic.minutes > 0) {
    job->long_transcript =
        std::make_shared<LongTranscript>(*job->transcript, job->magic.minutes, false);
  }
  return job;
}

Made JobMaker::Highlights(const MakeRequest& request) {
  if (auto refusal = CheckObject(request.body)) return *refusal;
  const Value* transcript = Find(*request.body, "transcript");
  if (transcript == nullptr) return InvalidBody("transcript", "is required");
  if (const std::string wrong = CheckTranscript(*transcript); !wrong.empty()) {
    return InvalidBody("transcript", wrong);
  }
  return MakeHighlights(request, *transcript, true);
}

Made JobMaker::HighlightsOfJob(const MakeRequest& request) {
  const Job* source = book_.Find(request.id, request.account);
  if (source == nullptr) return UnknownJob(request.id);
  if (!request.replayed) {
    if (auto refusal = WhyNotUsable(book_, *source, Kind::kTranscription)) return *refusal;
  }
  if (auto refusal = CheckObject(request.body)) return *refusal;
  Made made = MakeHighlights(request, *source->transcript, false);
  auto* job = std::get_if<std::unique_ptr<Job>>(&made);
  if (job != nullptr && source->magic.fail_summary) FailByName(job->get());
  if (job != nullptr && source->long_transcript != nullptr) {
    (*job)->long_transcript =
        std::make_shared<LongTranscript>(*(*job)->transcript, source->magic.minutes, true);
  }
  return made;
}

Made JobMaker::Image(const MakeRequest& request) {
  return FromPrompt(request, Kind::kImage, CheckImage, ImageFrom);
}

Made JobMaker::Clip(const MakeRequest& request) {
  return FromPrompt(request, Kind::kClip, CheckClip, ClipFrom);
}

Made JobMaker::FromTemplate(const MakeRequest& request) {
  if (auto refusal = CheckObject(request.body)) return *refusal;
  const Value& body = *request.body;
  const std::string_view id = FindText(body, "templateId");
  if (id.empty()) return InvalidBody("templateId", "is required");
  const VideoTemplate* from = templates_.Find(id, request.account);
  if (from == nullptr) return UnknownTemplate(id);
  std::vector<FieldError> errors;
  std::unique_ptr<Json> storyboard = StoryboardOf(*from, body, &errors);
  if (storyboard == nullptr) return InvalidBody(errors);
  auto job = std::make_unique<Job>();
  job->kind = Kind::kPreview;
  job->version = Version::kV1;
  job->of_template = true;
  if (auto refusal = TakeWebhook(&body, job.get())) return *refusal;
  ObeyMagic(FindText(*storyboard, "videoName"), job.get());
  job->film = FilmFromStoryboardV1(*storyboard);
  job->storyboard = std::move(storyboard);
  return job;
}

Made JobMaker::PreviewV1(const MakeRequest& request) {
  if (auto refusal = CheckObject(request.body)) return *refusal;
  const Value& body = *request.body;
  if (const auto errors = CheckStoryboardV1(body); !errors.empty()) return InvalidBody(errors);
  if (auto refusal = WhyTooLong(request)) return *refusal;
  auto job = std::make_unique<Job>();
  job->kind = Kind::kPreview;
  job->version = Version::kV1;
  if (auto refusal = TakeWebhook(&body, job.get())) return *refusal;
  ObeyMagic(FindText(body, "videoName"), job.get());
  FindLateErrorsV1(body, job.get());
  job->film = FilmFromStoryboardV1(body);
  if (auto refusal = WhyTooLong(request, job->film)) return *refusal;
  auto copy = std::make_unique<Json>();
  copy->CopyFrom(body, copy->GetAllocator());
  job->storyboard = std::move(copy);
  return job;
}

Made JobMaker::RenderOfParamsV1(const MakeRequest& request) {
  if (auto refusal = CheckObject(request.body)) return *refusal;
  const Value& body = *request.body;
  auto job = std::make_unique<Job>();
  job->kind = Kind::kRender;
  job->version = Version::kV1;
  if (auto refusal = TakeWebhook(&body, job.get())) return *refusal;
  if (IsRenderParamsV1(body)) {
    job->film = FilmFromRenderParamsV1(body);
    ObeyMagic(job->film.name, job.get());
  } else {
    Fail(job.get(), "TEXT_TO_VIDEO_FAILED",
         Find(body, "renderParams") != nullptr
             ? "renderParams must be sent unwrapped: its content is the body."
             : "The body has no output and scenes: it is not what a v1 preview gives.");
  }
  return job;
}

Made JobMaker::RenderOfPreviewV1(const MakeRequest& request) {
  const Job* preview = book_.Find(request.id, request.account);
  if (preview == nullptr) return UnknownJob(request.id);
  return Render(request, *preview, Version::kV1);
}

Made JobMaker::TranscriptionV1(const MakeRequest& request) { return AsV1(Transcription(request)); }

Made JobMaker::HighlightsV1(const MakeRequest& request) { return AsV1(Highlights(request)); }

}  // namespace gateway::sandbox
