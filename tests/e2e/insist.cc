// Callers with a plain retry loop and no request_id: each submits one preview, and on any error
// tries again. Prints one line of JSON with what they were told.
//
//   insist TARGET CALLERS AT_ONCE
//
// "unexplained" are errors without the gateway's own ErrorInfo, by gRPC code and message: of those
// a caller cannot know whether its job was submitted.

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "pictory/jobs/v1/pictory_jobs.grpc.pb.h"

namespace {

namespace v1 = ::pictory::jobs::v1;

constexpr int kAttemptsMax = 200;
constexpr std::chrono::milliseconds kPause{50};
constexpr std::chrono::seconds kDeadline{60};
constexpr char kOurDomain[] = "pictory-gateway";

struct Tally {
  std::atomic<int> next{0};
  std::atomic<int> done{0};
  std::atomic<int> calls{0};
  std::mutex mutex;
  std::map<std::string, int> explained;
  std::map<std::string, int> unexplained;
};

void Insist(const std::string& target, int callers, Tally& tally) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  const auto stub = v1::PictoryJobs::NewStub(
      grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments));
  for (int i = tally.next++; i < callers; i = tally.next++) {
    v1::CreatePreviewRequest request;
    request.mutable_storyboard()->set_video_name("intent " + std::to_string(i));
    request.mutable_storyboard()->add_scenes()->set_story("One line.");
    for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
      grpc::ClientContext context;
      context.set_wait_for_ready(true);
      context.set_deadline(std::chrono::system_clock::now() + kDeadline);
      v1::CreatePreviewResponse response;
      ++tally.calls;
      const grpc::Status status = stub->CreatePreview(&context, request, &response);
      if (status.ok()) {
        ++tally.done;
        break;
      }
      // The domain stands in the details as it is.
      const bool ours = status.error_details().find(kOurDomain) != std::string::npos;
      {
        std::lock_guard lock(tally.mutex);
        ++(ours ? tally.explained : tally.unexplained)[std::to_string(status.error_code()) + " " +
                                                       status.error_message()];
      }
      std::this_thread::sleep_for(kPause);
    }
  }
}

std::string Json(const std::map<std::string, int>& counts) {
  std::string text = "{";
  for (const auto& [what, count] : counts) {
    if (text.size() > 1) text += ",";
    text += '"';
    for (const char c : what) text += c == '"' || c == '\\' || c < ' ' ? '\'' : c;
    text += "\":" + std::to_string(count);
  }
  return text + "}";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: insist TARGET CALLERS AT_ONCE\n", stderr);
    return 2;
  }
  Tally tally;
  std::vector<std::thread> threads;
  for (int i = 0; i < std::atoi(argv[3]); ++i) {
    threads.emplace_back(Insist, std::string(argv[1]), std::atoi(argv[2]), std::ref(tally));
  }
  for (std::thread& thread : threads) thread.join();
  std::printf("{\"done\":%d,\"calls\":%d,\"explained\":%s,\"unexplained\":%s}\n", tally.done.load(),
              tally.calls.load(), Json(tally.explained).c_str(), Json(tally.unexplained).c_str());
  return 0;
}
