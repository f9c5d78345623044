// Prints the version of the package, and why a call failed.
#include <pictory_jobs/client.h>
#include <pictory_jobs/download.h>

#include <future>
#include <iostream>

int main(int, char** args) {
  const auto client = pictory_jobs::Client::Connect(args[1]);
  std::promise<absl::Status> ended;
  const auto watch = client->WatchJobAsync(
      "no-such-job", [](const pictory_jobs::Job&) {},
      [&](const absl::Status& status) { ended.set_value(status); });
  std::cout << VERSION << " " << pictory_jobs::Reason(ended.get_future().get()) << "\n";
  return pictory_jobs::MayAsk("https://media.example.com/v.mp4", false) ? 0 : 1;
}
