#include "pictory/kinds.h"

#include <algorithm>
#include <array>

#include "json/proto_reader.h"
#include "pictory/credits.h"
#include "pictory/highlights.h"
#include "pictory/job_result.h"
#include "pictory/request_rules.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using json::Type;

bool HasText(const Envelope& envelope, ResultKey key) {
  return envelope.Result(key).type == Type::kString && envelope.HasResult(key);
}

// Calls the rules for a request whose type the kind's row knows.
template <class Request, void (*check)(const Request&, const TranslateOptions&, Violations&)>
void Of(const google::protobuf::Message& request, const TranslateOptions& options,
        Violations& violations) {
  if (const auto* own = dynamic_cast<const Request*>(&request)) check(*own, options, violations);
}

// ---- Previews ----

bool HasPreview(const Envelope& envelope) {
  return envelope.HasResult("renderParams") || HasText(envelope, "preview") ||
         HasText(envelope, "previewUrl");
}

bool ShowsPreview(const Envelope& envelope) {
  return envelope.HasResult("renderParams") || envelope.HasResult("preview") ||
         envelope.HasResult("previewUrl") || envelope.HasResult("storyboard");
}

// ---- Renders ----

bool HasVideo(const Envelope& envelope) { return HasText(envelope, "videoURL"); }

bool ShowsRender(const Envelope& envelope) {
  return envelope.HasResult("videoURL") || envelope.HasResult("videoShareURL") ||
         envelope.HasResult("shareVideoURL") || envelope.shows_render;
}

// ---- Transcriptions and summaries ----

bool HasTranscript(const Envelope& envelope) {
  return envelope.HasResult("transcript") || HasText(envelope, "txt") ||
         // If nobody spoke, the list is empty, and the members beside it show that the transcript
         // was made.
         (envelope.Result("transcript").type == Type::kArray &&
          (envelope.Result("txt").present() || envelope.Result("srt").present() ||
           envelope.Result("vtt").present() || envelope.HasResult("mediaInfo")));
}

// Whether there is a written text. An empty one counts too: it says that nothing was spoken.
bool HasWrittenText(const Envelope& envelope, const v1::Job&) {
  return envelope.Result("txt").type == Type::kString ||
         envelope.Result("srt").type == Type::kString ||
         envelope.Result("vtt").type == Type::kString;
}

bool ShowsTranscription(const Envelope& envelope) {
  return envelope.Result("transcript").type == Type::kArray;
}

bool HasSummary(const Envelope& envelope, const v1::Job& job) {
  return HasWrittenText(envelope, job) || job.summary().summaries_size() > 0;
}

bool ShowsSummary(const Envelope& envelope) {
  if (!ShowsTranscription(envelope)) return false;
  v1::SummaryResult words;
  json::ReadOptions options = BasicView(v1::JOB_KIND_SUMMARY);
  options.limits = JobReplyLimits(envelope.data.size());
  const auto read = json::Read(envelope.data, &words, options);
  return read.ok() && HasHighlights(words);
}

void FillSummary(v1::Job& job) { FillSegments(*job.mutable_summary()); }

// ---- Pictures and clips of AI studio ----

bool HasUrl(const Envelope& envelope) { return HasText(envelope, "url"); }

bool ShowsImage(const Envelope& envelope) { return envelope.HasResult("url"); }

bool ShowsVideo(const Envelope& envelope) {
  return ShowsImage(envelope) &&
         (envelope.HasResult("duration") || envelope.HasResult("lastFrameImageUrl"));
}

