// Fills a gateway's store with jobs, as a busy gateway leaves them behind.
//
//   fill DIRECTORY UNFINISHED [FINISHED [KIND]]
//
// DIRECTORY is where the store is (the gateway's --state-dir, /pictory). The finished ones are
// older: they ended at a steady rate in the last three weeks, and have results. Without a KIND (a
// number of the API's) the unfinished ones have all of them in turn. Prints the bytes that the
// texts of the unfinished ones have in all.

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <future>
#include <string>
#include <tuple>
#include <utility>

#include "base/ids.h"
#include "base/random.h"
#include "pictory/jobs/v1/job.pb.h"
#include "store/sqlite_job_store.h"

namespace {

using gateway::jobs::Job;
using gateway::jobs::JobRecord;
using gateway::jobs::SubmissionState;
using gateway::pictory::JobResult;
namespace jobs = gateway::jobs;

constexpr int kBatch = 40'000;  // few commits, because each writes much of every index
constexpr std::chrono::hours kFinishedWithin{21 * 24};  // sooner than retention removes them
constexpr std::chrono::minutes kRenderTime{10};

// Ids as long as those of callers and of Pictory.
JobRecord Accepted(int number, gateway::WallTime now, gateway::Random& random) {
  JobRecord record;
  Job& job = record.job;
  job.tenant = "default";
  job.job_id = gateway::MintJobId(now, random);
  job.pictory_job_id = gateway::MintRequestId(random);
  job.request_id = gateway::MintRequestId(random);
  job.kind = static_cast<jobs::JobKind>(1 + number % 4);
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

// One job in two has begun, and says so.
JobRecord Unfinished(int number, int kind, gateway::Random& random) {
  JobRecord record = Accepted(number, gateway::SystemClock().WallNow(), random);
  Job& job = record.job;
  if (kind > 0) job.kind = static_cast<jobs::JobKind>(kind);
  job.state = number % 2 == 0 ? jobs::v1::JOB_STATE_QUEUED : jobs::v1::JOB_STATE_RUNNING;
  job.revision = 1 + number % 2;
  if (job.revision > 1) job.progress_percent = number % 100;
  if (job.revision > 1) job.message = "Rendering scene 3 of 12";
  return record;
}

// A render that gave a video.
JobRecord Finished(int number, int of, gateway::Random& random) {
  const std::chrono::duration<double> age =
      kRenderTime + kFinishedWithin * (1 - static_cast<double>(number) / of);
  const gateway::WallTime created = gateway::SystemClock().WallNow() -
                                    std::chrono::duration_cast<gateway::WallTime::duration>(age);
  JobRecord record = Accepted(number, created, random);
  Job& job = record.job;
  job.kind = jobs::v1::JOB_KIND_RENDER;
  job.state = jobs::v1::JOB_STATE_SUCCEEDED;
  job.revision = 4;
  job.update_time = created + kRenderTime;
  job.finish_time = job.update_time;
  jobs::v1::Job shown;
  jobs::v1::RenderResult& render = *shown.mutable_render();
  const std::string folder = "https://media.example.com/renders/" + job.pictory_job_id;
  render.set_video_url(folder + "/video.mp4");
  render.set_share_url("https://video.example.com/" + job.pictory_job_id);
  render.set_thumbnail_url(folder + "/thumbnail.jpg");
  render.set_srt_url(folder + "/video.srt");
  render.set_video_duration_seconds(61.5);
  job.result_wire = shown.SerializeAsString();
  return record;
}

// Pictory's words about it.
JobResult::Part ResultOf(const JobRecord& finished) {
  jobs::v1::Job shown;
  std::ignore = shown.ParseFromString(finished.job.result_wire);
  const jobs::v1::RenderResult& render = shown.render();
  return {.part = jobs::v1::RESULT_PART_RESULT_JSON,
          .bytes = R"({"status":"completed","progress":100,"videoURL":")" + render.video_url() +
                   R"(","videoShareURL":")" + render.share_url() + R"(","thumbnail":")" +
                   render.thumbnail_url() + R"(","srtFile":")" + render.srt_url() +
                   R"(","videoDuration":61.5})"};
}

std::size_t TextsOf(const JobRecord& record) {
  const Job& job = record.job;
  std::size_t bytes = job.tenant.size() + job.job_id.size() + job.pictory_job_id.size() +
                      job.request_id.size() + job.message.size() + record.fingerprint.size() +
                      record.correlation_token.size();
  for (const auto& [key, value] : job.labels) bytes += key.size() + value.size();
  return bytes;
}

// Puts so many jobs into the store, a batch a commit. `put` gets a number and what to call when
// done.
absl::Status Fill(int wanted, const std::function<void(int, jobs::StoreDone)>& put) {
  for (int number = 0; number < wanted;) {
    std::promise<absl::Status> last;
    for (const int end = std::min(wanted, number + kBatch); number < end; ++number) {
      put(number, [&last, done = number + 1 == end](const absl::Status& status) {
        if (done) last.set_value(status);
      });
    }
    if (absl::Status status = last.get_future().get(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

int Failed(const absl::Status& status) {
  std::fprintf(stderr, "fill: %s\n", std::string(status.message()).c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || argc > 5) {
    std::fputs("usage: fill DIRECTORY UNFINISHED [FINISHED [KIND]]\n", stderr);
    return 2;
  }
  auto store = gateway::store::SqliteJobStore::Open(
      {.directory = argv[1], .write_queue_max = 2 * kBatch, .group_max = 2 * kBatch});
  if (!store.ok()) return Failed(store.status());
  gateway::Random random;
  const int finished = argc > 3 ? std::atoi(argv[3]) : 0;
  const int kind = argc > 4 ? std::atoi(argv[4]) : 0;
  absl::Status filled = Fill(finished, [&](int number, jobs::StoreDone done) {
    JobRecord record = Finished(number, finished, random);
    (*store)->Adopt(record, [](const absl::Status&) {});  // if it fails, so does the next
    JobResult::Part result = ResultOf(record);
    record.version = 1;
    (*store)->Update(std::move(record), {std::move(result)}, std::move(done));
  });
  if (!filled.ok()) return Failed(filled);
  std::size_t bytes = 0;
  filled = Fill(std::atoi(argv[2]), [&](int number, jobs::StoreDone done) {
    JobRecord record = Unfinished(number, kind, random);
    bytes += TextsOf(record);
    (*store)->Adopt(std::move(record), std::move(done));
  });
  if (!filled.ok()) return Failed(filled);
  std::printf("%zu\n", bytes);
  return 0;
}
