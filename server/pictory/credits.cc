#include "pictory/credits.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"

namespace gateway::pictory {
namespace {

// In JSON a text cannot hold these: its quotes are escaped.
constexpr std::string_view kVisual = "\"aiVisual\"";
constexpr std::string_view kCredits = "\"aiCredits\"";
constexpr std::string_view kImageModels[] = {"\"seedream", "\"flux", "\"nanobanana"};

double CreditsOf(std::string_view visual) {
  for (const std::string_view model : kImageModels) {
    if (visual.find(model) != std::string_view::npos) return kImageCredits;
  }
  return kVideoCredits;
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

double EstimateCredits(std::string_view body) {
  double visuals = 0;
  for (std::size_t at = body.find(kVisual); at != std::string_view::npos;
       at = body.find(kVisual, at)) {
    at += kVisual.size();
    visuals += CreditsOf(body.substr(at, body.find('}', at) - at));
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
