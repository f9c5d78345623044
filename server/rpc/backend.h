// A Backend does what the calls ask for, once they are checked and read. The app's Backend does it
// with the domain (app/backend.h); tests have their own.
//
// Its functions are called from gRPC's threads and do not block. An answer comes exactly once, on
// any thread, inside the call too.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/errors.h"
#include "base/secret.h"
#include "google/protobuf/message.h"
#include "jobs/account_desk.h"
#include "jobs/owner.h"
#include "jobs/preview_editor.h"
#include "jobs/submitter.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"

namespace gateway::rpc {

namespace v1 = ::pictory::jobs::v1;

class Backend {
 public:
  template <class Response>
  using Done = std::function<void(absl::StatusOr<Response>)>;

  virtual ~Backend() = default;

  // All that is wrong with a request to submit, to upload or to change; see pictory::Validate.
  virtual std::vector<errors::Violation> Validate(const jobs::Owner& owner,
                                                  const google::protobuf::Message& request) = 0;
  // See jobs::Submitter::Submit.
  virtual void Submit(jobs::SubmitRequest request, jobs::Submitter::Done done) = 0;
  // See pictory::ReadFullResult. It is called on a thread of the store.
  virtual absl::StatusOr<std::string> ReadFull(std::string_view result_json, v1::JobKind kind) = 0;
  virtual void Resolve(const std::string& tenant,
                       std::shared_ptr<const v1::ResolveJobRequest> request,
                       Done<v1::ResolveJobResponse> done) = 0;
  virtual void Delete(const std::string& tenant,
                      std::shared_ptr<const v1::DeleteJobRequest> request,
                      Done<v1::DeleteJobResponse> done) = 0;
  virtual void CreateUpload(const jobs::Owner& owner,
                            std::shared_ptr<const v1::CreateUploadRequest> request,
                            Done<v1::CreateUploadResponse> done) = 0;
  // See jobs::PreviewEditor::Update.
  virtual void UpdatePreview(const jobs::SnapshotPtr& preview,
                             std::shared_ptr<const v1::UpdatePreviewRequest> request,
                             jobs::PreviewEditor::Cancelled cancelled,
                             std::function<void(absl::Status)> done) = 0;
  // See jobs::AccountDesk.
  virtual void Ask(const jobs::Owner& owner, jobs::Purpose purpose, pictory::FreeCall call,
                   jobs::AccountDesk::Done done) = 0;
  virtual void LookTwice(const jobs::Owner& owner, pictory::FreeCall first,
                         pictory::FreeCall second, jobs::AccountDesk::BothDone done) = 0;
  // The job of this name; see jobs::Adopter::Load.
  virtual void Load(const jobs::Owner& owner, const std::string& name,
                    Done<jobs::SnapshotPtr> done) = 0;
  // Reads bytes of an archived file, as Jobs::ReadPart does of a part. `places` are those of the
  // job (jobs::PlacesOf). TOO_MANY if too many such reads wait.
  virtual void ReadArchived(const std::vector<jobs::JobKey>& places, const std::string& name,
                            std::int64_t offset, std::int64_t max_bytes,
                            Done<jobs::PartChunk> done) = 0;
  // See notify::Notifier::Replay.
  virtual void Replay(const std::string& tenant, const std::string& job,
                      Done<v1::Notification> done) = 0;
  // The account of a Pictory key that a caller shows, open from now on; see jobs::CallerAccounts.
  virtual absl::StatusOr<std::string> OpenAccount(const Secret& key) = 0;
  virtual void GetUsage(const jobs::Owner& owner, Done<v1::GetUsageResponse> done) = 0;
  // What of GetServerInfo is the same for all callers.
  virtual v1::GetServerInfoResponse GetServerInfo() = 0;
  // Why nothing is sent to Pictory for this account at present; OK where nothing is in the way.
  virtual absl::Status PictoryObstacle(const std::string& account) = 0;
  // A caller has shown that it knows the job.
  virtual void Name(const jobs::JobKeyView& job) = 0;
  // Whether what watchers of an account's jobs see may lag, because Pictory cannot be asked.
  virtual bool IsDegraded(const std::string& account) = 0;
  // Whether the job store cannot be reached at present.
  virtual bool IsStoreAway() = 0;
};

}  // namespace gateway::rpc
