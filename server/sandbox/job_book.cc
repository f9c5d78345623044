#include "sandbox/job_book.h"

#include <algorithm>

namespace gateway::sandbox {
namespace {

// Pictory's pace, shortened so that nobody waits for minutes.
constexpr double kPreviewSeconds = 2;
constexpr double kRenderSeconds = 8;
constexpr double kTranscriptionSeconds = 3;
constexpr double kHighlightsSeconds = 2;
constexpr double kImageSeconds = 2;
constexpr double kClipSeconds = 6;
constexpr double kSlowFactor = 10;
// The part of its time that a render queues: only afterwards does it show progress.
constexpr double kQueuedPart = 0.1;
constexpr double kAge = 365.0 * 24 * 3600;

double Seconds(const Job& job) {
  const double factor = job.magic.slow ? kSlowFactor : 1;
  switch (job.kind) {
    case Kind::kPreview:
      return kPreviewSeconds * factor;
    case Kind::kRender:
      return kRenderSeconds * factor;
    case Kind::kTranscription:
      return kTranscriptionSeconds * factor;
    case Kind::kHighlights:
      return kHighlightsSeconds * factor;
    case Kind::kImage:
      return kImageSeconds * factor;
    case Kind::kClip:
      return kClipSeconds * factor;
  }
  return 0;
}

std::uint64_t Mix(std::uint64_t x) {  // splitmix64
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

}  // namespace

std::string MintId(std::uint64_t seed, std::uint64_t number) {
  static constexpr char kHex[] = "0123456789abcdef";
  const std::uint64_t high = Mix(Mix(seed) + number);
  const std::uint64_t low = Mix(high ^ Mix(number));
  std::string id;
  for (int i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) id += '-';
    const std::uint64_t half = i < 16 ? high : low;
    id += kHex[half >> (4 * (i % 16)) & 15];
  }
  const std::uint64_t odd = Mix(low);
  if (odd % 4 == 0) id[24 + odd / 4 % 12] = static_cast<char>('g' + odd / 64 % 20);
  return id;
}

std::string ProjectIdOf(std::string_view job_id) {
  std::uint64_t seed = 0;
  for (const char c : job_id) seed = Mix(seed ^ static_cast<unsigned char>(c));
  return MintId(seed, 0);
}

Job* JobBook::Add(std::unique_ptr<Job> job) {
  Job* const added = job.get();
  by_id_.emplace(job->id, jobs_.size());
  if (!job->project_id.empty()) by_project_.emplace(job->project_id, added);
  jobs_.push_back(std::move(job));
  return added;
}

Job* JobBook::Find(std::string_view id) {
  const auto found = by_id_.find(std::string(id));
  return found == by_id_.end() ? nullptr : jobs_[found->second].get();
}

Job* JobBook::FindProject(std::string_view project_id) {
  const auto found = by_project_.find(std::string(project_id));
  return found == by_project_.end() ? nullptr : found->second;
}

Job* JobBook::Find(std::string_view id, std::string_view account) {
  Job* const found = Find(id);
  return found != nullptr && found->account == account ? found : nullptr;
}

Job* JobBook::FindProject(std::string_view project_id, std::string_view account) {
  Job* const found = FindProject(project_id);
  return found != nullptr && found->account == account ? found : nullptr;
}

bool JobBook::HasProject(const Job& job) const {
  const auto found = by_project_.find(job.project_id);
  return found != by_project_.end() && found->second == &job;
}

void JobBook::RemoveProject(const Job& job) {
  std::erase_if(by_project_, [&](const auto& entry) { return entry.second == &job; });
}

Job* JobBook::AdoptProject(std::string_view project_id) {
  const auto saved = std::find_if(jobs_.rbegin(), jobs_.rend(),
                                  [](const auto& job) { return !job->project_id.empty(); });
  if (saved == jobs_.rend()) return nullptr;
  by_project_.emplace(project_id, saved->get());
  return saved->get();
}

JobState JobBook::StateOf(const Job& job) const {
  if (job.cleaned) return {Phase::kCleaned, 1};
  const double elapsed = std::chrono::duration<double>(clock_.Now() - job.accepted).count();
  double part = elapsed * speed_ / Seconds(job);
  // A stuck job is nearly done for ever, like the real ones.
  if (job.magic.stuck) part = std::min(part, 0.99);
  if (part >= 1) return {job.error_code.empty() ? Phase::kCompleted : Phase::kFailed, 1};
  if (part < kQueuedPart) return {Phase::kWaiting, 0};
  return {Phase::kRunning, (part - kQueuedPart) / (1 - kQueuedPart)};
}

MonoTime JobBook::FinishTime(const Job& job) const {
  if (job.magic.stuck) return MonoTime::max();
  const double seconds = std::min(Seconds(job) / speed_, kAge);
  const std::chrono::duration<double> takes(seconds);
  return job.accepted + std::chrono::duration_cast<Duration>(takes);
}

}  // namespace gateway::sandbox
