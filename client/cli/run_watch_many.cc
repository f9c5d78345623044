// `pictory watch` without the name of a job.
#include <algorithm>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "job_table.h"
#include "json_text.h"
#include "live_block.h"
#include "mailbox.h"
#include "session.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

constexpr std::chrono::milliseconds kRedrawEvery{200};
constexpr std::chrono::seconds kFirstPatience{3};
// How many events may wait for who reads the output. Beyond it the stream is not read on, and the
// gateway keeps the newest of each job instead.
constexpr std::size_t kNewsMax = 256;

// What the thread of the watch tells the thread that writes.
struct News {
  std::optional<JobsEvent> event;
  std::string note;
  bool ended = false;
};

WatchJobsRequest RequestOf(const Invocation& args) {
  WatchJobsRequest request;
  for (const JobState state : args.states) request.add_states(state);
  for (const JobKind kind : args.kinds) request.add_kinds(kind);
  for (const auto& [key, value] : args.labels) (*request.mutable_labels())[key] = value;
  if (!args.states.empty()) return request;
  const auto* const states = v1::JobState_descriptor();
  for (int i = 1; i < states->value_count(); ++i) {  // 0 is UNSPECIFIED
    const auto state = static_cast<JobState>(states->value(i)->number());
    if (!IsFinal(state)) request.add_states(state);
  }
  return request;
}

// Shows events as lines on stdout: one for each job that is new or has changed.
class Lines {
 public:
  explicit Lines(Output& out) : out_(out) {}

  void Show(const Job& job) {
    if (!IsNews(job)) return;
    if (out_.json()) return out_.Answer(ToJsonLine(job) + "\n");
    out_.Answer(headed_ ? table_.Line(job, absl::Now()) : table_.Whole({job}, absl::Now()));
    headed_ = true;
  }
  void Gone(const std::string& job_id) {
    if (revisions_.erase(job_id) == 0) return;
    JobsEvent gone;
    gone.set_gone_job_id(job_id);
    out_.Answer(out_.json() ? ToJsonLine(gone) + "\n" : OneLine(job_id) + " is gone\n");
  }
  // It will not change any more, so nothing is remembered of it.
  void Forget(const std::string& job_id) { revisions_.erase(job_id); }

 private:
  bool IsNews(const Job& job) {
    int& seen = revisions_[job.job_id()];
    return std::exchange(seen, job.revision()) != job.revision();
  }

  Output& out_;
  JobTable table_{false};
  bool headed_ = false;
  std::map<std::string, int> revisions_;
};

// Shows the jobs as a table that lives on a terminal; those that leave it stay above.
class LiveTable {
 public:
  explicit LiveTable(Screen screen) : block_(std::move(screen)) {}

  void Show(const Job& job) { jobs_[job.job_id()] = job; }
  void Leave(const Job& job) {
    if (jobs_.erase(job.job_id()) > 0 || listed_) {
      above_.push_back(ProgressLine(job, absl::Now(), block_.Columns()));
    }
  }
  void Gone(const std::string& job_id) {
    if (jobs_.erase(job_id) > 0) above_.push_back(OneLine(job_id) + " is gone");
  }
  void Note(const std::string& text) { above_.push_back(text); }
  void BeginList() {
    jobs_.clear();
    listed_ = false;
  }
  void EndList() { listed_ = true; }

  void Draw() {
    std::map<JobState, int> counts;
    for (const auto& [id, job] : jobs_) ++counts[job.state()];
    std::string head;
    for (const auto& [state, count] : counts) {
      absl::StrAppend(&head, head.empty() ? "" : ", ", count, " ", StateWord(state));
    }
    std::vector<std::string> lines = {head.empty() ? "no jobs; waiting for some" : head};
    const std::size_t room = static_cast<std::size_t>(std::max(3, block_.Rows() - 2));
    // The newest first: ids are in the order of time.
    for (auto job = jobs_.rbegin(); job != jobs_.rend() && lines.size() < room; ++job) {
      lines.push_back(ProgressLine(job->second, absl::Now(), block_.Columns()));
    }
    if (lines.size() - 1 < jobs_.size()) {
      lines.push_back(absl::StrCat("and ", jobs_.size() - (lines.size() - 1), " older"));
    }
    std::string above;
    for (const std::string& line : std::exchange(above_, {})) {
      absl::StrAppend(&above, above.empty() ? "" : "\n", line);
    }
    block_.Draw(std::move(lines), above);
  }
  void End() {
    Draw();
    block_.End();
  }

