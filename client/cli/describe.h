// These functions tell of jobs, lists and candidates in words, for people. They are pure; texts end
// with a newline.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "pictory_jobs/job.h"

namespace pictory_jobs::cli {

// The time from the job's creation to its end, or to `now`.
std::chrono::seconds Age(const Job& job, absl::Time now);

// `job <id>`, the first line of every answer about one job.
std::string Headline(const Job& job);
// All that is worth telling below the headline; with `full`, the texts too.
std::string Describe(const Job& job, absl::Time now, bool full = false);

// Where the file is that the job made; empty if there is none that can be followed.
std::string FileUrl(const Job& job);

// Where a person sees what the job has made: a page if there is one, else the file; or empty.
std::string LinkOf(const Job& job);

// What a person should know and do about a state that needs it; empty for the others. `followed`:
// the command that says it goes on waiting for the job.
std::string Advice(const Job& job, bool followed = false);

// For those who describe results: a line `name  value`, none for an empty value; a long text with a
// line above it.
void Row(std::string& out, const char* name, const std::string& value);
void Text(std::string& out, const char* name, const std::string& text);
std::string Seconds(bool has, double seconds);

// What ResolveJob found.
std::string DescribeCandidates(const ResolveJobResponse& response);

}  // namespace pictory_jobs::cli
