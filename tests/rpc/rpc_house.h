// A whole gRPC server in process, on a port of the system's choice, over a store the test controls.
#pragma once

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/timer_thread.h"
#include "pictory/jobs/v1/pictory_jobs.grpc.pb.h"
#include "rpc/fake_store.h"
#include "rpc/server.h"
#include "rpc/status.h"
#include "rpc/wire.h"
#include "store/memory_job_store.h"
#include "tenants/caller_key.h"
#include "tenants/callers.h"

namespace gateway::test {

namespace v1 = ::pictory::jobs::v1;
using rpc::FromGrpc;

// Until `true_now` holds; fails the test after a long while.
inline void Await(const std::function<bool()>& true_now, const char* what) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!true_now()) {
    ASSERT_LT(std::chrono::steady_clock::now(), until) << what;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

// How a call ended, as the domain was told.
struct Ended {
  std::string method;
  absl::Status status;
  std::string peer;
  std::string request_id;
  bool served = false;
  TraceContext trace;
  std::size_t received_bytes = 0;
  std::size_t sent_bytes = 0;
};

class RpcHouse : public rpc::Backend {
 public:
  explicit RpcHouse(rpc::ServerOptions options = {}, jobs::Jobs* other_store = nullptr,
                    bool require_request_id = false)
      : store_(other_store != nullptr ? *other_store : fake) {
    options.listeners = {{.address = "127.0.0.1:0"}};
    rpc::Domain domain = DomainOf();
    domain.require_request_id = require_request_id;
    domain.ended = [this](const rpc::CallEnd& end) {
      MutexLock lock(mutex_);
      ended_.push_back({std::string(end.method), end.status, std::string(end.peer),
                        std::string(end.request_id), end.served,
                        end.trace == nullptr ? TraceContext() : *end.trace, end.received_bytes,
                        end.sent_bytes});
    };
    auto started = rpc::Server::Start(std::move(options), std::move(domain));
    EXPECT_TRUE(started.ok()) << started.status();
    server = *std::move(started);
    server->SetServing(true);
    stub = v1::PictoryJobs::NewStub(Channel());
  }
  ~RpcHouse() override { server.reset(); }

  // For a server of one's own.
  rpc::Domain DomainOf() { return DomainOf(everybody_); }
  rpc::Domain DomainOf(const tenants::Callers& callers) {
    return {.hub = hub,
            .store = store_,
            .wheel = wheel,
            .clock = clock,
            .timers = timers,
            .random = random,
            .backend = *this,
            .callers = callers,
            .feed = feed,
            .follower = follower,
            .shedding = &shedding};
  }

  std::vector<errors::Violation> Validate(const jobs::Owner&,
                                          const google::protobuf::Message& message) override {
    if (on_validate) on_validate(message);
    std::vector<errors::Violation> violations;
    const auto* transcribe = dynamic_cast<const v1::TranscribeRequest*>(&message);
    if (transcribe != nullptr && transcribe->file_url() == "bad") {
      violations.push_back({"file_url", "must be https"});
    }
    const auto* upload = dynamic_cast<const v1::CreateUploadRequest*>(&message);
    if (upload != nullptr && upload->file_name().empty()) {
      violations.push_back({"file_name", "is required"});
    }
    return violations;
  }
  void Submit(jobs::SubmitRequest request, jobs::Submitter::Done done) override {
    std::function<void(jobs::SubmitRequest, jobs::Submitter::Done)> handler;
    {
      MutexLock lock(mutex_);
      submitted.push_back(request);
      handler = on_submit;
    }
    if (handler) return handler(std::move(request), std::move(done));
    done(hub.Publish(MakeJob("submitted", v1::JOB_STATE_QUEUED, 1)), {});
  }
  void Replay(const std::string& tenant, const std::string& job,
              Done<v1::Notification> done) override {
    on_replay(tenant, job, std::move(done));
  }
  void ReadArchived(const std::vector<jobs::JobKey>& places, const std::string& name,
                    std::int64_t offset, std::int64_t max_bytes,
                    Done<jobs::PartChunk> done) override {
    on_read_archived(places, name, offset, max_bytes, std::move(done));
  }
  absl::StatusOr<std::string> ReadFull(std::string_view json, v1::JobKind) override {
    v1::Job full;
    full.mutable_render()->set_video_url("full:" + std::string(json));
    return full.SerializeAsString();
  }
  void Resolve(const std::string&, std::shared_ptr<const v1::ResolveJobRequest> request,
               Done<v1::ResolveJobResponse> done) override {
    v1::ResolveJobResponse response;
    response.mutable_job()->set_job_id(request->job_id());
    done(std::move(response));
  }
  void Delete(const std::string&, std::shared_ptr<const v1::DeleteJobRequest> request,
              Done<v1::DeleteJobResponse> done) override {
    v1::DeleteJobResponse response;
    response.mutable_job()->set_job_id(request->job_id());
    done(std::move(response));
  }
  void CreateUpload(const jobs::Owner& owner,
                    std::shared_ptr<const v1::CreateUploadRequest> request,
                    Done<v1::CreateUploadResponse> done) override {
    if (!upload_status.ok()) return done(upload_status);
    v1::CreateUploadResponse response;
    response.set_signed_url("https://put/" + owner.tenant + "/" + request->file_name());
    response.set_file_url("https://get/" + request->file_name());
    done(std::move(response));
  }
  void UpdatePreview(const jobs::SnapshotPtr& preview,
                     std::shared_ptr<const v1::UpdatePreviewRequest>,
                     jobs::PreviewEditor::Cancelled,
                     std::function<void(absl::Status)> done) override {
    {
      MutexLock lock(mutex_);
      changed.emplace_back(preview->job_id());
    }
    done(upload_status);
  }
  void Ask(const jobs::Owner& owner, jobs::Purpose purpose, pictory::FreeCall call,
           jobs::AccountDesk::Done done) override {
    std::string body;
    {
      MutexLock lock(mutex_);
      asked.push_back({owner.account, purpose, call});
      const auto found = bodies.find(call.path);
      if (found != bodies.end()) body = found->second;
      if (keeps_asked) return unanswered.push_back(std::move(done));
    }
    if (!upload_status.ok()) return done(upload_status);
    done(jobs::AccountDesk::Answer{std::move(body), false});
  }
  void LookTwice(const jobs::Owner& owner, pictory::FreeCall first, pictory::FreeCall second,
                 jobs::AccountDesk::BothDone done) override {
    Ask(owner, jobs::Purpose::kLook, std::move(first), [&](const auto& one) {
      if (!one.ok()) return done(one.status());
      Ask(owner, jobs::Purpose::kLook, std::move(second), [&](const auto& other) {
        if (!other.ok()) return done(other.status());
        done(jobs::AccountDesk::Both{*one, *other});
      });
    });
  }
  std::size_t kept_asked() {
    MutexLock lock(mutex_);
    return unanswered.size();
  }
  void Load(const jobs::Owner& owner, const std::string& name,
            Done<jobs::SnapshotPtr> done) override {
    hub.Load(owner.tenant, name, std::move(done));
  }
  void Name(const jobs::JobKeyView& job) override {
    MutexLock lock(mutex_);
    named.emplace_back(job.id);
  }
  void GetUsage(const jobs::Owner& owner, Done<v1::GetUsageResponse> done) override {
    v1::GetUsageResponse usage;
    usage.set_tenant(owner.tenant);
    usage.set_account(owner.account);
    done(std::move(usage));
  }
  v1::GetServerInfoResponse GetServerInfo() override {
    v1::GetServerInfoResponse info;
    info.set_version("1.2.3");
    info.set_sandbox(true);
    return info;
  }
  absl::Status PictoryObstacle(const std::string& account) override {
    return account == obstructed_account ? obstacle : absl::OkStatus();
  }
  absl::StatusOr<std::string> OpenAccount(const Secret& key) override {
    MutexLock lock(mutex_);
    opened.push_back(key.Reveal());
    return tenants::AccountOfKey(key);
  }
  bool IsDegraded(const std::string& account) override {
    return degraded.load() || account == degraded_account;
  }
  bool IsStoreAway() override { return store_away.load(); }

  // A connection of its own.
  std::shared_ptr<grpc::Channel> Channel(grpc::ChannelArguments arguments = {}) {
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(server->addresses()[0], grpc::InsecureChannelCredentials(),
                                     arguments);
  }

  // A unary call of whatever bytes.
  grpc::Status Raw(const std::string& method, const std::string& bytes) {
    grpc::GenericStub generic(Channel());
    grpc::ClientContext context;
    const grpc::Slice slice(bytes);
    grpc::ByteBuffer request(&slice, 1);
    grpc::ByteBuffer response;
    std::mutex mutex;
    std::condition_variable done;
    std::optional<grpc::Status> status;
    generic.UnaryCall(&context, method, {}, &request, &response, [&](grpc::Status s) {
      std::lock_guard<std::mutex> lock(mutex);
      status = std::move(s);
      done.notify_all();
    });
    std::unique_lock<std::mutex> lock(mutex);
    done.wait(lock, [&] { return status.has_value(); });
    return *status;
  }

  jobs::SubmitRequest last_submit() {
    MutexLock lock(mutex_);
    return submitted.back();
  }

  std::vector<Ended> ended() {
    MutexLock lock(mutex_);
    return ended_;
  }

  SystemClock clock;
  store::MemoryJobStore feed;  // in which nothing changes, unless a test changes it
  TimerThread timers{clock};
  Random random{1};
  Shedding shedding;  // nothing is shed unless a test says so
  const tenants::Callers everybody_{tenants::Directory::OfDefault(), {}, clock};
  FakeStore fake;
  jobs::Jobs& store_;
  WorkThread broadcaster{"watchers", WorkThread::Rest::kDropped};
  jobs::Hub hub{jobs::HubOptions{}, store_, broadcaster};
  watch::StreamWheel wheel{clock, timers, broadcaster};
  watch::Follower follower{feed, hub, clock, timers, broadcaster};
  std::atomic<bool> degraded{false};
  std::atomic<bool> store_away{false};
  std::string degraded_account;    // beside it, set before the call
  std::string obstructed_account;  // before the call, and what is in its way
  absl::Status obstacle;
  absl::Status upload_status;  // of a change too; before the call
  std::function<void(const google::protobuf::Message&)> on_validate;  // before the first call
  std::function<void(const std::string& tenant, const std::string& job,
                     Done<v1::Notification> done)>
      on_replay;
  std::function<void(const std::vector<jobs::JobKey>&, const std::string& name, std::int64_t offset,
                     std::int64_t max_bytes, Done<jobs::PartChunk>)>
      on_read_archived;
  std::function<void(jobs::SubmitRequest, jobs::Submitter::Done)> on_submit;
  std::vector<jobs::SubmitRequest> submitted;
  std::vector<std::string> named;    // job ids
  std::vector<std::string> changed;  // the same
  struct Asked {
    std::string account;
    jobs::Purpose purpose;
    pictory::FreeCall call;
  };
  std::vector<Asked> asked;
  bool keeps_asked = false;  // before the call: nothing is answered, but kept
  std::vector<jobs::AccountDesk::Done> unanswered;
  std::map<std::string, std::string> bodies;  // Pictory's answers by path; before the call
  std::vector<std::string> opened;            // keys
  std::unique_ptr<rpc::Server> server;
  std::unique_ptr<v1::PictoryJobs::Stub> stub;

 private:
  Mutex mutex_;
  std::vector<Ended> ended_ GUARDED_BY(mutex_);
};

}  // namespace gateway::test
