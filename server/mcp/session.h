// A Session is what one run of the face remembers: which submits it has sent, what they may have
// cost, and which of them wait for a person's word. Nothing of it is stored. Thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "google/protobuf/message.h"

namespace gateway::mcp {

struct SpendingRules {
  std::optional<double> cap;  // credits of one session; unset: every submit is asked about
  bool always_ask = false;    // below the cap too
};

// A question that a person answers, about one submit at one price.
struct Question {
  std::string request_id;
  std::string content;            // as RequestIdOf has it: what is asked for, by which tool
  std::optional<double> credits;  // unset: not known
  // Of a client that is asked by a request of ours: the call that waits for the answer.
  std::string call_id;
  std::string tool;
  std::string arguments;
};

class Session {
 public:
  // The name makes request_ids: in another session of the same name a call is the same submit.
  // `clock` must outlive it.
  Session(std::string name, SpendingRules rules, const Clock& clock);

  // The request_id of a call that gives none: the same for the same request in this session,
  // whatever request_id it has. What only says how long a submit may wait does not count. Of calls
  // that give one it is their content.
  std::string RequestIdOf(std::string_view tool, const google::protobuf::Message& request) const;

  enum class Standing : std::uint8_t {
    kNew,    // not sent yet
    kAsk,    // not sent, and needs a person's word
    kFull,   // the session remembers no more submits
    kAgain,  // was sent, and may be again: nothing is paid for it
    kOther,  // another content was sent under this request_id
  };
  // Whether a submit was sent before: kNew, kAgain or kOther. It is forgotten once the gateway may
  // have forgotten its request_id, because it would be paid for anew then.
  Standing Look(const std::string& request_id, const std::string& content) EXCLUDES(mutex_);
  // Whether a submit may be sent; one that may has its credits counted, as kUnknownCredits if they
  // are not known. `confirmed`: a person has said yes to these credits.
  Standing Take(const std::string& request_id, const std::string& content,
                std::optional<double> credits, bool confirmed) EXCLUDES(mutex_);
  // What became of it: its job; or, of one that was kNew, that certainly nothing was sent, so that
  // it counts no more. If neither is known, neither is called.
  void Accepted(const std::string& request_id, const std::string& content,
                const std::string& job_id, std::optional<double> credits) EXCLUDES(mutex_);
  void NotSent(const std::string& request_id) EXCLUDES(mutex_);
  // The job of a submit that was sent before; empty if its answer did not come.
  std::string JobOf(const std::string& request_id) const EXCLUDES(mutex_);
  // What Pictory says that a job has used counts in place of what it might have.
  void Used(const std::string& job_id, double credits) EXCLUDES(mutex_);

  struct Asked {
    std::string name;                   // cannot be guessed, and holds for one answer
    std::optional<Question> forgotten;  // the oldest, which this one was too many for
  };
  Asked Ask(Question question) EXCLUDES(mutex_);
  std::optional<Question> Answer(const std::string& name) EXCLUDES(mutex_);

  double spent() const EXCLUDES(mutex_);
  const SpendingRules& rules() const { return rules_; }

 private:
  struct Sent {
    std::string content;
    double credits = 0;
    std::string job_id;
    MonoTime since;
    WallTime wall_since;
  };
  Standing StandingOf(const std::string& request_id, const std::string& content) REQUIRES(mutex_);
  Sent& Add(const std::string& request_id, const std::string& content,
            std::optional<double> credits) REQUIRES(mutex_);

  const std::string name_;
  const SpendingRules rules_;
  const Clock& clock_;
  mutable Mutex mutex_;
  std::map<std::string, Sent> sent_ GUARDED_BY(mutex_);               // by request_id
  std::map<std::string, std::string> request_of_ GUARDED_BY(mutex_);  // by job_id
  double spent_ GUARDED_BY(mutex_) = 0;
  std::map<std::string, Question> questions_ GUARDED_BY(mutex_);
  std::deque<std::string> oldest_ GUARDED_BY(mutex_);  // names of questions
};

}  // namespace gateway::mcp
