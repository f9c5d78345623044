// Fills a gateway's store with unfinished jobs, as a busy gateway leaves them behind.
//
//   fill DIRECTORY JOBS [KIND]
//
// DIRECTORY is where the store is (the gateway's --state-dir, /pictory). Without a KIND (a number of the
// API's) the jobs have all of them in turn. Prints the bytes that the
// texts of the jobs have in all.

#include <cstdio>
#include <cstdlib>
#include <future>
#include <string>
#include <utility>

#include "base/ids.h"
#include "base/random.h"
#include "store/sqlite_job_store.h"

namespace {

using gateway::jobs::Job;
using gateway::jobs::JobRecord;
using gateway::jobs::SubmissionState;
namespace jobs = gateway::jobs;

constexpr int kBatch = 5'000;

// Ids as long as those of callers and of Pictory. One job in two has begun, and says so.
JobRecord Unfinished(int number, int kind, gateway::Random& random) {
  const gateway::WallTime now = gateway::SystemClock().WallNow();
  JobRecord record;
  Job& job = record.job;
  job.tenant = "default";
  job.job_id = gateway::MintJobId(now, random);
  job.pictory_job_id = gateway::MintRequestId(random);
  job.request_id = gateway::MintRequestId(random);
  job.kind = static_cast<jobs::JobKind>(kind > 0 ? kind : 1 + number % 4);
  job.state = number % 2 == 0 ? jobs::v1::JOB_STATE_QUEUED : jobs::v1::JOB_STATE_RUNNING;
  job.revision = 1 + number % 2;
  if (job.revision > 1) job.progress_percent = number % 100;
  if (job.revision > 1) job.message = "Rendering scene 3 of 12";
  job.create_time = job.update_time = now;
  if (number % 4 == 0) job.labels = {{"team", "news"}};
  record.submission = SubmissionState::kAccepted;
  for (int i = 0; i < 4; ++i) {
    const std::uint64_t bits = random.Next();
    record.fingerprint.append(reinterpret_cast<const char*>(&bits), sizeof bits);
  }
  record.owner_epoch = 1;
  record.correlation_token = gateway::RandomHex(16);
  record.sent_at = record.accepted_at = record.next_poll_at = now;
  return record;
}

std::size_t TextsOf(const JobRecord& record) {
  const Job& job = record.job;
  std::size_t bytes = job.tenant.size() + job.job_id.size() + job.pictory_job_id.size() +
                      job.request_id.size() + job.message.size() + record.fingerprint.size() +
                      record.correlation_token.size();
  for (const auto& [key, value] : job.labels) bytes += key.size() + value.size();
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) {
    std::fputs("usage: fill DIRECTORY JOBS [KIND]\n", stderr);
    return 2;
  }
  auto store = gateway::store::SqliteJobStore::Open({.directory = argv[1], .group_max = kBatch});
  if (!store.ok()) {
    std::fprintf(stderr, "fill: %s\n", std::string(store.status().message()).c_str());
    return 1;
  }
  gateway::Random random;
  std::size_t bytes = 0;
  const int wanted = std::atoi(argv[2]);
  const int kind = argc > 3 ? std::atoi(argv[3]) : 0;
  for (int number = 0; number < wanted;) {
    std::promise<absl::Status> last;
    for (int end = std::min(wanted, number + kBatch); number < end; ++number) {
      JobRecord record = Unfinished(number, kind, random);
      bytes += TextsOf(record);
      (*store)->Adopt(std::move(record), [&last, done = number + 1 == end](const absl::Status& status) {
        if (done) last.set_value(status);
      });
    }
    if (const absl::Status status = last.get_future().get(); !status.ok()) {
      std::fprintf(stderr, "fill: %s\n", std::string(status.message()).c_str());
      return 1;
    }
  }
  std::printf("%zu\n", bytes);
  return 0;
}
