// A text in pieces, of which some have a colour. The colour is put around a piece where it is
// written, after what could steer a terminal was taken out of it. Pure.
#pragma once

#include <string>
#include <vector>

#include "pictory_jobs/job.h"

namespace pictory_jobs::cli {

enum class Hue { kNone, kGood, kBad, kBusy, kOdd };  // green, red, blue, yellow

struct Piece {
  std::string text;
  Hue hue = Hue::kNone;
};
using Pieces = std::vector<Piece>;

// The hue of a job's state.
Hue HueOf(JobState state);

// The piece as a terminal is to get it; blanks at its ends stay as they are.
std::string Painted(const std::string& text, Hue hue);

// Without colours.
std::string TextOf(const Pieces& pieces);

}  // namespace pictory_jobs::cli
