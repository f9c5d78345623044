// The storyboard of the older generation, POST /v1/video/storyboard: whether Pictory would take it,
// and the film it asks for. Pure.
//
//   {"videoName": "Bread", "language": "en", "videoWidth": "1920", "videoHeight": 1080,
//    "audio": {"autoBackgroundMusic": "true", "backGroundMusicVolume": 0.5,
//              "aiVoiceOver": {"speaker": "Jackson", "speed": "100", "amplifyLevel": 0}},
//    "scenes": [{"text": "Time makes bread.", "splitTextOnPeriod": true,
//                "backgroundUri": "https://…", "backgroundType": "image"}]}
//
// A scene has at least one of text, articleUrl (or article_url), backgroundUri and pptUrl. Fields
// that nobody knows are none of our business, as they are none of Pictory's.
#pragma once

#include <string>
#include <vector>

#include "sandbox/field_checker.h"
#include "sandbox/json.h"
#include "sandbox/story.h"

namespace gateway::sandbox {

// Every violation of the documented rules; empty if the body is taken.
std::vector<FieldError> CheckStoryboardV1(const Value& body);

// `body`: one that is taken.
Film FilmFromStoryboardV1(const Value& body);

}  // namespace gateway::sandbox
