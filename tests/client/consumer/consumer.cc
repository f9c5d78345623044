// Nothing listens where this connects: what is proved is that it compiles, links and calls.
#include <pictory_jobs/client.h>

#include <iostream>

int main() {
  pictory_jobs::ClientOptions options;
  options.retry.max_attempts = 1;
  auto client = pictory_jobs::Client::Connect("127.0.0.1:1", options);
  if (!client.ok()) return 1;
  pictory_jobs::CreatePreviewRequest request;
  request.mutable_storyboard()->set_video_name("demo");
  const auto job = client->CreatePreview(request);
  std::cout << job.status().ToString() << "\n";
  pictory_jobs::WatchOptions watch;
  watch.connect_patience = std::chrono::milliseconds(1);
  const auto done = client->WaitUntilDone("j", watch);
  for (const auto& listed : client->List()) {
    if (listed.ok()) return 1;
  }
  return absl::IsUnavailable(job.status()) && absl::IsUnavailable(done.status()) ? 0 : 1;
}
