// Prints what becomes of jobs that failed, and of servers that say nothing.
//
//   bounds GATEWAY HOLE URL STUCK FAILED     (tests/packages/run says what they are)
#include <pictory_jobs/client.h>
#include <pictory_jobs/download.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

using namespace std::chrono_literals;
using namespace pictory_jobs;

namespace {

std::string File(const std::string& url) {
  std::filesystem::remove("got");
  Download download;
  download.url = url;
  download.gateway_is_here = true;
  download.path = "got";
  download.silence = 1s;
  if (!FetchFile(download).ok()) return std::filesystem::exists("got") ? "a piece" : "ended";
  std::ifstream file("got");
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace

int main(int, char** args) {
  const auto jobs = Client::Connect(args[1]), nobody = Client::Connect(args[2]);
  const std::string url = args[3], stuck = args[4];
  const auto failed = jobs->Get(args[5]);
  if (failed.ok()) std::cout << MustSucceed(*failed).status().message() << "\n";
  WatchOptions options;
  options.silence = 500ms;
  options.connect_patience = 1500ms;
  if (!nobody->WaitUntilDone("j", options).ok()) std::cout << "hole ended\n";
  int lost = 0;
  std::stop_source ending;
  options.stop = ending.get_token();
  options.on_reconnect = [&](const absl::Status&, auto) {
    if (++lost == 2) ending.request_stop();  // in the pause that begins
  };
  const absl::Status end = jobs->WaitUntilDone(stuck, options).status();
  if (absl::IsCancelled(end)) std::cout << "silent lost " << lost << "\n";
  std::cout << "download " << File(url + "/silent") << "\n";
  std::cout << "halves " << File(url + "/halves");
  std::cout << " " << File(url + "/halves") << "\n";
}
