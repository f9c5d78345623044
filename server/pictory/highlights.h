// These functions make a summary of a transcript: of its runs of highlighted words. Pure.
#pragma once

#include "pictory/jobs/v1/job.pb.h"

namespace gateway::pictory {

// True if any spoken word is highlighted.
bool HasHighlights(const ::pictory::jobs::v1::SummaryResult& result);

// Fills `segments`, `summary_text` and `summary_duration_seconds` from the words of `transcript`. A
// run goes on over pauses and sentence ends, and stops at a spoken word that is not highlighted.
// Without any such word they come from a lone entry of `summaries`, if there is one.
void FillSegments(::pictory::jobs::v1::SummaryResult& result);

}  // namespace gateway::pictory
