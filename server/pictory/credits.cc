#include "pictory/credits.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <span>
#include <string>

#include "base/limits.h"
#include "json/check.h"
#include "pictory/envelope.h"
#include "pictory/job_result.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "pictory/kinds.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;

constexpr std::string_view kVisual = "aiVisual";
constexpr std::string_view kCredits = "aiCredits";

struct Model {
  std::string_view name;
  double credits;  // for a picture, or for a second of a clip
  double seconds;  // of a clip whose body does not say; 0: it makes pictures
};

// The first of each is what Pictory takes where none is named, the last the dearest.
constexpr Model kPictures[] = {{"seedream3.0", 2, 0},
                               {"flux-schnell", 0.6, 0},
                               {"nanobanana", 4, 0},
                               {"nanobanana-pro", 14, 0}};
constexpr Model kClips[] = {{"pixverse5.5", 1.6, 5}, {"veo3.1_fast", 10, 4}, {"veo3.1", 20, 4}};
constexpr double kDearestClip = 160;  // 8 s of the last

const Model* Named(std::span<const Model> models, std::string_view name) {
  const auto found = std::ranges::find(models, name, &Model::name);
  return found == models.end() ? nullptr : &*found;
}

std::string TextOf(const json::Outline& outline, std::string_view key) {
  const json::Member* const member = outline.Find(key);
  return member == nullptr ? "" : json::Text(member->value);
}

double SecondsOf(const json::Outline& outline, double otherwise) {
  for (const std::string_view key : {"duration", "videoDuration"}) {
    const std::string words = TextOf(outline, key);  // such as 8s
    double seconds = 0;
    const auto [end, failed] = std::from_chars(words.data(), words.data() + words.size(), seconds);
    if (failed == std::errc() && seconds > 0) return std::min(seconds, limits::kClipMaxSeconds);
  }
  return otherwise;
}

// What the object of a picture or a clip asks for. `may_be_clip`: whether it may be one.
double PriceOf(std::string_view object, bool may_be_picture, bool may_be_clip) {
  json::Outline outline;
  const double dearest = may_be_clip ? kDearestClip : std::ranges::rbegin(kPictures)->credits;
  if (!json::Check(object, kReplyLimits, &outline).ok()) return dearest;
  const std::string model = TextOf(outline, "model");
  if (const Model* const picture = Named(kPictures, model); picture != nullptr && may_be_picture) {
    return picture->credits;
  }
  const Model* const clip = model.empty() ? &kClips[0] : Named(kClips, model);
  if (may_be_clip) {
    return clip == nullptr ? kDearestClip : clip->credits * SecondsOf(outline, clip->seconds);
  }
  return model.empty() ? kPictures[0].credits : dearest;
}

double NumberOf(std::string_view text) {
  double number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed == std::errc::result_out_of_range)
    return text.front() == '-' ? 0 : limits::kCreditsMax;
  return failed == std::errc() ? std::clamp(number, 0.0, limits::kCreditsMax) : 0;
}

// Whether the text may have a key that says what it costs. Most have none, and are not read then; a
// key may be written with escapes.
bool MayCost(std::string_view body) {
  return body.find(kVisual) != std::string_view::npos ||
         body.find(kCredits) != std::string_view::npos ||
         body.find("\\u") != std::string_view::npos;
}

}  // namespace

double PictureCredits(std::string_view body) { return PriceOf(body, true, false); }

double ClipCredits(std::string_view body) { return PriceOf(body, false, true); }

double EstimateCredits(v1::JobKind kind, std::string_view body) {
  return FactsOf(kind).price(body);
}

double VisualsCredits(std::string_view body) {
  if (!MayCost(body)) return 0;
  double visuals = 0;
  double said = 0;
  const auto add = [&](const json::Member& member) {
    if (member.key == kVisual) {
      if (member.type == json::Type::kObject) visuals += PriceOf(member.value, true, true);
    } else if (member.type == json::Type::kNumber) {
      said = std::max(said, NumberOf(member.value));
    }
  };
  const auto begin = [&] { visuals = said = 0; };
  const bool read =
      json::FindMembers(body, JobReplyLimits(body.size()), {kVisual, kCredits}, begin, add).ok();
  return std::max({visuals, said, read ? 0 : kDearestClip});
}

bool IsMadeOfUnknown(const google::protobuf::Message& request) {
  if (const auto* const render = dynamic_cast<const v1::RenderRequest*>(&request)) {
    return render->source_case() == v1::RenderRequest::kProjectId;
  }
  const auto* const preview = dynamic_cast<const v1::CreatePreviewRequest*>(&request);
  return preview != nullptr &&
         (preview->source_case() == v1::CreatePreviewRequest::kFromTemplate ||
          preview->source_case() == v1::CreatePreviewRequest::kFromTemplateJson);
}

}  // namespace gateway::pictory
