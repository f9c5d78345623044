#include "pictory/credits.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <span>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "json/check.h"
#include "pictory/envelope.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;

// In JSON a text cannot hold these: its quotes are escaped.
constexpr std::string_view kVisual = "\"aiVisual\"";
constexpr std::string_view kCredits = "\"aiCredits\"";

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
constexpr double kClipMaxSeconds = 60;  // Pictory makes 10 at most
constexpr double kDearestClip = 160;    // 8 s of the last

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
    if (failed == std::errc() && seconds > 0) return std::min(seconds, kClipMaxSeconds);
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

// The number after a member's name, 0 if there is none.
double NumberAfter(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(": \t\r\n");
  if (begin == std::string_view::npos) return 0;
  text = text.substr(begin, text.find_first_of(",}] \t\r\n", begin) - begin);
  double number = 0;
  if (!absl::SimpleAtod(absl::string_view(text.data(), text.size()), &number)) return 0;
  return std::clamp(number, 0.0, 1e6);  // NaN stays one
}

}  // namespace

double EstimateCredits(v1::JobKind kind, std::string_view body) {
  if (kind == v1::JOB_KIND_IMAGE) return PriceOf(body, true, false);
  if (kind == v1::JOB_KIND_VIDEO) return PriceOf(body, false, true);
  double visuals = 0;
  for (std::size_t at = body.find(kVisual); at != std::string_view::npos;
       at = body.find(kVisual, at)) {
    at += kVisual.size();
    const std::size_t end = body.find('}', at);
    const std::size_t begin = std::min(body.find('{', at), end);
    if (end == std::string_view::npos) break;
    visuals += PriceOf(body.substr(begin, end + 1 - begin), true, true);
  }
  const std::size_t said = body.find(kCredits);
  if (said == std::string_view::npos) return visuals;
  return std::fmax(visuals, NumberAfter(body.substr(said + kCredits.size(), 64)));
}

bool IsMadeOfUnknown(const google::protobuf::Message& request) {
  using Render = ::pictory::jobs::v1::RenderRequest;
  const auto* const render = dynamic_cast<const Render*>(&request);
  return render != nullptr && render->source_case() == Render::kProjectId;
}

}  // namespace gateway::pictory
