// A StatusWord is a word by which Pictory tells how far a job is. Pure.
#pragma once

#include <string_view>

namespace gateway::pictory {

enum class StatusWord { kNone, kRunning, kCompleted, kFailed, kCleaned, kUnknown };

// Reads a word whatever its case, and with any or no mark between its parts: `In_Progress ` is
// `in-progress`. kNone for an empty one.
StatusWord ReadStatusWord(std::string_view status);

// Whether an unknown word beside a whole result may be the job's end: it tells neither of a failure
// nor of work that goes on.
bool MayBeAnEnd(std::string_view unknown_status);

}  // namespace gateway::pictory
