// These functions write and read names and quantities as people do. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "pictory_jobs/job.h"

namespace pictory_jobs::cli {

// `RUNNING`, `render`.
std::string StateWord(JobState state);
std::string KindWord(JobKind kind);

// Read a word as it is printed, in any case, or as the proto spells it. Unset: there is no such
// word.
std::optional<JobState> ParseState(std::string_view word);
std::optional<JobKind> ParseKind(std::string_view word);
// All of them.
std::string KindWords(std::string_view between);
std::optional<ResultPart> ParsePart(std::string_view word);  // txt srt vtt result-json …

std::string PartWord(ResultPart part);

// `90`, `90s`, `1.5m`, `2h`, `7d`, `500ms`; above 0, below 100 days.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);

// A time so long ago (with its unit), or a date or time such as `2026-05-01`, `2026-05-01T14:30`,
// `2026-05-01T14:30:05` (in `zone`) or with an offset of its own, as RFC 3339 has it.
std::optional<absl::Time> ParseSince(std::string_view text, absl::Time now, absl::TimeZone zone);

// `42s`, `3m05s`, `2h10m`, `4d03h`; never below 0.
std::string Elapsed(std::chrono::seconds time);

// All digits that tell it from other numbers, as JSON has numbers; without an exponent from 0.0001
// up to 1e15.
std::string Number(double value);
// A sum of such numbers without what adding up has put behind it: whole millionths.
double Summed(double sum);

// `1.4 GB`.
std::string Bytes(double bytes);

// `[#####---------------]`, for a part from 0 to 1; and ` 42 %`.
std::string Bar(double part);
std::string Percent(double percent);

// Columns a terminal needs at most: two for wide characters and emoji, none for accents that are
// characters of their own. Where terminals differ, as for emoji made of several, the most of them.
int Columns(std::string_view text);
// At most so many columns, the last an ellipsis if something is missing.
std::string Fit(std::string_view text, int columns);
// The end of it, in at most so many columns, without an ellipsis.
std::string FitEnd(std::string_view text, int columns);
std::string Pad(std::string_view text, int columns);

// The text of others on one line, without what could steer a terminal.
std::string OneLine(std::string_view text);

// Puts a command of this program, such as `pictory get`, wherever `text` names a call of the API,
// such as GetJob, and its flag wherever it names a field that has one, such as wait_for_preview.
// Names of calls that are plain words (Render) stay, because the command has that name too.
std::string InCommands(std::string_view text);

// The one of `known` that `word` is most likely meant to be; empty if none is near.
template <class Words>
std::string Nearest(std::string_view word, const Words& known);
// Counts letters put in, left out, replaced, and neighbours changed about.
int EditDistance(std::string_view a, std::string_view b);

template <class Words>
std::string Nearest(std::string_view word, const Words& known) {
  std::string nearest;
  int best = word.size() < 4 ? 2 : 3;  // less than
  for (const auto& candidate : known) {
    const int distance = EditDistance(word, candidate);
    if (distance < best) {
      best = distance;
      nearest = std::string(candidate);
    }
  }
  return nearest;
}

}  // namespace pictory_jobs::cli
