// These functions read what Pictory's AI studio is asked for: one picture, or one short clip, made
// from a prompt. Pure.
//
// Models, their aspect ratios, durations and prices are those of Pictory's API reference.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/field_checker.h"
#include "sandbox/json.h"

namespace gateway::sandbox {

// What such a job makes.
struct Visual {
  std::string model;
  int width = 0;
  int height = 0;
  int seconds = 0;  // of a clip; 0: a picture
  double credits = 0;
  std::string ratio;                  // such as 16:9
  std::shared_ptr<const Json> asked;  // the body; null: none
};

// What is wrong with a body; none if nothing is.
std::vector<FieldError> CheckImage(const Value& body);
std::vector<FieldError> CheckClip(const Value& body);

// What the `aiVisual` of a storyboard costs, as a picture or as a clip: as the studio's own do,
// which Pictory does not say. A model that is not known costs what the first one does.
double CreditsOf(const Value& ai_visual, bool clip);

// `body`: a checked one.
Visual ImageFrom(const Value& body);
Visual ClipFrom(const Value& body);

}  // namespace gateway::sandbox
