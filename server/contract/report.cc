#include "contract/report.h"

#include <array>
#include <chrono>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "base/utc_text.h"
#include "json/writer.h"

namespace gateway::contract {
namespace {

struct Part {
  Verdict verdict;
  std::string_view heading;
  std::string_view word;  // in JSON
};
constexpr std::array<Part, 3> kParts = {
    Part{Verdict::kFails, "DO NOT HOLD", "fails"},
    Part{Verdict::kUnchecked, "COULD NOT BE TRIED", "unchecked"},
    Part{Verdict::kHolds, "HOLD", "holds"}};

std::string TimeOf(WallTime when) {
  return UtcText(std::chrono::system_clock::to_time_t(when)) + "Z";
}

std::string_view WordOf(Verdict verdict) {
  for (const Part& part : kParts) {
    if (part.verdict == verdict) return part.word;
  }
  return "";
}

}  // namespace

std::string AsText(const Report& report) {
  std::string text = absl::StrCat("What the gateway relies on, tried at ", report.base_url, ", ",
                                  TimeOf(report.when), "\n");
  for (const Part& part : kParts) {
    const int count = report.findings.Count(part.verdict);
    if (count == 0) continue;
    absl::StrAppend(&text, "\n", std::string(part.heading), ": ", count, "\n");
    for (std::size_t i = 0; i < kFacts.size(); ++i) {
      const Finding& found = report.findings.Of(i);
      if (found.verdict != part.verdict) continue;
      const Fact& fact = kFacts.at(i);
      absl::StrAppend(&text, "  ", std::string(fact.name), " (", std::string(Word(fact.certainty)),
                      "): ", std::string(fact.says), "\n");
      if (part.verdict == Verdict::kHolds) continue;
      absl::StrAppend(&text, "    ", part.verdict == Verdict::kFails ? "seen: " : "", found.seen,
                      "\n");
    }
  }
  absl::StrAppend(&text, "\nSPENT: ", report.spent.empty() ? "nothing" : "", "\n");
  for (const SpentJob& job : report.spent) {
    absl::StrAppend(&text, "  ", job.kind, ": ",
                    job.job_id.empty() ? "sent, and no answer names its job" : job.job_id,
                    job.earlier ? " (by an earlier run)" : "", "\n");
  }
  if (!report.stopped.empty()) absl::StrAppend(&text, "  ended early: ", report.stopped, "\n");
  return text;
}

std::string AsJson(const Report& report) {
  std::string text;
  json::Writer out(text);
  out.StartObject();
  out.Key("base_url");
  out.String(report.base_url);
  out.Key("time");
  out.String(TimeOf(report.when));
  for (const Part& part : kParts) {
    out.Key(part.word);
    out.Int(report.findings.Count(part.verdict));
  }
  out.Key("facts");
  out.StartArray();
  for (std::size_t i = 0; i < kFacts.size(); ++i) {
    const Finding& found = report.findings.Of(i);
    out.StartObject();
    for (const auto& [key, value] :
         {std::pair<std::string_view, std::string_view>{"name", kFacts.at(i).name},
          {"certainty", Word(kFacts.at(i).certainty)},
          {"says", kFacts.at(i).says},
          {"verdict", WordOf(found.verdict)},
          {"seen", found.seen}}) {
      out.Key(key);
      out.String(value);
    }
    out.EndObject();
  }
  out.EndArray();
  out.Key("spent");
  out.StartArray();
  for (const SpentJob& job : report.spent) {
    out.StartObject();
    out.Key("kind");
    out.String(job.kind);
    out.Key("pictory_job_id");
    out.String(job.job_id);
    out.Key("earlier_run");
    out.Bool(job.earlier);
    out.EndObject();
  }
  out.EndArray();
  if (!report.stopped.empty()) {
    out.Key("ended_early");
    out.String(report.stopped);
  }
  out.EndObject();
  return text + "\n";
}

}  // namespace gateway::contract
