// Nothing listens where this connects: what is proved is that it compiles, links and calls.
#include <pictory_jobs/client.h>
#include <pictory_jobs/download.h>

#include <fstream>
#include <iostream>
#include <iterator>

int main() {
  pictory_jobs::ClientOptions options;
  options.retry.max_attempts = 1;
  std::ifstream config(SERVICE_CONFIG);
  options.service_config.assign(std::istreambuf_iterator<char>(config), {});
  options.call_timeout = std::chrono::milliseconds(500);  // the config waits for the gateway
  auto client = pictory_jobs::Client::Connect("127.0.0.1:1", options);
  if (!client.ok()) return 1;
  pictory_jobs::CreatePreviewRequest request;
  request.mutable_storyboard()->set_video_name("demo");
  const auto job = client->CreatePreview(request);
  std::cout << job.status().ToString() << "\n";
  pictory_jobs::WatchOptions watch;
  watch.connect_patience = std::chrono::milliseconds(1);
  watch.timeout = std::chrono::milliseconds(500);
  const auto done = client->WaitUntilDone("j", watch);
  for (const auto& listed : client->List()) {
    if (listed.ok()) return 1;
  }
  {
    const auto watched = client->WatchJobAsync(
        "j", [](const pictory_jobs::Job&) {}, [](const absl::Status&) {}, watch);
  }
  pictory_jobs::Download download;
  download.url = "http://203.0.113.1/not-https";
  if (pictory_jobs::FetchFile(download).ok() || options.service_config.empty()) return 1;
  if (!pictory_jobs::FieldViolations(job.status()).empty()) return 1;
  return absl::IsDeadlineExceeded(job.status()) && !done.ok() ? 0 : 1;
}
