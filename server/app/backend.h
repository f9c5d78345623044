// CoreBackend has the calls of the API done by the domain. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/archive.h"
#include "app/notifications.h"
#include "jobs/core.h"
#include "rpc/backend.h"

namespace gateway::app {

class CoreBackend final : public rpc::Backend {
 public:
  // `core` and `notifications` must outlive the backend. `loopback_links`: see AnswersNameLoopback
  // (app/upstream.h). `sandbox` says that the jobs are those of the sandbox. `archive` is null if
  // nothing is archived. `store_away` says whether the store cannot be reached.
  CoreBackend(jobs::Core& core, bool loopback_links, bool sandbox, Archive* archive,
              Notifications& notifications, std::function<bool()> store_away)
      : core_(core),
        loopback_links_(loopback_links),
        sandbox_(sandbox),
        archive_(archive),
        notifications_(notifications),
        store_away_(std::move(store_away)) {}

  std::vector<errors::Violation> Validate(const jobs::Owner& owner,
                                          const google::protobuf::Message& request) override;
  void Submit(jobs::SubmitRequest request, jobs::Submitter::Done done) override;
  absl::StatusOr<std::string> ReadFull(std::string_view result_json,
                                       rpc::v1::JobKind kind) override;
  void Resolve(const std::string& tenant, std::shared_ptr<const rpc::v1::ResolveJobRequest> request,
               Done<rpc::v1::ResolveJobResponse> done) override;
  void Delete(const std::string& tenant, std::shared_ptr<const rpc::v1::DeleteJobRequest> request,
              Done<rpc::v1::DeleteJobResponse> done) override;
  void CreateUpload(const jobs::Owner& owner,
                    std::shared_ptr<const rpc::v1::CreateUploadRequest> request,
                    Done<rpc::v1::CreateUploadResponse> done) override;
  void UpdatePreview(const jobs::SnapshotPtr& preview,
                     std::shared_ptr<const rpc::v1::UpdatePreviewRequest> request,
                     jobs::PreviewEditor::Cancelled cancelled,
                     std::function<void(absl::Status)> done) override;
  void Ask(const jobs::Owner& owner, jobs::Purpose purpose, pictory::FreeCall call,
           jobs::AccountDesk::Done done) override;
  void LookTwice(const jobs::Owner& owner, pictory::FreeCall first, pictory::FreeCall second,
                 jobs::AccountDesk::BothDone done) override;
  void Load(const jobs::Owner& owner, const std::string& name,
            Done<jobs::SnapshotPtr> done) override;
  void ReadArchived(const std::vector<jobs::JobKey>& places, const std::string& name,
                    std::int64_t offset, std::int64_t max_bytes,
                    Done<jobs::PartChunk> done) override;
  void Replay(const std::string& tenant, const std::string& job,
              Done<rpc::v1::Notification> done) override;
  absl::StatusOr<std::string> OpenAccount(const Secret& key) override;
  void GetUsage(const jobs::Owner& owner, Done<rpc::v1::GetUsageResponse> done) override;
  rpc::v1::GetServerInfoResponse GetServerInfo() override;
  absl::Status PictoryObstacle(const std::string& account) override;
  void Name(const jobs::JobKeyView& job) override;
  bool IsDegraded(const std::string& account) override;
  bool IsStoreAway() override { return store_away_(); }

 private:
  jobs::Core& core_;
  const bool loopback_links_;
  const bool sandbox_;
  Archive* const archive_;
  Notifications& notifications_;
  const std::function<bool()> store_away_;
};

}  // namespace gateway::app
