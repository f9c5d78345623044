// A picture of a prompt, and a clip that begins with it, by Pictory's AI studio.
//
//   ai_studio ORDER OUT PROMPT     the same order again pays for nothing twice
#include <pictory_jobs/client.h>
#include <pictory_jobs/download.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>

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

// The job, once it has its result.
Job Finish(const Client& jobs, const absl::StatusOr<Job>& submitted) {
  return Must(MustSucceed(Must(jobs.WaitUntilDone(Must(submitted).job_id()))));
}

int main(int, char** args) {
  const string server = std::getenv("PICTORY_GATEWAY");
  const string order = args[1], out = args[2], prompt = args[3];
  ClientOptions options;
  std::ifstream config(SERVICE_CONFIG);
  options.service_config.assign(std::istreambuf_iterator<char>(config), {});
  const Client jobs = Must(Client::Connect(server, options));
  const bool here = IsHere(server);

  GenerateImageRequest image;
  image.set_request_id(order + "-image");
  image.set_prompt(prompt);
  image.set_aspect_ratio("16:9");
  const Job picture = Finish(jobs, jobs.GenerateImage(image));
  std::cout << "picture: " << picture.job_id() << "\n";
  const string url = picture.image().url();
  Must(FetchFile({.url = url, .gateway_is_here = here, .path = out + "/picture.jpg"}));

  GenerateVideoRequest video;
  video.set_request_id(order + "-video");
  video.set_prompt(prompt);
  video.set_aspect_ratio("16:9");
  video.set_duration("8s");
  video.set_first_frame_image_url(url);
  const Job clip = Finish(jobs, jobs.GenerateVideo(video));
  std::cout << "clip: " << clip.job_id() << "\n";
  const string file = out + "/clip.mp4";
  Must(FetchFile({.url = clip.video().url(), .gateway_is_here = here, .path = file}));
  std::cout << "AI credits: " << picture.credits_used() + clip.credits_used() << "\n";
}
