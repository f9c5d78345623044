// A scripted HttpTransport: records what is sent, and answers as a test says. Single-threaded;
// `done` runs inside Start, or inside Answer for a request that was held back.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "http/transport.h"

namespace gateway::test {

// A whole answer. Header names in lower case.
inline http::Response Reply(int status, std::string body, std::vector<http::Header> headers = {}) {
  http::Response response;
  response.outcome = http::Response::Outcome::kComplete;
  response.status = status;
  response.headers = std::move(headers);
  response.body = std::move(body);
  return response;
}

inline http::Response NotSent(std::string error = "connection refused") {
  http::Response response;
  response.outcome = http::Response::Outcome::kNotSent;
  response.error = std::move(error);
  return response;
}

// Sent, and no complete answer. `status` and `body`: what arrived before it broke off.
inline http::Response Cut(std::string error = "timeout", int status = 0, std::string body = "") {
  http::Response response;
  response.outcome = http::Response::Outcome::kUnknown;
  response.error = std::move(error);
  response.status = status;
  response.body = std::move(body);
  return response;
}

class FakeTransport final : public http::HttpTransport {
 public:
  // nullopt holds the request back until Answer().
  using Script = std::function<std::optional<http::Response>(const http::Request&)>;

  // Holds every request back.
  FakeTransport() : script_([](const http::Request&) { return std::nullopt; }) {}
  explicit FakeTransport(Script script) : script_(std::move(script)) {}

  void SetScript(Script script) { script_ = std::move(script); }
  void AnswerAllWith(http::Response response) {
    script_ = [response = std::move(response)](const http::Request&) { return response; };
  }

  void Start(http::Request request, Done done) override {
    requests_.push_back(request);
    std::optional<http::Response> response = script_(request);
    if (response.has_value()) {
      done(*std::move(response));
      return;
    }
    held_.emplace_back(std::move(request), std::move(done));
  }

  // Everything ever started, in order.
  const std::vector<http::Request>& requests() const { return requests_; }
  std::size_t held() const { return held_.size(); }
  const http::Request& oldest_held() const { return held_.front().first; }

  // Answers the request held back longest. False if none is.
  bool Answer(http::Response response) {
    if (held_.empty()) return false;
    Done done = std::move(held_.front().second);
    held_.pop_front();
    done(std::move(response));
    return true;
  }

 private:
  Script script_;
  std::vector<http::Request> requests_;
  std::deque<std::pair<http::Request, Done>> held_;
};

// The value of a request's header, or "" if it has none.
inline std::string HeaderOf(const http::Request& request, std::string_view name) {
  for (const http::Header& header : request.headers) {
    if (header.name == name) return header.value;
  }
  return "";
}

}  // namespace gateway::test
