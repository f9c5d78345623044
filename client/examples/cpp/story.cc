// From text to a video, from speech to its summary, and what goes wrong on the way.
//
//   story ORDER OUT MEDIA     the same order again pays for nothing twice
//   story --watch JOB         go on where another run stopped
#include <absl/strings/substitute.h>
#include <google/protobuf/text_format.h>
#include <pictory_jobs/client.h>
#include <pictory_jobs/download.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>

using absl::Substitute;
using namespace pictory_jobs;

template <typename T>
T Must(absl::StatusOr<T> value) {
  if (value.ok()) return *std::move(value);
  std::cerr << value.status() << ": " << Reason(value.status()) << "\n";
  std::exit(5);
}

template <typename T>
T Parse(const std::string& text) {
  T message;
  if (!google::protobuf::TextFormat::ParseFromString(text, &message)) std::exit(2);
  return message;
}

// The job in its final state. A failed job is data: it says why.
Job Follow(const Client& jobs, const absl::StatusOr<Job>& submitted) {
  const std::string id = Must(submitted).job_id();
  WatchOptions options;
  options.on_reconnect = [&](const absl::Status& why, auto) {
    std::cout << id << " connection lost (" << why.message() << "); trying again" << std::endl;
  };
  const auto each = [&](const Job& job) {
    std::cout << id << " " << job.revision() << " " << v1::JobState_Name(job.state()) << std::endl;
    return true;
  };
  return Must(jobs.WatchJob(id, each, options));
}

CreatePreviewRequest Preview(const std::string& id, const std::string& name) {
  constexpr auto kText = R"(request_id: "$0" storyboard { video_name: "$1" scenes {
      story: "A gateway takes a story. It hands it to Pictory once."
      create_scene_on_end_of_sentence: true } })";
  return Parse<CreatePreviewRequest>(Substitute(kText, id, name));
}

void Story(const Client& jobs, bool here, const std::string& order, const std::string& out,
           const std::string& media) {
  const Job made = Follow(jobs, jobs.CreatePreview(Preview(order + "-preview", "demo")));
  const auto render = Parse<RenderRequest>(
      Substitute(R"(request_id: "$0-render" preview_job_id: "$1")", order, made.job_id()));
  const Job video = Follow(jobs, jobs.Render(render));
  const std::string file = out + "/video.mp4", url = video.render().video_url();
  const absl::Status had = FetchFile({.url = url, .gateway_is_here = here, .path = file});
  if (!had.ok()) std::cerr << had << "\n";

  const Job speech =
      Follow(jobs, jobs.Transcribe(Parse<TranscribeRequest>(
                       Substitute(R"(request_id: "$0-transcribe" file_url: "$1")", order, media))));
  std::ofstream(out + "/talk.json")
      << Must(jobs.ReadResult(speech.job_id(), v1::RESULT_PART_TRANSCRIPT_JSON));
  const auto summarize = Parse<SummarizeRequest>(Substitute(
      R"(request_id: "$0-summarize" transcription_job_id: "$1" highlight_duration_seconds: 20)",
      order, speech.job_id()));
  const Job summary = Follow(jobs, jobs.Summarize(summarize));
  std::cout << "summary: " << summary.summary().summary_text() << "\n";

  // The same request_id: the same job, paid once.
  const bool same = Must(jobs.Render(render)).job_id() == video.job_id();
  std::cout << "the same render: " << (same ? "true" : "false") << "\n";
  const Job failed = Follow(jobs, jobs.CreatePreview(Preview(order + "-fail", "sandbox-fail")));
  std::cout << "failed: " << failed.error().code() << " " << failed.error().message() << "\n";
  for (const auto& [id, name] : {std::pair("-render", "other"), std::pair("-wrong", "a/b")}) {
    const absl::Status status = jobs.CreatePreview(Preview(order + id, name)).status();
    std::cout << "refused: " << Reason(status) << "\n";
    for (const auto& wrong : FieldViolations(status))
      std::cout << "wrong: " << wrong.field << " " << wrong.description << "\n";
  }
}

int main(int, char** args) {
  const std::string server = std::getenv("PICTORY_GATEWAY"), first = args[1];
  ClientOptions options;
  std::ifstream config(SERVICE_CONFIG);
  options.service_config.assign(std::istreambuf_iterator<char>(config), {});
  const Client jobs = Must(Client::Connect(server, options));
  if (first != "--watch") return Story(jobs, IsHere(server), first, args[2], args[3]), 0;
  Follow(jobs, jobs.Get(args[2]));
}
