// What the tests of the curl transport share: short ways to ask and to wait.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "http/curl_transport.h"
#include "support/scripted_server.h"

namespace gateway::http::test {

using ::gateway::test::HttpReply;
using ::gateway::test::ReceivedRequest;
using ::gateway::test::ScriptedConnection;
using ::gateway::test::ScriptedServer;
using Outcome = Response::Outcome;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A script.
inline void Ok(ScriptedConnection& connection, const ReceivedRequest&) {
  connection.Send(HttpReply(200, "ok"));
}

inline CurlTransportOptions OptionsFor(const std::string& url) {
  CurlTransportOptions options;
  options.base_url = url;
  options.allow_plain_http = true;
  return options;
}

inline std::unique_ptr<CurlTransport> MustCreate(CurlTransportOptions options) {
  auto transport = CurlTransport::Create(std::move(options));
  EXPECT_TRUE(transport.ok()) << transport.status();
  return transport.ok() ? *std::move(transport) : nullptr;
}

inline Request Get(std::string path) {
  Request request;
  request.path = std::move(path);
  return request;
}

inline Request Post(std::string path, std::string body) {
  Request request;
  request.lane = Lane::kPaid;
  request.method = "POST";
  request.path = std::move(path);
  request.body = std::make_shared<const std::string>(std::move(body));
  return request;
}

inline std::future<Response> Begin(CurlTransport& transport, Request request) {
  auto promise = std::make_shared<std::promise<Response>>();
  auto future = promise->get_future();
  transport.Start(std::move(request),
                  [promise](Response response) { promise->set_value(std::move(response)); });
  return future;
}

inline Response Await(std::future<Response> future) {
  if (future.wait_for(seconds(10)) != std::future_status::ready) {
    ADD_FAILURE() << "no answer";
    return {};
  }
  return future.get();
}

inline Response Fetch(CurlTransport& transport, Request request) {
  return Await(Begin(transport, std::move(request)));
}

// For conditions nobody signals. False after 10 s.
inline bool Eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

// Holds scripts back until it is opened; opens itself when it goes.
class Gate {
 public:
  ~Gate() { Open(); }
  void Open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void Pass() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

}  // namespace gateway::http::test