constexpr std::array kKinds = {
    KindFacts{.kind = v1::JOB_KIND_PREVIEW,
              .word = "preview",
              .makes = "preview",
              .shown = ShowsPreview,
              .ended = HasPreview,
              .price = VisualsCredits,
              .check = Of<v1::CreatePreviewRequest, CheckPreview>},
    KindFacts{.kind = v1::JOB_KIND_RENDER,
              .word = "render",
              .makes = "videoURL",
              .shown = ShowsRender,
              .ended = HasVideo,
              .nothing_else_counts = true,
              .price = VisualsCredits,
              .check = Of<v1::RenderRequest, CheckRender>},
    KindFacts{.kind = v1::JOB_KIND_TRANSCRIPTION,
              .word = "transcribe",
              .makes = "transcript",
              .shown = ShowsTranscription,
              .ended = HasTranscript,
              .usable_too = HasWrittenText,
              .basic_lacks = "transcript",
              .price = VisualsCredits},
    KindFacts{.kind = v1::JOB_KIND_SUMMARY,
              .word = "summarize",
              .makes = "transcript",
              .shown = ShowsSummary,
              .ended = HasTranscript,
              .usable_too = HasSummary,
              .basic_lacks = "transcript",
              .derive = FillSummary,
              .price = VisualsCredits,
              .check = Of<v1::SummarizeRequest, CheckSummary>},
    KindFacts{.kind = v1::JOB_KIND_IMAGE,
              .word = "image",
              .makes = "url",
              .shown = ShowsImage,
              .ended = HasUrl,
              .nothing_else_counts = true,
              .price = PictureCredits},
    KindFacts{.kind = v1::JOB_KIND_VIDEO,
              .word = "video",
              .makes = "url",
              .shown = ShowsVideo,
              .ended = HasUrl,
              .nothing_else_counts = true,
              .price = ClipCredits},
};

// A render's result may hold its preview too, a summary is a transcription with highlights, and a
// clip has all that a picture has.
constexpr std::array kAskedInTurn = {v1::JOB_KIND_RENDER,  v1::JOB_KIND_PREVIEW,
                                     v1::JOB_KIND_SUMMARY, v1::JOB_KIND_TRANSCRIPTION,
                                     v1::JOB_KIND_VIDEO,   v1::JOB_KIND_IMAGE};

constexpr std::array kMemberParts = {
    MemberPart{v1::RESULT_PART_RENDER_PARAMS_JSON, "renderParams", Type::kObject},
    MemberPart{v1::RESULT_PART_TRANSCRIPT_JSON, "transcript", Type::kArray},
    MemberPart{v1::RESULT_PART_TXT, "txt", Type::kString},
    MemberPart{v1::RESULT_PART_SRT, "srt", Type::kString},
    MemberPart{v1::RESULT_PART_VTT, "vtt", Type::kString},
};

constexpr std::array<ResultKey, 2> kUnseenMembers = {"storyboard", "mediaInfo"};

consteval bool EveryKindIsHere() {
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    const KindFacts& row = kKinds[i];
    if (row.kind != static_cast<int>(i) + 1) return false;
    if (row.word.empty() || row.makes.empty() || row.shown == nullptr || row.ended == nullptr ||
        row.price == nullptr) {
      return false;
    }
    if (std::ranges::count(kAskedInTurn, row.kind) != 1) return false;
  }
  return kKinds.size() == v1::JobKind_MAX && kAskedInTurn.size() == kKinds.size();
}
static_assert(EveryKindIsHere(), "each JobKind needs a whole row in kKinds, and its turn");

consteval bool EveryPartIsHere() {
  for (std::size_t i = 0; i < kMemberParts.size(); ++i) {
    if (kMemberParts[i].part != static_cast<int>(i) + v1::RESULT_PART_RESULT_JSON + 1) return false;
  }
  return kMemberParts.size() == v1::ResultPart_MAX - v1::RESULT_PART_RESULT_JSON;
}
static_assert(EveryPartIsHere(), "each ResultPart but RESULT_JSON needs a row in kMemberParts");

bool HasAnyResult(const Envelope& envelope) {
  return std::ranges::any_of(kKinds, [&](const KindFacts& kind) { return kind.ended(envelope); });
}

constexpr KindFacts kAnyKind{.makes = "result",
                             .ended = HasAnyResult,
                             .usable_too = HasWrittenText,
                             .price = VisualsCredits};

}  // namespace

std::span<const KindFacts> Kinds() { return kKinds; }

const KindFacts& FactsOf(v1::JobKind kind) {
  const auto row = static_cast<std::size_t>(kind) - 1;  // far beyond the last for UNSPECIFIED
  return row < kKinds.size() ? kKinds[row] : kAnyKind;
}

v1::JobKind ShownKind(const Envelope& envelope) {
  for (const v1::JobKind kind : kAskedInTurn) {
    if (FactsOf(kind).shown(envelope)) return kind;
  }
  return v1::JOB_KIND_UNSPECIFIED;
}

std::span<const MemberPart> MemberParts() { return kMemberParts; }

std::span<const ResultKey> UnseenMembers() { return kUnseenMembers; }

}  // namespace gateway::pictory
