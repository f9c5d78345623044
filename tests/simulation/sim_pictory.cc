#include "simulation/sim_pictory.h"

#include <algorithm>
#include <utility>

namespace gateway::simulation {
namespace {

using http::Response;
using namespace std::chrono_literals;

constexpr char kWebhook[] = "\"webhook\":\"https://gateway.example/";
constexpr char kName[] = "https://media.example/";

Response Complete(int status, std::string body, std::vector<http::Header> headers = {}) {
  Response response;
  response.outcome = Response::Outcome::kComplete;
  response.status = status;
  response.body = std::move(body);
  response.headers = std::move(headers);
  return response;
}

std::string KeyOf(const http::Request& request) {
  for (const http::Header& header : request.headers) {
    if (header.name == "Authorization") return header.value;
  }
  return "";
}

constexpr std::string_view kJobs = "/v1/jobs/";

Response Broken(Response::Outcome outcome) {
  Response response;
  response.outcome = outcome;
  response.error = outcome == Response::Outcome::kNotSent ? "connection refused" : "reset";
  return response;
}

}  // namespace

std::string Cut(const std::string& text, const std::string& before) {
  const std::size_t at = text.find(before);
  if (at == std::string::npos) return "";
  const std::size_t begin = at + before.size();
  return text.substr(begin, text.find('"', begin) - begin);
}

bool SimPictory::Chance(double probability) {
  return probability > 0 && static_cast<double>(random_() >> 11) * 0x1.0p-53 < probability;
}

Duration SimPictory::Between(Duration least, Duration most) {
  const auto spread = static_cast<std::uint64_t>((most - least).count());
  return least + Duration(static_cast<Duration::rep>(random_() % (spread + 1)));
}

const Upstream* SimPictory::Find(const std::string& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &jobs_[found->second];
}

const Upstream* SimPictory::FindByName(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &jobs_[found->second];
}

int SimPictory::Accepted(const std::string& name) const {
  const auto found = accepted_.find(name);
  return found == accepted_.end() ? 0 : found->second;
}

int SimPictory::RequestsIn(Duration window) {
  while (!requests_.empty() && requests_.front() <= clock_.Now() - window) requests_.pop_front();
  return static_cast<int>(requests_.size());
}

void SimPictory::ClearUp() {
  const Weather calm;
  const double never = weather_.never_ends;
  weather_ = calm;
  weather_.never_ends = never;
  down_until_ = MonoTime{};
}

// The answer reaches only the process that asked.
void SimPictory::Answer(Line& line, Duration after, Done done, Response response) {
  if (weather_.transport_lies && response.outcome == Response::Outcome::kUnknown) {
    response.outcome = Response::Outcome::kNotSent;
  }
  line.clock().In(after, [done = std::move(done), response = std::move(response)]() mutable {
    done(std::move(response));
  });
}

void SimPictory::Start(Line& line, http::Request request, Done done) {
  requests_.push_back(clock_.Now());
  ++count_;
  if (request.lane == http::Lane::kPaid) {
    if (!weather_.transport_resends) return Post(line, request, std::move(done));
    return Post(line, request,
                [this, &line, request, done = std::move(done)](http::Response response) {
                  if (response.outcome == Response::Outcome::kUnknown)
                    return Post(line, request, done);
                  done(std::move(response));
                });
  }
  if (request.method == "GET" && request.path.starts_with(kJobs)) {
    line.asked_[request.path.substr(kJobs.size())] = clock_.Now();
  }
  if (down())
    return Answer(line, Between(1ms, 5s), std::move(done), Broken(Response::Outcome::kUnknown));
  const auto known = by_id_.find(request.path.substr(std::min(request.path.size(), kJobs.size())));
  if (known != by_id_.end()) CheckKey(jobs_[known->second], request);
  if (request.method == "DELETE") {
    return Answer(line, Between(20ms, 200ms), std::move(done),
                  Complete(200, R"({"success":true})"));
  }
  if (request.path.starts_with(kJobs)) return Poll(line, request, std::move(done));
  List(line, KeyOf(request), std::move(done));
}

void SimPictory::Post(Line& line, const http::Request& request, Done done) {
  const Duration connect = Between(1ms, 60ms);
  if (down() || Chance(weather_.not_sent)) {
    return Answer(line, connect, std::move(done), Broken(Response::Outcome::kNotSent));
  }
  // A process that dies while it connects has sent nothing; from then on Pictory goes on without
  // it.
  line.clock().In(connect, [this, &line, body = *request.body, key = KeyOf(request),
                            may_send = request.may_send, done = std::move(done)] {
    if (may_send && !weather_.sends_late && !may_send()) {
      return Answer(line, 1us, done, Broken(Response::Outcome::kNotSent));
    }
    const Duration soon = Between(30ms, 600ms);
    const std::string name = Cut(body, kName);
    if (paid_) paid_(line.gateway(), name);
    if (Chance(weather_.rate_limited)) {
      std::vector<http::Header> headers;
      if (Chance(0.5)) headers.push_back({"retry-after", std::to_string(1 + random_() % 60)});
      return Answer(line, soon, done, Complete(429, "{}", headers));
    }
    if (refused_.contains(name) || (Accepted(name) == 0 && Chance(weather_.refused))) {
      refused_.insert(name);
      return Answer(line, soon, done,
                    Complete(400, R"({"code":"INVALID_REQUEST_BODY","message":"no"})"));
    }
    if (Chance(weather_.unavailable)) return Answer(line, soon, done, Complete(503, "busy"));
    if (Chance(weather_.lost)) return Answer(line, soon, done, Broken(Response::Outcome::kUnknown));
    const Upstream& job = Accept(body, key);
    const std::string id = job.id;
    PlanWebhookCalls(job);
    if (Chance(weather_.lost_answer))
      return Answer(line, soon, done, Broken(Response::Outcome::kUnknown));
    if (Chance(weather_.slow_answer))
      return Answer(line, 30s, done, Broken(Response::Outcome::kUnknown));
    if (Chance(weather_.broken_answer)) {
      return Answer(line, soon, done, Chance(0.5) ? Complete(502, "<html>") : Complete(200, "{}"));
    }
    if (auto then = std::exchange(next_acceptance_, nullptr)) then(soon);
    Answer(line, soon, done,
           Complete(200, Odd(R"({"success":true,"data":{"jobId":")" + id + R"("}})")));
  });
}

Upstream& SimPictory::Accept(const std::string& body, const std::string& key) {
  Upstream job;
  job.key = key;
  job.id = "up-" + std::to_string(jobs_.size() + 1);
  job.name = Cut(body, kName);
  job.token = Cut(body, kWebhook);
  job.accepted = clock_.Now();
  job.known_from = job.accepted + (Chance(weather_.poll_unknown) ? Between(1s, 40s) : Duration(0));
  const Duration length = Chance(0.05) ? Between(1h, 3h) : Between(20s, 15min);
  job.ends = job.accepted + length;
  if (Chance(weather_.never_ends)) {
    job.end = Upstream::End::kNever;
    job.ends = MonoTime::max();
  } else if (Chance(weather_.fails)) {
    job.end = Upstream::End::kFails;
  } else if (Chance(weather_.cleaned)) {
    job.end = Upstream::End::kCleaned;
  }
  job.flaps = Chance(weather_.flaps);
  job.has_result = job.ends;
  if (job.end == Upstream::End::kCompletes && Chance(weather_.late_result))
    job.has_result += Between(10s, 1h);
  ++accepted_[job.name];
  by_id_[job.id] = jobs_.size();
  by_name_.emplace(job.name, jobs_.size());
  jobs_.push_back(std::move(job));
  return jobs_.back();
}

void SimPictory::PlanWebhookCalls(const Upstream& job) {
  if (job.token.empty() || job.end == Upstream::End::kNever) return;
  const Duration until_end = job.ends - clock_.Now();
  if (Chance(weather_.webhook_early)) CallWebhook(Between(1ms, 400ms), job.token, job.id);
  if (Chance(weather_.webhook_wrong)) {
    CallWebhook(Between(1s, 10min), job.token, "up-999999");
  }
  if (Chance(weather_.webhook_lost)) return;
  CallWebhook(until_end + Between(10ms, 20s), job.token, job.id);
  if (Chance(weather_.webhook_twice))
    CallWebhook(until_end + Between(10ms, 10min), job.token, job.id);
}

void SimPictory::CallWebhook(Duration after, std::string token, std::string id) {
  clock_.InWorld(after, [this, token = std::move(token), id = std::move(id)] { call_(token, id); });
}

std::string SimPictory::BodyOf(Upstream& job) {
  const MonoTime now = clock_.Now();
  if (now < job.ends) {
    if (job.flaps && Chance(0.2)) return R"({"success":true,"data":{"status":"pending"}})";
    if (job.end == Upstream::End::kNever || !Chance(0.3)) {
      return R"({"success":true,"data":{"status":"in-progress"}})";
    }
    // Seen to fall now and then.
    const int told = static_cast<int>(random_() % 100);
    return R"({"success":true,"data":{"status":"in-progress","renderProgress":)" +
           std::to_string(told) + "}}";
  }
  constexpr char kFailed[] =
      R"({"success":false,"data":{"status":"failed","error_code":"X","error_message":"no"}})";
  switch (job.end) {
    case Upstream::End::kFails:
      return kFailed;
    case Upstream::End::kCleaned:
      return R"({"success":true,"data":{"status":"cleaned"}})";
    case Upstream::End::kCompletes:
    case Upstream::End::kNever:
      break;
  }
  if (job.flaps && !std::exchange(job.flapped, true)) return kFailed;
  if (now < job.has_result) return R"({"success":true,"data":{"status":"completed"}})";
  return R"({"success":true,"data":{"status":"completed","txt":"hello"}})";
}

// The same answer as far as it says anything: what a JavaScript program reads all the same.
std::string SimPictory::Odd(std::string body) {
  if (!Chance(weather_.odd_text)) return body;
  switch (random_() % 6) {
    case 0:
      return "\xEF\xBB\xBF" + body;
    case 1:
      return body.insert(1, R"("note":"cut \ud83c",)");
    case 2:
      return body.insert(1, R"("note":1e400,)");
    case 3:
      return body.insert(1, R"("success":"twice",)");
    case 4:
      return body.insert(1, "\"note\":\"\xF0\x9F\",");
    default:
      return body.insert(1, "\"note\":" + std::string(1000, '[') + std::string(1000, ']') + ',');
  }
}

// Of a job under way: it says nothing that is understood. Of one that has ended: its end, in other
// letters.
http::Response SimPictory::OddWord(const Upstream& job) {
  const bool ended = clock_.Now() >= job.ends;
  if (ended && job.end == Upstream::End::kCompletes && clock_.Now() >= job.has_result) {
    return Complete(200, R"({"success":true,"data":{"status":"Completed","txt":"hello"}})");
  }
  switch (random_() % 4) {
    case 0:
      return Complete(200, "<html><body>We are back soon.</body></html>");
    case 1:
      return Complete(400, R"({"code":"BAD_REQUEST","message":"failed"})");
    case 2:
      return Complete(200, R"({"success":true,"data":{}})");
    default:
      return Complete(200, R"({"success":true,"data":{"status":"tidying up"}})");
  }
}

void SimPictory::CheckKey(const Upstream& job, const http::Request& request) {
  if (job.key == KeyOf(request) || !asked_by_a_stranger_.empty()) return;
  asked_by_a_stranger_ = job.name + ", which " + job.key + " has paid for, met " + request.method +
                         " with " + KeyOf(request);
}

void SimPictory::Poll(Line& line, const http::Request& request, Done done) {
  const std::string id = request.path.substr(kJobs.size());
  const Duration soon = Between(20ms, 300ms);
  if (Chance(weather_.poll_trouble)) {
    switch (random_() % 5) {
      case 0:
        return Answer(line, soon, std::move(done), Complete(429, "{}", {{"retry-after", "5"}}));
      case 1:
        return Answer(line, soon, std::move(done), Complete(503, "busy"));
      case 2:
        return Answer(line, soon, std::move(done), Complete(200, ""));
      case 3:
        return Answer(line, soon, std::move(done), Complete(200, R"({"data":{"st)"));
      default:
        return Answer(line, 10s, std::move(done), Broken(Response::Outcome::kUnknown));
    }
  }
  const auto found = by_id_.find(id);
  if (found == by_id_.end() || clock_.Now() < jobs_[found->second].known_from) {
    return Answer(line, soon, std::move(done),
                  Complete(404, R"({"error_code":"5000","error_message":"JOB_NOT_FOUND"})"));
  }
  Upstream& job = jobs_[found->second];
  if (Chance(weather_.odd_word)) return Answer(line, soon, std::move(done), OddWord(job));
  Answer(line, soon, std::move(done), Complete(200, Odd(BodyOf(job))));
}

void SimPictory::List(Line& line, const std::string& key, Done done) {
  std::string body = R"({"items":[)";
  for (auto job = jobs_.rbegin(); job != jobs_.rend(); ++job) {
    if (job->key != key) continue;
    if (body.size() > 11) body += ',';
    body += R"({"data":{"jobId":")" + job->id + R"(","status":"in-progress"}})";
  }
  Answer(line, Between(50ms, 500ms), std::move(done), Complete(200, body + "]}"));
}

}  // namespace gateway::simulation
