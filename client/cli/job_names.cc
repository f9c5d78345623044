#include "job_names.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "job_table.h"
#include "last_job.h"
#include "pictory/jobs/v1/annotations.pb.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

constexpr std::string_view kDigits = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t kIdLength = 26;
constexpr std::size_t kTimeLength = 10;  // of them
constexpr std::size_t kLeastLength = 4;  // less would be somebody's slip
constexpr std::size_t kCandidatesMax = 10;

// The visible jobs whose ids begin so, one more than are shown at most.
absl::StatusOr<std::vector<Job>> JobsBeginning(const Client& client, const std::string& name,
                                               const CallOptions& call) {
  ListJobsRequest filter;
  filter.set_page_size(static_cast<int>(kCandidatesMax + 1));
  LimitToBeginning(name, filter);
  std::vector<Job> jobs;
  for (const absl::StatusOr<Job>& job : client.List(std::move(filter), call)) {
    if (!job.ok()) return job.status();
    if (job->job_id().compare(0, name.size(), name) == 0) jobs.push_back(*job);
    if (jobs.size() > kCandidatesMax) break;
  }
  return jobs;
}

absl::Status Ambiguous(const std::string& name, std::vector<Job> jobs) {
  const bool more = jobs.size() > kCandidatesMax;
  if (more) jobs.resize(kCandidatesMax);
  std::string table = TextOf(JobTable(false).Whole(jobs, absl::Now()));
  table.pop_back();
  return absl::InvalidArgumentError(
      absl::StrCat("'", name,
                   "' is the beginning of several jobs' ids; nothing was done. Write more "
                   "of it:\n",
                   table, more ? "\nand more" : ""));
}

// Whether there is a job of exactly this name, as Pictory may call one.
bool IsWhole(const Client& client, const std::string& name, const CallOptions& call) {
  const auto found = client.BatchGet(std::array{name}, call);
  return found.ok() && found->front().has_value();
}

}  // namespace

bool MayBeginId(const std::string& name) {
  return name.size() >= kLeastLength && name.size() < kIdLength && name.front() <= '7' &&
         std::all_of(
             name.begin(), name.end(), [](char c) { return kDigits.find(c) != kDigits.npos; });
}

std::pair<absl::Time, absl::Time> CreationOf(const std::string& name) {
  std::int64_t begin = 0;
  std::int64_t width = 1;  // of the stretch of time, in milliseconds
  for (std::size_t i = 0; i < kTimeLength; ++i) {
    const bool known = i < name.size();
    begin = begin * 32 + (known ? static_cast<int>(kDigits.find(name[i])) : 0);
    if (!known) width *= 32;
  }
  // What a list can be asked for ends with the year 9999.
  const absl::Time last = absl::FromUnixSeconds(253'402'300'799);
  return {std::min(absl::FromUnixMillis(begin), last),
          std::min(absl::FromUnixMillis(begin + width), last)};
}

void LimitToBeginning(const std::string& name, ListJobsRequest& filter) {
  const auto [from, until] = CreationOf(name);
  const auto set = [](absl::Time time, google::protobuf::Timestamp& out) {
    const std::int64_t since = absl::ToUnixMillis(time);
    out.set_seconds(since / 1000);
    out.set_nanos(static_cast<std::int32_t>(since % 1000 * 1'000'000));
  };
  set(from, *filter.mutable_created_from());
  set(until, *filter.mutable_created_until());
}

absl::StatusOr<std::string> JobNamed(const Client& client, const std::string& server,
                                     const std::string& name, const CallOptions& call) {
  if (name == kLastJob) {
    std::optional<std::string> last = LastJob(server);
    if (last) return *std::move(last);
    return absl::InvalidArgumentError(absl::StrCat("@last: nothing was submitted from here to ",
                                                   OneLine(server), "; `pictory list` shows jobs"));
  }
  if (!MayBeginId(name) || IsWhole(client, name, call)) return name;
  absl::StatusOr<std::vector<Job>> jobs = JobsBeginning(client, name, call);
  if (!jobs.ok() || jobs->empty()) return name;
  if (jobs->size() > 1) return Ambiguous(name, *std::move(jobs));
  return jobs->front().job_id();
}

absl::Status ResolveJobNames(const Client& client, Invocation& args, SubmitRequest& request,
                             const CallOptions& call) {
  const auto resolve = [&](std::string& name) {
    absl::StatusOr<std::string> id = JobNamed(client, args.server, name, call);
    if (!id.ok()) return id.status();
    name = *std::move(id);
    return absl::OkStatus();
  };
  for (std::string& job : args.jobs) {
    if (absl::Status named = resolve(job); !named.ok()) return named;
  }
  if (args.command == Command::kUpdatePreview) return resolve(args.preview_job);
  if (request == nullptr) return absl::OkStatus();
  // The fields of requests that name jobs say so themselves.
  const auto* const type = request->GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    const auto* const field = type->field(i);
    if (field->options().GetExtension(v1::rest).job_kind() == 0) continue;
    std::string name = request->GetReflection()->GetString(*request, field);
    if (name.empty()) continue;
    if (absl::Status named = resolve(name); !named.ok()) return named;
    request->GetReflection()->SetString(request.get(), field, name);
  }
  return absl::OkStatus();
}

}  // namespace pictory_jobs::cli
