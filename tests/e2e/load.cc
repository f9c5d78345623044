// Load on a gateway, as many clients would make it: submits previews at a steady rate, watches each
// from its own thread, and prints one line of JSON with what every watch saw.
//
//   load TARGET JOBS PER_SECOND WATCHES_PER_JOB [drain]
//
// With `drain`, watches are expected to be ended by the server: each stops at its first reconnect.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "pictory_jobs/client.h"

namespace {

using pictory_jobs::Client;
using pictory_jobs::Job;

struct Tally {
  std::atomic<int> refused{0};    // submits that failed
  std::atomic<int> succeeded{0};  // watches that ended with SUCCEEDED
  std::atomic<int> other{0};      // watches that ended otherwise
  std::atomic<int> drained{0};    // watches the server ended with UNAVAILABLE
  std::atomic<int> backwards{0};  // revisions that did not rise
  std::atomic<int> first_states{0};
};

void WatchOne(const Client& client, const std::string& job_id, bool drain, Tally& tally) {
  std::stop_source stop;
  pictory_jobs::WatchOptions options;
  options.timeout = std::chrono::minutes(2);
  options.stop = stop.get_token();
  bool drained = false;
  options.on_reconnect = [&](const absl::Status& why, std::chrono::nanoseconds) {
    if (!drain) return;
    drained = absl::IsUnavailable(why);
    stop.request_stop();
  };
  pictory_jobs::Watch watch = client.WatchJob(job_id, options);
  std::optional<Job> last;
  while (std::optional<Job> job = watch.Next()) {
    if (!last.has_value() && ++tally.first_states % 100 == 0) {
      std::fprintf(stderr, "watching %d\n", tally.first_states.load());
    }
    if (last.has_value() && job->revision() <= last->revision()) ++tally.backwards;
    last = std::move(job);
  }
  if (drained) {
    ++tally.drained;
  } else if (watch.status().ok() && last.has_value() &&
             last->state() == pictory_jobs::JobState::JOB_STATE_SUCCEEDED) {
    ++tally.succeeded;
  } else {
    ++tally.other;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fputs("usage: load TARGET JOBS PER_SECOND WATCHES_PER_JOB [drain]\n", stderr);
    return 2;
  }
  const int jobs = std::atoi(argv[2]);
  const double per_second = std::atof(argv[3]);
  const int watches = std::atoi(argv[4]);
  const bool drain = argc > 5 && std::string(argv[5]) == "drain";
  const auto client = Client::Connect(argv[1]);
  if (!client.ok()) {
    std::fprintf(stderr, "load: %s\n", std::string(client.status().message()).c_str());
    return 1;
  }
  Tally tally;
  std::vector<std::thread> threads;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < jobs; ++i) {
    std::this_thread::sleep_until(begin + std::chrono::duration<double>(i / per_second));
    pictory_jobs::CreatePreviewRequest request;
    request.mutable_storyboard()->set_video_name("load " + std::to_string(i));
    request.mutable_storyboard()->add_scenes()->set_story("One line. Another line.");
    const auto job = client->CreatePreview(std::move(request));
    if (!job.ok()) {
      ++tally.refused;
      continue;
    }
    for (int w = 0; w < watches; ++w) {
      threads.emplace_back(WatchOne, std::cref(*client), job->job_id(), drain, std::ref(tally));
    }
  }
  for (std::thread& thread : threads) thread.join();
  std::printf("{\"refused\":%d,\"succeeded\":%d,\"other\":%d,\"drained\":%d,\"backwards\":%d}\n",
              tally.refused.load(), tally.succeeded.load(), tally.other.load(),
              tally.drained.load(), tally.backwards.load());
  return 0;
}
