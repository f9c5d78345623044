// These functions make and read transcripts: Pictory's array of speaker turns with timed words.
// Pure.
//
// A transcript is kept as JSON, because a caller's own one must come back as it was.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sandbox/json.h"
#include "sandbox/story.h"

namespace gateway::sandbox {

// A transcript of about a minute of two people talking, made once.
const Value& BuiltInTranscript();

// A copy of `items` with `words` in every item: items of the form {text|content, start, end} get
// words spread evenly over their time, and `word` arrays are renamed.
std::unique_ptr<Json> NormalTranscript(const Value& items);

// What is wrong with a transcript given by a caller; empty: nothing.
std::string CheckTranscript(const Value& items);

double TranscriptSeconds(const Value& transcript);
// One caption for each sentence; only of highlighted words if `highlighted_only`.
std::vector<Caption> TranscriptCaptions(const Value& transcript, bool highlighted_only);

// Marks words with `highlight: true`: whole sentences, those with the most telling words first, as
// long as all together last no more than `seconds`.
void Highlight(Json* transcript, double seconds);

// The `data` of a finished transcription and of a finished summary, all but `status` and ids.
std::string TranscriptionData(const Value& transcript, bool is_video);
std::string HighlightsData(const Value& highlighted);

}  // namespace gateway::sandbox
