// A caller of the gateway, and all it does about one request in a day: submits it, perhaps several
// times at once; repeats it when the connection breaks; watches, reads and deletes the job. It
// believes what it was told once, and reports whatever contradicts that.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "jobs/submitter.h"
#include "simulation/follower.h"
#include "watch/watch_stream.h"

namespace gateway::simulation {

class Process;
class World;

class Caller {
 public:
  Caller(World& world, int number);
  ~Caller();

  // Keys of Pictory's that callers have, where they pay themselves: several share one.
  static constexpr int kPurses = 3;
  static std::string KeyOf(int number) { return "pictai_of_" + std::to_string(number % kPurses); }

  // Once; with a key it may repeat itself at any time.
  void Begin();
  // Every connection to this process broke.
  void OnCrash(const Process* gone);
  // What an operator does about a job that is UNCONFIRMED for longer than this. One that its caller
  // gave up for is found in the list.
  void ResolveUnconfirmed(Duration older_than);
  // After the day, and some quiet hours.
  void CheckEnd();

  // What the database says of its request; of the job that waits for it with "-summary".
  std::optional<jobs::JobRecord> Stored(const std::string& suffix) const;

  // Without a key, and still trying: what the wall clock must not jump under.
  bool depends_on_wall_clock() const { return !keyed_ && trying_; }

 private:
  class WatchCall;

  jobs::SubmitRequest MakeRequest(Process* process, const std::string& name);
  void Call();
  void OnAnswer(std::uint64_t call, const jobs::Submitter::Answer& answer,
                const jobs::AnswerSource& source);
  void OnRefusal(std::uint64_t call, const absl::Status& status);
  void TryLater(Duration delay);
  void AfterAccepted();
  void ReuseTheIdForSomethingElse();
  void Read();
  void ReadByPictorysId();
  std::string AnyName();
  void Watch();
  void OnWatchEnded(WatchCall* watch, bool saw_final, const absl::Status& status);
  // Resolves its job so, and again until that is done.
  void Decide(const jobs::v1::ResolveJobRequest& decision);
  void Delete();
  void LookInTheList();
  // What a job says of itself, wherever it was seen; no older than `revision`.
  void Hear(const jobs::v1::Job& job, const char* where, std::int32_t revision = 0);
  void Fail(const std::string& what);

  World& world_;
  const std::string name_;  // unique; what the request is about
  const std::string tenant_;
  const std::string pictory_key_;
  const bool keyed_;
  // How a repetition without a key looks: what is measured in tests/mesh.
  enum class Shape {
    kByHand,      // nothing shows that it is one
    kCounted,     // a mesh counts its attempts and keeps its x-request-id
    kNotCounted,  // it only keeps that
    kByLibrary,   // a client library counts its attempts, a mesh gives each another x-request-id
    kLibraryAndMesh,  // and counts its own
  };
  static constexpr int kShapes = 5;
  jobs::RetryEvidence Evidence() const;
  const Shape shape_;
  std::string request_id_;
  int minted_ = 0;
  bool begun_ = false;
  bool trying_ = false;
  MonoTime began_{};
  int tries_ = 0;
  std::uint64_t calls_ = 0;
  std::map<std::uint64_t, const Process*> waiting_;  // calls whose answer is still wanted

  std::string job_id_;               // "" until an answer was OK
  std::uint64_t called_before_ = 0;  // the last call that was made until then
  jobs::JobState state_ = jobs::v1::JOB_STATE_UNSPECIFIED;
  std::int32_t revision_ = 0;
  MonoTime heard_at_{};  // of that revision
  double progress_ = 0;
  MonoTime unconfirmed_since_{};
  std::string refusal_;
  bool deleting_ = false;  // asked for; perhaps done
  bool deleted_ = false;   // told so
  MonoTime deleted_at_ = MonoTime::max();
  int watches_wanted_ = 0;  // that have not seen the end yet
  std::vector<std::shared_ptr<WatchCall>> watches_;
  std::unique_ptr<Follower> follower_;  // a summary of its transcription; null: none is wanted
};

}  // namespace gateway::simulation
