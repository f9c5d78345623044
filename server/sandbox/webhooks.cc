#include "sandbox/webhooks.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "sandbox/results.h"

namespace gateway::sandbox {
namespace {

using Type = Fault::Type;

constexpr int kInFlight = 8;  // calls to one origin at a time
// When to look again: a clock that a test moves may not have reached the job's end when the real
// time has passed.
constexpr std::chrono::milliseconds kLookAgain{20};

bool Is(const std::optional<Fault>& fault, Type type) { return fault && fault->type == type; }

std::string BodyFor(const Job& job, const JobState& state, const std::string& origin) {
  std::string body = JobReply(job, state, origin);
  if (!job.webhook_input.empty()) {
    body.insert(body.size() - 1, ",\"webhookInput\":" + job.webhook_input);
  }
  return body;
}

// Splits a URL into scheme and authority, and what follows them.
std::pair<std::string, std::string> Split(const std::string& url) {
  const std::size_t authority = url.find("://") + 3;
  const std::size_t end = std::min(url.find_first_of("/?#", authority), url.size());
  std::string path = url.substr(end);
  if (path.empty() || path.front() != '/') path.insert(0, "/");
  return {url.substr(0, end), std::move(path)};
}

}  // namespace

void Webhooks::Start(http::Server& server, std::string origin) {
  server_ = &server;
  origin_ = std::move(origin);
  for (const auto& job : book_.all()) {
    if (!job->webhook.empty() && book_.FinishTime(*job) > clock_.Now()) Await(*job, std::nullopt);
  }
}

void Webhooks::Plan(const Job& job, const std::optional<Fault>& fault,
                    std::function<void()> answer) {
  if (Is(fault, Type::kWebhookEarly)) return Call(job.id, 1, std::move(answer));
  if (Is(fault, Type::kWebhookLost)) {
    ++lost_;
  } else {
    Await(job, fault);
  }
  answer();
}

void Webhooks::Await(const Job& job, const std::optional<Fault>& fault) {
  const MonoTime end = book_.FinishTime(job);
  if (end == MonoTime::max()) return;
  Duration delay = std::max(Duration::zero(), end - clock_.Now());
  if (Is(fault, Type::kWebhookLate)) delay += std::chrono::milliseconds(fault->number);
  server_->After(delay, [this, id = job.id, fault] { OnDue(id, fault); });
}

void Webhooks::OnDue(const std::string& job_id, const std::optional<Fault>& fault) {
  if (!IsFinal(book_.StateOf(*book_.Find(job_id)).phase)) {
    return server_->After(kLookAgain, [this, job_id, fault] { OnDue(job_id, fault); });
  }
  if (Is(fault, Type::kWebhookAfterNext) && held_.size() < limits::kSandboxWebhooksWaitingMax) {
    held_.push_back(job_id);
    return;
  }
  const std::int64_t times = Is(fault, Type::kWebhookTwice) ? fault->number : 1;
  Call(job_id, times, [this] { CallHeld(); });
}

void Webhooks::CallHeld() {
  std::deque<std::string> held;
  held.swap(held_);
  for (const std::string& job_id : held) Call(job_id, 1, [] {});
}

void Webhooks::Call(const std::string& job_id, std::int64_t times, Done done) {
  const Job& job = *book_.Find(job_id);
  auto [origin, path] = Split(job.webhook);
  http::CurlTransport* const transport = TransportTo(origin);
  if (transport == nullptr || waiting_ >= limits::kSandboxWebhooksWaitingMax) {
    ++dropped_;
    return done();
  }
  http::Request request;
  request.lane = http::Lane::kPaid;  // one transmission at most, so that counts are true
  request.method = "POST";
  request.path = std::move(path);
  request.headers = {{"Content-Type", "application/json"}};
  request.body = std::make_shared<const std::string>(BodyFor(job, book_.StateOf(job), origin_));
  request.timeout = limits::kSandboxWebhookTimeout;
  request.max_body_bytes = limits::kMiB;
  ++waiting_;
  transport->Start(std::move(request),
                   [this, job_id, times, done = std::move(done)](const http::Response& response) {
                     const bool taken = response.outcome == http::Response::Outcome::kComplete &&
                                        response.status / 100 == 2;
                     // This is posted even if the call is refused inside Start, so that what
                     // follows does not run inside itself.
                     server_->Post([this, job_id, times, done, taken] {
                       --waiting_;
                       ++(taken ? called_ : failed_);
                       if (times > 1) return Call(job_id, times - 1, done);
                       done();
                     });
                   });
}

http::CurlTransport* Webhooks::TransportTo(const std::string& origin) {
  const auto found = transports_.find(origin);
  if (found != transports_.end()) return found->second.get();
  if (transports_.size() >= limits::kSandboxWebhookOriginsMax) return nullptr;
  http::CurlTransportOptions options;
  options.base_url = origin;
  options.user_agent = "pictory-sandbox";
  options.allow_plain_http = true;  // to loopback hosts only
  options.paid_in_flight = options.read_in_flight = kInFlight;
  options.queue_max = limits::kSandboxWebhooksWaitingMax;
  auto made = http::CurlTransport::Create(std::move(options));
  if (!made.ok()) return nullptr;
  return transports_.emplace(origin, *std::move(made)).first->second.get();
}

void Webhooks::WriteStats(JsonOut& out) const {
  out.Field("called", called_).Field("failed", failed_).Field("lost", lost_);
  out.Field("dropped", dropped_).Field("waiting", waiting_).Field("held", held_.size());
}

}  // namespace gateway::sandbox
