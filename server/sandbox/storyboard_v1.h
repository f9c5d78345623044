// These functions read a v1 storyboard, the body of POST /v1/video/storyboard: whether Pictory
// would accept it, and which film it asks for. Pure.
//
//   {"videoName": "Bread", "language": "en", "videoWidth": "1920", "videoHeight": 1080,
//    "audio": {"autoBackgroundMusic": "true", "backGroundMusicVolume": 0.5,
//              "aiVoiceOver": {"speaker": "Jackson", "speed": "100", "amplifyLevel": 0}},
//    "scenes": [{"text": "Time makes bread.", "splitTextOnPeriod": true,
//                "backgroundUri": "https://…", "backgroundType": "image"}]}
//
// A scene has at least one of text, articleUrl (or article_url), backgroundUri and pptUrl. Unknown
// fields are ignored, as Pictory ignores them.
#pragma once

#include <string>
#include <vector>

#include "sandbox/field_checker.h"
#include "sandbox/json.h"
#include "sandbox/story.h"

namespace gateway::sandbox {

// Every violation of the documented rules; empty if the body is accepted.
std::vector<FieldError> CheckStoryboardV1(const Value& body);

// `body` is one that is accepted.
Film FilmFromStoryboardV1(const Value& body);

}  // namespace gateway::sandbox
