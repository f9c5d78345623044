#include "mcp/session.h"

#include <memory>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "base/random.h"
#include "base/sha256.h"
#include "json/api_writer.h"
#include "pictory/credits.h"
#include "pictory/jobs/v1/annotations.pb.h"

namespace gateway::mcp {
namespace {

constexpr std::size_t kIdHexDigits = 40;
constexpr std::size_t kQuestionNameBytes = 16;

}  // namespace

Session::Session(std::string name, SpendingRules rules, const Clock& clock)
    : name_(std::move(name)), rules_(rules), clock_(clock) {}

std::string Session::RequestIdOf(std::string_view tool,
                                 const google::protobuf::Message& request) const {
  const std::unique_ptr<google::protobuf::Message> same(request.New());
  same->CopyFrom(request);
  const auto& type = *same->GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const auto& rest = type.field(i)->options().GetExtension(::pictory::jobs::v1::rest);
    if (rest.waits() || type.field(i)->name() == "request_id") {
      same->GetReflection()->ClearField(same.get(), type.field(i));
    }
  }
  Sha256Stream hash;
  // Its JSON has the keys of maps in order.
  for (const std::string_view part : {std::string_view(name_), tool}) {
    hash.Append(absl::StrCat(part.size(), ":"));
    hash.Append(part);
  }
  hash.Append(json::ApiJson(*same));
  return absl::StrCat("mcp-", absl::BytesToHexString(hash.Finish()).substr(0, kIdHexDigits));
}

Session::Standing Session::Look(const std::string& request_id, const std::string& content) {
  MutexLock lock(mutex_);
  return StandingOf(request_id, content);
}

Session::Standing Session::StandingOf(const std::string& request_id, const std::string& content) {
  // A machine that slept has an older monotonic clock.
  const MonoTime now = clock_.Now();
  const WallTime wall = clock_.WallNow();
  for (auto entry = sent_.begin(); entry != sent_.end();) {
    const Sent& sent = entry->second;
    const bool old = now - sent.since >= limits::kRequestIdKept ||
                     wall - sent.wall_since >= limits::kRequestIdKept;
    if (old) request_of_.erase(sent.job_id);
    entry = old ? sent_.erase(entry) : std::next(entry);
  }
  const auto found = sent_.find(request_id);
  if (found == sent_.end()) return Standing::kNew;
  return found->second.content == content ? Standing::kAgain : Standing::kOther;
}

Session::Sent& Session::Add(const std::string& request_id, const std::string& content,
                            std::optional<double> credits) {
  Sent& sent = sent_[request_id];
  sent = {.content = content,
          .credits = credits.value_or(pictory::kUnknownCredits),
          .job_id = "",
          .since = clock_.Now(),
          .wall_since = clock_.WallNow()};
  spent_ += sent.credits;
  return sent;
}

Session::Standing Session::Take(const std::string& request_id, const std::string& content,
                                std::optional<double> credits, bool confirmed) {
  MutexLock lock(mutex_);
  const Standing standing = StandingOf(request_id, content);
  if (standing != Standing::kNew) return standing;
  const bool fits =
      rules_.cap.has_value() && credits.has_value() && spent_ + *credits <= *rules_.cap;
  if (!confirmed && (rules_.always_ask || !fits)) return Standing::kAsk;
  if (sent_.size() >= limits::kMcpSubmitsMax) return Standing::kFull;
  Add(request_id, content, credits);
  return Standing::kNew;
}

void Session::Accepted(const std::string& request_id, const std::string& content,
                       const std::string& job_id, std::optional<double> credits) {
  MutexLock lock(mutex_);
  const auto found = sent_.find(request_id);
  // It is gone if another call of the same submit was told that nothing was sent.
  Sent& sent = found == sent_.end() ? Add(request_id, content, credits) : found->second;
  sent.job_id = job_id;
  request_of_[job_id] = request_id;
}

void Session::NotSent(const std::string& request_id) {
  MutexLock lock(mutex_);
  const auto found = sent_.find(request_id);
  if (found == sent_.end() || !found->second.job_id.empty()) return;
  spent_ -= found->second.credits;
  sent_.erase(found);
}

std::string Session::JobOf(const std::string& request_id) const {
  MutexLock lock(mutex_);
  const auto found = sent_.find(request_id);
  return found == sent_.end() ? "" : found->second.job_id;
}

void Session::Used(const std::string& job_id, double credits) {
  MutexLock lock(mutex_);
  const auto found = request_of_.find(job_id);
  if (found == request_of_.end()) return;
  Sent& sent = sent_[found->second];
  spent_ += credits - sent.credits;
  sent.credits = credits;
}

Session::Asked Session::Ask(Question question) {
  Asked asked{.name = RandomHex(kQuestionNameBytes), .forgotten = std::nullopt};
  MutexLock lock(mutex_);
  questions_[asked.name] = std::move(question);
  oldest_.push_back(asked.name);
  if (oldest_.size() > limits::kMcpQuestionsMax) {
    asked.forgotten = std::move(questions_.extract(oldest_.front()).mapped());
    oldest_.pop_front();
  }
  return asked;
}

std::optional<Question> Session::Answer(const std::string& name) {
  MutexLock lock(mutex_);
  const auto found = questions_.find(name);
  if (found == questions_.end()) return std::nullopt;
  Question question = std::move(found->second);
  questions_.erase(found);
  std::erase(oldest_, name);
  return question;
}

double Session::spent() const {
  MutexLock lock(mutex_);
  return spent_;
}

}  // namespace gateway::mcp
