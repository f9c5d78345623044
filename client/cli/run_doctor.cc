// `pictory doctor`: looks at all that stands between the caller and a job, one thing after the
// other.
#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "doctor.h"
#include "session.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

milliseconds Since(steady_clock::time_point began) {
  return duration_cast<milliseconds>(steady_clock::now() - began);
}

class Doctor {
 public:
  explicit Doctor(const Session& session) : session_(session) {}

  ExitCode Run() {
    GetServerInfoResponse info;
    if (!AskWho(info)) return code_;
    Tell(OnVersions(PICTORY_VERSION, info.version()));
    Tell(OnIdentity(info));
    Tell(OnStore(info));
    Tell(OnLoad(info));
    AskPictory(info);
    const absl::StatusOr<GetUsageResponse> usage = session_.client.Usage(Once());
    Tell(usage.ok() ? OnBudget(*usage) : OnProblem("budget", session_.ProblemWith(usage.status())));
    HoldStream();
    if (session_.stop.stop_requested()) return kDetached;
    return code_;
  }

 private:
  // A doctor tells what is, and does not try until it is well.
  CallOptions Once() const {
    CallOptions call = session_.Call();
    call.retry = RetryOptions{.max_attempts = 1};
    return call;
  }

  void Tell(const Finding& finding) {
    if (session_.stop.stop_requested()) return;
    if (session_.out.json()) {
      session_.out.Answer(FindingLine(finding));
    } else {
      session_.out.Answer(FindingText(finding));
    }
    if (finding.health == Health::kFail) code_ = kRefused;
  }

  // The first call shows whether there is a gateway. False: nothing else can be found out.
  bool AskWho(GetServerInfoResponse& info) {
    // The connection is made by a call that nobody looks at.
    if (const auto first = session_.client.ServerInfo(Once()); !first.ok()) {
      Tell(OnProblem("gateway", session_.ProblemWith(first.status())));
      if (session_.stop.stop_requested()) code_ = kDetached;
      return false;
    }
    const absl::Time sent = absl::Now();
    const absl::StatusOr<GetServerInfoResponse> answer = session_.client.ServerInfo(Once());
    const absl::Duration took = absl::Now() - sent;
    if (!answer.ok()) {
      Tell(OnProblem("gateway", session_.ProblemWith(answer.status())));
      return false;
    }
    info = *answer;
    Tell({.check = "gateway",
          .what = absl::StrCat(OneLine(session_.args.server), " answered in ",
                               absl::ToInt64Milliseconds(took), " ms")});
    const absl::Time theirs = absl::FromUnixSeconds(info.server_time().seconds()) +
                              absl::Nanoseconds(info.server_time().nanos());
    Tell(OnClock(milliseconds(absl::ToInt64Milliseconds(theirs - (sent + took / 2))),
                 milliseconds(absl::ToInt64Milliseconds(took / 2) + 1)));
    return true;
  }

  // Asks a free question, but not where it is known that no answer would come.
  void AskPictory(const GetServerInfoResponse& info) {
    const auto began = steady_clock::now();
    absl::Status asked;
    if (!info.has_pictory_obstacle()) asked = session_.client.Templates(Once()).status();
    Tell(OnPictory(info, asked, Since(began)));
  }

  void HoldStream() {
    const milliseconds wanted = session_.args.stream;
    if (wanted.count() == 0 || session_.stop.stop_requested()) return;
    session_.out.Note(absl::StrCat("Holding a stream open for ",
                                   Elapsed(duration_cast<std::chrono::seconds>(wanted)),
                                   "; --stream 0 leaves that out.\n"));
    const auto began = steady_clock::now();
    const absl::Status end = session_.client.HoldStream(wanted, session_.stop);
    Tell(OnStream(wanted, Since(began), end));
  }

  const Session& session_;
  ExitCode code_ = kSucceeded;
};

}  // namespace

ExitCode RunDoctor(const Session& session) { return Doctor(session).Run(); }

}  // namespace pictory_jobs::cli
