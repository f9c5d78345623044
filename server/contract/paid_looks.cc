#include "contract/paid_looks.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "contract/view.h"
#include "pictory/http_reply.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "pictory/preview_update.h"

namespace gateway::contract {
namespace {

namespace v1 = ::pictory::jobs::v1;
using json::Type;
using Kind = pictory::JobReply::Kind;
using Outcome = pictory::SubmitReply::Outcome;
using Facts = std::vector<FactName>;

int CountsOf(std::string_view kind) {
  const auto found = std::find_if(kPrices.begin(), kPrices.end(),
                                  [&](const Price& price) { return kind == price.kind; });
  return found->counts;
}

View DataOf(const http::Response& raw) { return View(raw.body).At("data"); }

bool IsCompleted(const View& data) { return data.At("status").Text() == "completed"; }

std::string SeenIn(const http::Response& raw) {
  return absl::StrCat("data is ", DataOf(raw).Words());
}

bool IsAbout(const View& number, double wanted) {
  return number.Is(Type::kNumber) &&
         std::abs(std::strtod(number.Text().c_str(), nullptr) - wanted) < 1e-6;
}

// A failure's code, if it is a name or a short number; nothing else of a failure is shown.
std::string CodeOf(const pictory::JobReply& reply) {
  const std::string& code = reply.error_code;
  const bool number = !code.empty() && code.size() <= 6 &&
                      code.find_first_not_of("0123456789") == std::string::npos;
  return number ? code : Shown(code);
}

bool HasHighlight(const View& transcript) {
  for (const View& sentence : transcript.Elements()) {
    for (const View& word : sentence.At("words").Elements()) {
      if (word.Has("highlight", Type::kBool) && word.At("highlight").Text() == "true") return true;
    }
  }
  return false;
}

bool HasWords(const View& transcript) {
  const std::vector<View> sentences = transcript.Elements();
  return !sentences.empty() && sentences.front().Has("words", Type::kArray);
}

}  // namespace

int PriceOfAll() {
  int all = 0;
  for (const Price& price : kPrices) all += price.counts;
  return all;
}

void PaidLooks::Skip(const Facts& facts, const std::string& why) {
  for (const FactName fact : facts) look_.findings.Skip(fact, why);
}

std::optional<std::string> PaidLooks::Pay(const char* kind, const Message& request,
                                          const std::string& of_job, FactName accepted,
                                          const Facts& facts) {
  const auto without = [&](const std::string& why) {
    look_.findings.Skip(accepted, why);
    Skip(facts, why);
    return std::nullopt;
  };
  const int left = spending_.most - used_;
  if (CountsOf(kind) > left) {
    return without(absl::StrCat("--spend ", spending_.most, " leaves ", left, ", and a ", kind,
                                " takes ", CountsOf(kind)));
  }
  absl::StatusOr<pictory::Submission> call =
      pictory::Translate(request, of_job, "", look_.door.translate());
  if (!call.ok()) return without(std::string(call.status().message()));
  const absl::StatusOr<pictory::Authorization> authorization = look_.door.Authorize();
  if (!authorization.ok()) return without("there are no credentials to send it with");
  if (trouble_ = book_.Sending(kind); !trouble_.ok()) return without("it could not be noted");
  used_ += CountsOf(kind);
  look_.tell(absl::StrCat("sends a paid ", kind));
  const Door::Paid paid = look_.door.Pay(*std::move(call), *authorization);
  switch (paid.reply.outcome) {
    case Outcome::kAccepted:
      break;
    case Outcome::kNotSent:
    case Outcome::kRefused:
      trouble_ = book_.Refused(kind);
      if (paid.reply.outcome == Outcome::kRefused && Answered(paid.raw)) {
        look_.findings.Judge(accepted, false, Seen(paid.raw));
      }
      look_.tell(absl::StrCat("the ", kind, " was not accepted, and nothing is billed"));
      return without(absl::StrCat("the ", kind, " was not accepted: ", Seen(paid.raw)));
    case Outcome::kUnknown:
      spent_.push_back({.kind = kind});
      look_.tell(absl::StrCat("PAID, PERHAPS: a ", kind,
                              " was sent, and no answer names its job; look at the account"));
      return without(absl::StrCat("no answer names the job of the ", kind, ": ", Seen(paid.raw)));
  }
  const std::string& id = paid.reply.pictory_job_id;
  trouble_ = book_.Made(kind, id);
  spent_.push_back({.kind = kind, .job_id = id});
  look_.tell(absl::StrCat("PAID: ", kind, " is Pictory's job ", id));
  const bool camel = View(paid.raw.body).At("data").At("jobId").Text() == id;
  look_.findings.Judge(accepted, paid.raw.status == 200 && camel && id != of_job,
                       absl::StrCat(Seen(paid.raw), "; ", SeenIn(paid.raw)));
  return id;
}

std::optional<PaidLooks::Ended> PaidLooks::Job(const char* kind, const Message& request,
                                               const std::string& of_job, FactName accepted,
                                               const Facts& facts) {
  if (!trouble_.ok()) {
    const std::string why = "nothing more is sent, because it could not be noted";
    look_.findings.Skip(accepted, why);
    Skip(facts, why);
    return std::nullopt;
  }
  const std::optional<std::string> left = book_.Left(kind);
  if (!left.has_value()) {
    const std::optional<std::string> id = Pay(kind, request, of_job, accepted, facts);
    if (!id.has_value()) return std::nullopt;
    return Follow(kind, *id, facts);
  }
  spent_.push_back({.kind = kind, .job_id = *left, .earlier = true});
  const std::string why = absl::StrCat("an earlier run has paid for a ", kind, " (",
                                       book_.file().string(), "), so it is not sent again");
  look_.findings.Skip(accepted, why);
  if (left->empty()) {
    Skip(facts, absl::StrCat(why,
                             ", and no answer named its job; look at the account, then remove "
                             "the file"));
    return std::nullopt;
  }
  return Follow(kind, *left, facts);
}

std::optional<PaidLooks::Ended> PaidLooks::Follow(const std::string& kind, const std::string& id,
                                                  const Facts& facts) {
  const MonoTime give_up = clock_.Now() + limits::kContractJobWait;
  int not_found = 0;
  look_.tell(absl::StrCat("waits for the end of the ", kind));
  for (;;) {
    const Door::Job job = look_.door.GetJob(id, v1::JOB_KIND_UNSPECIFIED);
    const std::string status = DataOf(job.raw).At("status").Text();
    switch (job.reply.kind) {
      case Kind::kSucceeded:
        book_.Ended(kind);
        return Ended{id, job.raw};
      case Kind::kFailed:
        book_.Ended(kind);
        Skip(facts, absl::StrCat("the ", kind, " has failed (", CodeOf(job.reply), ")"));
        return std::nullopt;
      case Kind::kCleaned:
        book_.Ended(kind);
        Skip(facts, absl::StrCat("Pictory does not have the ", kind, " any more"));
        return std::nullopt;
      case Kind::kNotFound:  // as it may be of one that was made a moment ago
        if (++not_found < limits::kContractNotFoundMax) break;
        Skip(facts, absl::StrCat("Pictory does not know the ", kind,
                                 "; the next run asks for it again, until ", book_.file().string(),
                                 " is removed"));
        return std::nullopt;
      case Kind::kRunning:
      case Kind::kUnclear:
        look_.findings.Judge("running", status == "in-progress" || status == "pending",
                             absl::StrCat("the status ", Shown(status), " of a ", kind));
        break;
      case Kind::kIncomplete:
        // It says that it has ended, and what it has made is not there.
        book_.Ended(kind);
        for (const FactName fact : facts) {
          look_.findings.Judge(fact, false, SeenIn(job.raw));
        }
        return std::nullopt;
      default:
        break;
    }
    if (clock_.Now() + spending_.poll_every >= give_up) {
      Skip(facts,
           absl::StrCat("the ", kind, " has not ended within ", limits::kContractJobWait.count(),
                        " minutes; the next run goes on with it"));
      return std::nullopt;
    }
    std::this_thread::sleep_for(spending_.poll_every);
  }
}

// A voice that costs nothing beyond the video, so that there is something to transcribe.
std::string PaidLooks::VoiceName() {
  const Door::Free voices = look_.door.Get("/v1/voiceovers/tracks");
  for (const View& voice : View(voices.raw.body).Elements()) {
    if (voice.At("category").Text() == "standard") return voice.At("name").Text();
  }
  return "";
}

std::optional<PaidLooks::Ended> PaidLooks::Preview() {
  v1::CreatePreviewRequest request;
  v1::Storyboard& storyboard = *request.mutable_storyboard();
  storyboard.set_video_name("pictory-gateway contract");
  storyboard.add_scenes()->set_story("This video was made to see what its maker answers.");
  if (const std::string voice = VoiceName(); !voice.empty()) {
    storyboard.mutable_voice_over()->set_enabled(true);
    storyboard.mutable_voice_over()->add_ai_voices()->mutable_speaker()->set_string_value(voice);
  }
  auto preview = Job("preview", request, "", "preview-accepted",
                     {"preview", "preview-url", "elements", "elements-204"});
  if (!preview.has_value()) return preview;
  const View data = DataOf(preview->raw);
  look_.findings.Judge("preview", IsCompleted(data) && data.Has("renderParams", Type::kObject),
                       SeenIn(preview->raw));
  look_.findings.Judge("preview-url", data.Has("previewUrl", Type::kString) && !data.Has("preview"),
                       SeenIn(preview->raw));
  return preview;
}

// Sends the first element as it is.
void PaidLooks::Elements(const Ended& preview) {
  const std::vector<View> elements =
      DataOf(preview.raw).At("renderParams").At("elements").Elements();
  if (elements.empty()) return Skip({"elements", "elements-204"}, "the preview has no elements");
  v1::UpdatePreviewRequest request;
  request.set_elements_json("[" + std::string(elements.front().Raw()) + "]");
  absl::StatusOr<pictory::FreeCall> call = pictory::PreviewUpdate(request, preview.id);
  if (!call.ok()) {
    return Skip({"elements", "elements-204"}, std::string(call.status().message()));
  }
  look_.tell("changes nothing of the preview's elements");
  const http::Response raw = look_.door.Change(*std::move(call)).raw;
  if (!Answered(raw)) return Skip({"elements", "elements-204"}, Seen(raw));
  look_.findings.Judge("elements", pictory::IsSuccess(raw) && raw.body.empty(), Seen(raw));
  look_.findings.Judge("elements-204", raw.status == 204, Seen(raw));
}

std::optional<PaidLooks::Ended> PaidLooks::Render(const Ended& preview) {
  v1::RenderRequest request;
  request.set_preview_job_id(preview.id);
  auto render = Job("render", request, preview.id, "render-accepted",
                    {"render", "render-share", "render-duration"});
  if (!render.has_value()) return render;
  const View data = DataOf(render->raw);
  const std::string seen = SeenIn(render->raw);
  look_.findings.Judge("render", IsCompleted(data) && data.Has("videoURL", Type::kString), seen);
  look_.findings.Judge("render-share", data.Has("videoShareURL", Type::kString), seen);
  look_.findings.Judge("render-duration", data.Has("videoDuration", Type::kNumber), seen);
  return render;
}

std::optional<PaidLooks::Ended> PaidLooks::Transcription(const std::string& media_url) {
  v1::TranscribeRequest request;
  request.set_file_url(media_url);
  auto made = Job("transcription", request, "", "transcription-accepted",
                  {"transcription", "transcription-status", "transcription-summaries"});
  if (!made.has_value()) return made;
  const View data = DataOf(made->raw);
  const std::string seen = SeenIn(made->raw);
  look_.findings.Judge("transcription",
                       HasWords(data.At("transcript")) && data.Has("txt", Type::kString) &&
                           data.Has("srt", Type::kString) && data.Has("vtt", Type::kString),
                       seen);
  look_.findings.Judge("transcription-status", IsCompleted(data), seen);
  look_.findings.Judge("transcription-summaries",
                       data.Has("summaries") || data.Has("summary") || data.Has("highlights") ||
                           data.Has("highlight"),
                       seen);
  return made;
}

void PaidLooks::Summary(const Ended& transcription) {
  v1::SummarizeRequest request;
  request.set_transcription_job_id(transcription.id);
  request.set_highlight_duration_seconds(5);
  const auto made = Job("summary", request, transcription.id, "summary-accepted", {"summary"});
  if (!made.has_value()) return;
  look_.findings.Judge("summary", HasHighlight(DataOf(made->raw).At("transcript")),
                       SeenIn(made->raw));
}

void PaidLooks::Picture() {
  v1::GenerateImageRequest request;
  request.set_prompt("A calm sea under a grey sky");
  request.set_model("flux-schnell");
  request.set_aspect_ratio("1:1");
  const auto made = Job("image", request, "", "image-accepted", {"image", "image-price"});
  if (!made.has_value()) return;
  const View data = DataOf(made->raw);
  look_.findings.Judge("image",
                       IsCompleted(data) && data.Has("url", Type::kString) &&
                           data.Has("width", Type::kNumber) && data.Has("height", Type::kNumber),
                       SeenIn(made->raw));
  look_.findings.Judge("image-price", IsAbout(data.At("aiCreditsUsed"), 0.6),
                       data.Has("aiCreditsUsed") ? "aiCreditsUsed is told" : "it is not told");
}

void PaidLooks::Clip() {
  v1::GenerateVideoRequest request;
  request.set_prompt("A calm sea under a grey sky");
  request.set_model("pixverse5.5");
  request.set_aspect_ratio("16:9");
  request.set_duration("5s");
  const auto made = Job("video", request, "", "video-accepted", {"video", "video-price"});
  if (!made.has_value()) return;
  const View data = DataOf(made->raw);
  look_.findings.Judge("video",
                       IsCompleted(data) && data.Has("url", Type::kString) &&
                           data.Has("width", Type::kNumber) && data.Has("height", Type::kNumber) &&
                           data.Has("duration", Type::kString),
                       SeenIn(made->raw));
  look_.findings.Judge("video-price", IsAbout(data.At("aiCreditsUsed"), 8),
                       data.Has("aiCreditsUsed") ? "aiCreditsUsed is told" : "it is not told");
}

absl::Status PaidLooks::Run() {
  look_.tell(absl::StrCat("spends at most ", spending_.most, " of the ", PriceOfAll(),
                          " that one job of each kind takes: a video counts 8, its AI credits; any "
                          "other job 1"));
  for (const auto& [kind, id] : book_.left()) {
    look_.tell(absl::StrCat("an earlier run has paid for a ", kind, ", ",
                            id.empty() ? "and no answer named its job" : "Pictory's job ", id));
  }
  const std::optional<Ended> preview = Preview();
  if (preview.has_value()) Elements(*preview);
  std::optional<Ended> render;
  if (preview.has_value()) {
    render = Render(*preview);
  } else {
    Skip({"render-accepted", "render", "render-share", "render-duration"},
         "there is no preview to render");
  }
  std::string media = spending_.media_url;
  if (media.empty() && render.has_value()) media = DataOf(render->raw).At("videoURL").Text();
  std::optional<Ended> transcription;
  if (!media.empty()) {
    transcription = Transcription(media);
  } else {
    Skip({"transcription-accepted", "transcription", "transcription-status",
          "transcription-summaries"},
         "there is nothing to transcribe; give --media-url");
  }
  if (transcription.has_value()) {
    Summary(*transcription);
  } else {
    Skip({"summary-accepted", "summary"}, "there is no transcription to summarize");
  }
  Picture();
  Clip();
  look_.findings.Skip("running", "each job had ended when it was asked for first");
  return trouble_;
}

}  // namespace gateway::contract
