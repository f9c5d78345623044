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
using google::protobuf::TextFormat;
using std::string;
using namespace pictory_jobs;

void Must(const absl::Status& status) {
  if (status.ok()) return;
  std::cerr << status << ": " << Reason(status) << "\n";
  std::exit(5);
}

auto Must(auto value) {
  Must(value.status());
  return *std::move(value);
}

template <typename T>
T Parse(const char* text, const auto&... args) {
  T message;
  if (!TextFormat::ParseFromString(Substitute(text, args...), &message)) std::exit(2);
  return message;
}

// The job in its final state. A failed job is data: it says why.
Job Follow(const Client& jobs, const absl::StatusOr<Job>& submitted) {
  const string id = Must(submitted).job_id();
  const WatchOptions options{.on_reconnect = [&](const absl::Status& why, auto) {
    std::cout << id << " connection lost (" << why.message() << "); trying again" << std::endl;
  }};
  const auto each = [&](const Job& job) {
    std::cout << id << " " << job.revision() << " " << v1::JobState_Name(job.state()) << std::endl;
    return true;
  };
  return Must(jobs.WatchJob(id, each, options));
}

CreatePreviewRequest Preview(const string& id, const string& name) {
  return Parse<CreatePreviewRequest>(R"(request_id: "$0" storyboard { video_name: "$1" scenes {
      story: "A gateway takes a story. It hands it to Pictory once." create_scene_on_end_of_sentence: true } })",
                                     id, name);
}

void Story(const Client& jobs, bool here, string order, string out, string media) {
  const auto finish = [&](const auto& job) { return Must(MustSucceed(Follow(jobs, job))); };
  const Job made = finish(jobs.CreatePreview(Preview(order + "-preview", order)));
  const auto render =
      Parse<RenderRequest>(R"(request_id: "$0-render" preview_job_id: "$1")", order, made.job_id());
  const Job video = finish(jobs.Render(render));
  Must(FetchFile(
      {.url = video.render().video_url(), .gateway_is_here = here, .path = out + "/video.mp4"}));

  const auto transcribe =
      Parse<TranscribeRequest>(R"(request_id: "$0-transcribe" file_url: "$1")", order, media);
  const Job speech = finish(jobs.Transcribe(transcribe));
  std::ofstream talk(out + "/talk.json");
  talk << Must(jobs.ReadResult(speech.job_id(), v1::RESULT_PART_TRANSCRIPT_JSON)) << std::flush;
  if (!talk) Must(absl::UnknownError("talk.json cannot be written"));
  const auto summarize = Parse<SummarizeRequest>(
      R"(request_id: "$0-summarize" transcription_job_id: "$1" highlight_duration_seconds: 20)",
      order, speech.job_id());
  const Job summary = finish(jobs.Summarize(summarize));
  std::cout << "summary: " << summary.summary().summary_text() << "\n";

  // The same request_id: the same job, paid once.
  const Job again = Must(jobs.Render(render));
  std::cout << "the same render: " << std::boolalpha << (again.job_id() == video.job_id()) << "\n";
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
  const string server = std::getenv("PICTORY_GATEWAY"), first = args[1];
  ClientOptions options;
  std::ifstream config(SERVICE_CONFIG);
  options.service_config.assign(std::istreambuf_iterator<char>(config), {});
  const Client jobs = Must(Client::Connect(server, options));
  if (first != "--watch") return Story(jobs, IsHere(server), first, args[2], args[3]), 0;
  Follow(jobs, jobs.Get(args[2]));
}