 private:
  LiveBlock block_;
  std::map<std::string, Job> jobs_;
  std::vector<std::string> above_;
  bool listed_ = false;
};

class WatchMany {
 public:
  explicit WatchMany(const Session& session) : session_(session), lines_(session.out) {
    if (session.out.ProgressMode() == Progress::Mode::kLive && session.out.AnswersOnTerminal()) {
      table_.emplace(Output::StderrScreen());
    }
  }

  ExitCode Run() {
    const std::stop_callback interrupted(session_.stop, [this] { stop_.request_stop(); });
    std::thread watching([this] { Watch(); });
    absl::Time drawn = absl::InfinitePast();
    for (bool ended = false; !ended;) {
      const std::optional<News> news = mail_.Pop(kRedrawEvery);
      if (news) ended = Take(*news);
      if (!session_.out.intact()) stop_.request_stop();
      const absl::Time now = absl::Now();
      if (table_ && now - drawn >= absl::FromChrono(kRedrawEvery)) {
        table_->Draw();
        drawn = now;
      }
    }
    watching.join();
    if (table_) table_->End();
    if (!session_.out.intact()) return kUnwritten;
    if (absl::IsCancelled(status_)) return kDetached;
    return absl::IsDeadlineExceeded(status_) ? kSucceeded : session_.Failed(status_);
  }

 private:
  void Watch() {
    WatchOptions options;
    options.timeout = session_.args.timeout;
    options.stop = stop_.get_token();
    options.connect_patience = kFirstPatience;
    bool told = false, connected = false;
    options.on_reconnect = [&](const absl::Status& why, std::chrono::nanoseconds) {
      if (!connected || std::exchange(told, true)) return;
      mail_.Push({std::nullopt,
                  absl::StrCat("connection lost (", OneLine(std::string(why.message())),
                               "); trying again"),
                  false});
    };
    options.on_heartbeat = [&](bool) { told = false; };
    JobsWatch watch = session_.client.WatchJobs(RequestOf(session_.args), options);
    while (std::optional<JobsEvent> event = watch.Next()) {
      connected = true;
      told = false;
      mail_.Push({std::move(event), "", false});
    }
    status_ = watch.status();
    mail_.Push({std::nullopt, "", true});
  }

  // Returns whether it was the last.
  bool Take(const News& news) {
    if (!news.note.empty()) table_ ? table_->Note(news.note) : session_.out.Note(news.note + "\n");
    if (news.event) table_ ? TakeInTable(*news.event) : TakeAsLine(*news.event);
    return news.ended;
  }

  void TakeInTable(const JobsEvent& event) {
    if (event.has_list_started()) table_->BeginList();
    if (event.has_list_completed()) table_->EndList();
    if (event.has_job()) table_->Show(event.job());
    if (event.has_left()) table_->Leave(event.left());
    if (event.event_case() == JobsEvent::kGoneJobId) table_->Gone(event.gone_job_id());
  }

  void TakeAsLine(const JobsEvent& event) {
    if (event.has_job()) lines_.Show(event.job());
    if (event.has_left()) {
      lines_.Show(event.left());
      lines_.Forget(event.left().job_id());
    }
    if (event.event_case() == JobsEvent::kGoneJobId) lines_.Gone(event.gone_job_id());
  }

  const Session& session_;
  std::stop_source stop_;  // Ctrl-C, or nobody reads any longer
  Mailbox<News> mail_{kNewsMax};
  Lines lines_;
  std::optional<LiveTable> table_;
  absl::Status status_;  // of the watch, once it has ended
};

}  // namespace

ExitCode RunWatchMany(const Session& session) { return WatchMany(session).Run(); }

}  // namespace pictory_jobs::cli
