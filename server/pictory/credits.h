// These functions tell what a submit may cost in Pictory's AI credits, as far as its body shows:
// the JSON that is sent. Pure.
//
// The prices are those of Pictory's API reference for AI studio; that they hold for visuals within
// a video is inferred. A model that is not known costs as much as the dearest.
#pragma once

#include <string_view>

#include "google/protobuf/message.h"
#include "pictory/jobs/v1/job.pb.h"

namespace gateway::pictory {

// For what nothing here shows; a guess.
inline constexpr double kUnknownCredits = 24;

// What AI studio takes for a picture, and for a clip.
double PictureCredits(std::string_view body);
double ClipCredits(std::string_view body);
// The sum over the AI visuals that the body asks for, or what render parameters say of themselves
// (`aiCredits`), if that is more.
double VisualsCredits(std::string_view body);

// The one of them that the kind's row names (kinds.h).
double EstimateCredits(::pictory::jobs::v1::JobKind kind, std::string_view body);

// Whether what a submit makes is known to Pictory only: of a project that is rendered, and of a
// template, whose own scenes may have AI visuals that stand in no body.
bool IsMadeOfUnknown(const google::protobuf::Message& request);

}  // namespace gateway::pictory
