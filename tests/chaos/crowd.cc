// Many submits at once, and what each caller was told, one line of JSON a call.
//
//   crowd TARGET CALLS THREADS ID [pad=BYTES] [key=KEY] [retry | keyless]
//
// An ID that ends in '-' is numbered, one for each call; any other is the request_id of all of
// them. It is the video's name too, so that the sandbox's journal tells which request was sent. The
// text of the story is padded to BYTES. KEY is the callers' own Pictory key. With `retry`, calls
// are repeated as the client library does by default; without, each is made once. With `keyless`
// they are made by the bare stub and have no request_id.

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <latch>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <grpcpp/grpcpp.h>

#include "pictory/jobs/v1/pictory_jobs.grpc.pb.h"
#include "pictory_jobs/client.h"

namespace {

using pictory_jobs::Client;

struct Plan {
  int calls = 0;
  int threads = 0;
  std::string id;
  std::size_t pad = 0;
  std::string key;
  bool retry = false;
  bool keyless = false;
};

// Pieces well below what one text may have.
constexpr std::size_t kPieceBytes = 1024 * 1024;

std::string Storyboard(const std::string& name, std::size_t pad) {
  std::string scenes;
  for (std::size_t written = 0; written < pad; written += kPieceBytes) {
    scenes += R"({"story":")" + std::string(std::min(kPieceBytes, pad - written), 'x') + R"("},)";
  }
  return R"({"videoName":")" + name + R"(","scenes":[)" + scenes + R"({"story":"One line."}]})";
}

// The text without what JSON would escape.
std::string Plain(std::string text) {
  std::erase_if(text, [](unsigned char c) { return c < ' ' || c == '"' || c == '\\'; });
  return text;
}

std::string Line(const std::string& id, const absl::StatusOr<pictory_jobs::Job>& job) {
  std::string line = R"({"id":")" + id + R"(",)";
  if (job.ok()) {
    // What is equal in every byte has the same hash; protobuf writes equal jobs equally in one
    // process.
    const auto hash = std::hash<std::string>()(job->SerializeAsString());
    return line + R"("code":"OK","job":")" + job->job_id() + R"(","pictory":")" +
           job->pictory_job_id() + R"(","state":")" +
           pictory_jobs::v1::JobState_Name(job->state()) + R"(","hash":")" + std::to_string(hash) +
           "\"}";
  }
  return line + R"("code":")" + absl::StatusCodeToString(job.status().code()) + R"(","reason":")" +
         pictory_jobs::Reason(job.status()) + R"(","message":")" +
         Plain(std::string(job.status().message())) + "\"}";
}

absl::StatusOr<pictory_jobs::Job> CallKeyless(pictory_jobs::v1::PictoryJobs::Stub& stub,
                                              pictory_jobs::CreatePreviewRequest request) {
  request.clear_request_id();
  grpc::ClientContext context;
  pictory_jobs::v1::CreatePreviewResponse response;
  const grpc::Status status = stub.CreatePreview(&context, request, &response);
  if (status.ok()) return response.job();
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

void Run(const Plan& plan, const Client& client, pictory_jobs::v1::PictoryJobs::Stub& stub) {
  std::atomic<int> next{0};
  std::mutex printing;
  std::latch ready(plan.threads);
  const auto work = [&] {
    ready.arrive_and_wait();
    for (int call; (call = next++) < plan.calls;) {
      pictory_jobs::CreatePreviewRequest request;
      request.set_request_id(plan.id.back() == '-' ? plan.id + std::to_string(call) : plan.id);
      request.set_storyboard_json(Storyboard(request.request_id(), plan.pad));
      const std::string id = request.request_id();
      const std::string line = Line(id, plan.keyless ? CallKeyless(stub, std::move(request))
                                                     : client.CreatePreview(std::move(request)));
      const std::lock_guard lock(printing);
      std::puts(line.c_str());
      std::fflush(stdout);
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < plan.threads; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fputs("usage: crowd TARGET CALLS THREADS ID [pad=BYTES] [key=KEY] [retry | keyless]\n",
               stderr);
    return 2;
  }
  Plan plan{.calls = std::atoi(argv[2]), .threads = std::atoi(argv[3]), .id = argv[4]};
  for (int i = 5; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "retry") plan.retry = true;
    if (word == "keyless") plan.keyless = true;
    if (word.substr(0, 4) == "key=") plan.key = word.substr(4);
    if (word.substr(0, 4) == "pad=") plan.pad = std::strtoul(argv[i] + 4, nullptr, 10);
  }
  pictory_jobs::ClientOptions options;
  options.pictory_key = plan.key;
  if (plan.retry) {
    options.retry.when_exhausted = true;
  } else {
    options.retry.max_attempts = 1;
  }
  const auto client = Client::Connect(argv[1], options);
  if (!client.ok()) {
    std::fprintf(stderr, "crowd: %s\n", std::string(client.status().message()).c_str());
    return 1;
  }
  const auto stub = pictory_jobs::v1::PictoryJobs::NewStub(
      grpc::CreateChannel(argv[1], grpc::InsecureChannelCredentials()));
  Run(plan, *client, *stub);
  return 0;
}
