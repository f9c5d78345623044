// EstimateCredits tells what a submit may cost in Pictory's AI credits, as far as its body shows.
// Pure.
#pragma once

#include <string_view>

#include "google/protobuf/message.h"

namespace gateway::pictory {

// Pictory has published no prices; these are what its samples show. Visuals whose model is not
// known to make images count as videos, which cost more.
inline constexpr double kImageCredits = 4;
inline constexpr double kVideoCredits = 24;
// For a render of what nothing here shows: one video.
inline constexpr double kUnknownRenderCredits = kVideoCredits;

// The sum over the AI visuals that the body asks for; or what render parameters say of themselves
// (`aiCredits`), if that is more. `body` is the JSON that is sent.
double EstimateCredits(std::string_view body);

// Whether what a submit makes is known to Pictory only: a project that is rendered.
bool IsMadeOfUnknown(const google::protobuf::Message& request);

}  // namespace gateway::pictory
