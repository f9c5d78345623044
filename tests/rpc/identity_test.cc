// Callers with keys of their own, through the whole server.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/errors.h"
#include "rpc/rpc_house.h"
#include "tenants/api_key.h"
#include "tenants/caller_key.h"
#include "tenants/callers.h"
#include "tenants/tenants_file.h"

namespace gateway::rpc {
namespace {

using grpc::StatusCode;
using test::FromGrpc;
using test::MakeJob;
using test::MakeRecord;
using test::RpcHouse;
using testing::HasSubstr;
using testing::Not;

class IdentityTest : public testing::Test {
 protected:
  IdentityTest() {
    Domain domain = house_.DomainOf(callers_);
    domain.operated = [this](const Operated& operated) {
      audit_.push_back(absl::StrCat(std::string(operated.method), " ", std::string(operated.tenant),
                                    " ", std::string(operated.caller), " ",
                                    std::string(operated.job), " ", std::string(operated.what), " ",
                                    std::string(operated.before), ">", std::string(operated.after),
                                    " ", absl::StatusCodeToString(operated.status.code())));
    };
    ServerOptions options;
    options.listeners = {{.address = "127.0.0.1:0"}};
    auto started = Server::Start(std::move(options), std::move(domain));
    EXPECT_TRUE(started.ok()) << started.status();
    server_ = *std::move(started);
    server_->SetServing(true);
    stub_ = v1::PictoryJobs::NewStub(
        grpc::CreateChannel(server_->addresses()[0], grpc::InsecureChannelCredentials()));

    jobs::Job job = MakeJob("of-acme", v1::JOB_STATE_RUNNING, 1);
    job.tenant = "acme";
    house_.hub.Publish(job);
    job = MakeJob("ended", v1::JOB_STATE_SUCCEEDED, 1);
    job.tenant = "acme";
    house_.fake.Put(MakeRecord(job));
    house_.fake.PutPart("ended", v1::RESULT_PART_RESULT_JSON, "{}");
  }

  static tenants::DirectoryPtr Read(const std::string& text) {
    auto read = tenants::ParseTenants(text, "tenants.toml");
    EXPECT_TRUE(read.ok()) << read.status();
    return std::make_shared<const tenants::Directory>(*std::move(read), nullptr);
  }
  void Replace(const std::string& text) {
    ASSERT_TRUE(callers_.Replace(Read(text)).ok());
    server_->RecheckWatches();
  }
  std::string acme_lines() const { return tenants::KeyTable("acme", "ci", acme_); }
  // For both tenants, which share an account.
  static constexpr char kOperators[] =
      "[tenants.acme]\nroles=['read','submit','operate']\n"
      "[tenants.beta]\nroles=['read','submit','operate']\n";
  std::string beta_lines() const { return tenants::KeyTable("beta", "web", beta_); }

  static void Show(grpc::ClientContext& context, const Secret& key) {
    context.AddMetadata("authorization", "Bearer " + key.Reveal());
  }

  // A unary call with this key.
  template <class Request, class Response>
  grpc::Status Call(grpc::Status (v1::PictoryJobs::Stub::*method)(grpc::ClientContext*,
                                                                  const Request&, Response*),
                    const Secret& key, const Request& request, Response* response = nullptr) {
    grpc::ClientContext context;
    Show(context, key);
    Response own;
    return (stub_.get()->*method)(&context, request, response == nullptr ? &own : response);
  }
  // How a stream ends, whatever it brings.
  template <class Response>
  grpc::Status Drained(const std::unique_ptr<grpc::ClientReader<Response>>& reader) {
    Response response;
    while (reader->Read(&response)) {
    }
    return reader->Finish();
  }

  // How WatchJobs begins: OK once it has brought something.
  grpc::Status Begun() {
    grpc::ClientContext context;
    Show(context, acme_);
    const auto reader = stub_->WatchJobs(&context, v1::WatchJobsRequest());
    v1::WatchJobsResponse response;
    if (!reader->Read(&response)) return reader->Finish();
    context.TryCancel();
    reader->Finish();
    return grpc::Status::OK;
  }
  static std::set<std::string> AllMethods() {
    const auto& service =
        *v1::GetJobRequest::descriptor()->file()->FindServiceByName("PictoryJobs");
    std::set<std::string> names;
    for (int i = 0; i < service.method_count(); ++i) names.insert(service.method(i)->name());
    return names;
  }

  const Secret acme_ = tenants::MakeApiKey();
  const Secret beta_ = tenants::MakeApiKey();
  RpcHouse house_;
  tenants::Callers callers_{Read(acme_lines() + beta_lines()), {}, house_.clock};
  std::vector<std::string> audit_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<v1::PictoryJobs::Stub> stub_;
};

// Else a hundred reads would cost as much of the rate as one.
TEST_F(IdentityTest, EachJobOfABatchCountsAsACall) {
  Replace("[tenants.acme]\nlimits={requests_per_second=4}\n" + acme_lines());
  v1::BatchGetJobsRequest request;
  for (const char* id : {"of-acme", "ended", "no-1", "no-2", "no-3"}) request.add_job_ids(id);
  v1::BatchGetJobsResponse response;
  ASSERT_TRUE(Call(&v1::PictoryJobs::Stub::BatchGetJobs, acme_, request, &response).ok());
  EXPECT_EQ(response.jobs_size(), 2);
  const grpc::Status next = Call(&v1::PictoryJobs::Stub::BatchGetJobs, acme_, request, &response);
  EXPECT_EQ(next.error_code(), StatusCode::RESOURCE_EXHAUSTED) << next.error_message();
}

TEST_F(IdentityTest, NobodyIsServedWithoutAProof) {
  grpc::ClientContext context;
  v1::GetJobResponse response;
  const grpc::Status refused = stub_->GetJob(&context, v1::GetJobRequest(), &response);
  EXPECT_EQ(refused.error_code(), StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(errors::Reason(FromGrpc(refused)), "CALLER_UNKNOWN");
  EXPECT_THAT(refused.error_message(), HasSubstr("authorization: Bearer pgk_"));

  grpc::ClientContext twice;
  Show(twice, acme_);
  Show(twice, beta_);
  const grpc::Status repeated = stub_->GetJob(&twice, v1::GetJobRequest(), &response);
  EXPECT_EQ(repeated.error_code(), StatusCode::UNAUTHENTICATED);
  EXPECT_THAT(repeated.error_message(), HasSubstr("more than once"));
}

// Who may not call learns nothing of what is wrong with the request: it is not even read.
TEST_F(IdentityTest, ComesBeforeTheRequest) {
  grpc::GenericStub generic(
      grpc::CreateChannel(server_->addresses()[0], grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  const grpc::Slice slice("\xff\xff no message");
  grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  std::promise<grpc::Status> ended;
  generic.UnaryCall(&context, "/pictory.jobs.v1.PictoryJobs/GetJob", {}, &request, &response,
                    [&](grpc::Status status) { ended.set_value(std::move(status)); });
  EXPECT_EQ(ended.get_future().get().error_code(), StatusCode::UNAUTHENTICATED);
}

TEST_F(IdentityTest, AForeignJobIsAnUnknownJob) {
  for (const char* name : {"of-acme", "pictory-of-acme", "ended", "pictory-ended"}) {
    v1::GetJobRequest get;
    get.set_job_id(name);
    EXPECT_TRUE(Call(&v1::PictoryJobs::Stub::GetJob, acme_, get).ok()) << name;
    const grpc::Status foreign = Call(&v1::PictoryJobs::Stub::GetJob, beta_, get);
    v1::GetJobRequest none;
    none.set_job_id("nobodys");
    const grpc::Status unknown = Call(&v1::PictoryJobs::Stub::GetJob, beta_, none);
    EXPECT_EQ(foreign.error_code(), StatusCode::NOT_FOUND) << name;
    EXPECT_EQ(foreign.error_code(), unknown.error_code());
    EXPECT_EQ(errors::Reason(FromGrpc(foreign)), errors::Reason(FromGrpc(unknown)));

    grpc::ClientContext watching;
    Show(watching, beta_);
    v1::WatchJobRequest watch;
    watch.set_job_id(name);
    EXPECT_EQ(Drained(stub_->WatchJob(&watching, watch)).error_code(), StatusCode::NOT_FOUND);

    grpc::ClientContext reading;
    Show(reading, beta_);
    v1::ReadJobResultRequest read;
    read.set_job_id(name);
    EXPECT_EQ(Drained(stub_->ReadJobResult(&reading, read)).error_code(), StatusCode::NOT_FOUND);
  }
  v1::UpdatePreviewRequest update;
  update.set_job_id("of-acme");
  EXPECT_EQ(Call(&v1::PictoryJobs::Stub::UpdatePreview, beta_, update).error_code(),
            StatusCode::NOT_FOUND);
  EXPECT_TRUE(house_.changed.empty());
  v1::CreateUploadRequest upload;
  upload.set_file_name("f");
  v1::CreateUploadResponse place;
  ASSERT_TRUE(Call(&v1::PictoryJobs::Stub::CreateUpload, beta_, upload, &place).ok());
  EXPECT_EQ(place.signed_url(), "https://put/beta/f");
  ASSERT_TRUE(Call(&v1::PictoryJobs::Stub::Transcribe, beta_, v1::TranscribeRequest()).ok());
  EXPECT_EQ(house_.last_submit().owner.tenant, "beta");
}

TEST_F(IdentityTest, ServerInfoTellsWhoCallsByWhichKey) {
  Replace(absl::StrCat(acme_lines(), "roles=['read','submit']\n", beta_lines()));
  v1::GetServerInfoResponse info;
  ASSERT_TRUE(
      Call(&v1::PictoryJobs::Stub::GetServerInfo, acme_, v1::GetServerInfoRequest(), &info).ok());
  EXPECT_EQ(info.caller(), "key:ci");
  EXPECT_EQ(info.tenant(), "acme");
  EXPECT_THAT(info.roles(), testing::ElementsAre("read", "submit"));
  EXPECT_THAT(info.DebugString(), Not(HasSubstr("beta")));
  EXPECT_THAT(info.DebugString(), Not(HasSubstr(acme_.Reveal())));
}

TEST_F(IdentityTest, ABatchNamesTheJobsOfOthersAsThoseThatNobodyHas) {
  v1::BatchGetJobsRequest batch;
  for (const char* id : {"of-acme", "nobody-has", "ended"}) batch.add_job_ids(id);
  v1::BatchGetJobsResponse got;
  ASSERT_TRUE(Call(&v1::PictoryJobs::Stub::BatchGetJobs, beta_, batch, &got).ok());
  EXPECT_THAT(got.jobs(), testing::IsEmpty());
  EXPECT_THAT(got.missing_job_ids(), testing::ElementsAre("of-acme", "nobody-has", "ended"));
  ASSERT_TRUE(Call(&v1::PictoryJobs::Stub::BatchGetJobs, acme_, batch, &got).ok());
  EXPECT_EQ(got.jobs_size(), 2);
}

TEST_F(IdentityTest, APageIsItsTenantsOwn) {
  for (int i = 0; i < 3; ++i) {
    jobs::Job job = MakeJob(absl::StrCat("page", i), v1::JOB_STATE_SUCCEEDED, 1);
    job.tenant = "acme";
    house_.fake.Put(MakeRecord(job));
  }
  v1::ListJobsRequest list;
  list.set_page_size(1);
  v1::ListJobsResponse page;
  ASSERT_TRUE(Call(&v1::PictoryJobs::Stub::ListJobs, acme_, list, &page).ok());
  ASSERT_FALSE(page.next_page_token().empty());
  list.set_page_token(page.next_page_token());
  EXPECT_TRUE(Call(&v1::PictoryJobs::Stub::ListJobs, acme_, list, &page).ok());
  EXPECT_EQ(Call(&v1::PictoryJobs::Stub::ListJobs, beta_, list, &page).error_code(),
            StatusCode::INVALID_ARGUMENT);
}

TEST_F(IdentityTest, EachMethodNeedsItsRole) {
  const auto codes = [&](const char* role) {
    Replace(absl::StrCat(acme_lines(), "roles=['", role, "']\n"));
    using Stub = v1::PictoryJobs::Stub;
    v1::GetJobRequest get;
    get.set_job_id("of-acme");
    v1::CreateUploadRequest upload;
    upload.set_file_name("f");
    v1::ResolveJobRequest resolve;
    resolve.set_job_id("of-acme");
    v1::DeleteJobRequest remove;
    remove.set_job_id("of-acme");
    v1::ReadJobResultRequest read;
    read.set_job_id("ended");
    v1::WatchJobRequest watch;
    watch.set_job_id("ended");
    v1::ReadArchivedFileRequest file;
    file.set_job_id("ended");
    grpc::ClientContext reading, watching, opening;
    for (auto* const context : {&reading, &watching, &opening}) Show(*context, acme_);
    std::string denied;
    std::set<std::string> called;
    const auto note = [&](const char* method, const grpc::Status& status) {
      called.insert(method);
      if (status.ok()) return;
      EXPECT_EQ(status.error_code(), StatusCode::PERMISSION_DENIED) << method;
      EXPECT_EQ(errors::Reason(FromGrpc(status)), "ROLE_REQUIRED");
      EXPECT_THAT(status.error_message(), HasSubstr("key:ci of tenant acme"));
      absl::StrAppend(&denied, method, " ");
    };
    note("CreatePreview", Call(&Stub::CreatePreview, acme_, v1::CreatePreviewRequest()));
    note("Render", Call(&Stub::Render, acme_, v1::RenderRequest()));
    note("Transcribe", Call(&Stub::Transcribe, acme_, v1::TranscribeRequest()));
    note("Summarize", Call(&Stub::Summarize, acme_, v1::SummarizeRequest()));
    note("GenerateImage", Call(&Stub::GenerateImage, acme_, v1::GenerateImageRequest()));
    note("GenerateVideo", Call(&Stub::GenerateVideo, acme_, v1::GenerateVideoRequest()));
    note("CreateUpload", Call(&Stub::CreateUpload, acme_, upload));
    v1::UpdatePreviewRequest update;
    update.set_job_id("of-acme");
    note("UpdatePreview", Call(&Stub::UpdatePreview, acme_, update));
    house_.on_replay = [](const std::string&, const std::string&,
                          const rpc::Backend::Done<v1::Notification>& done) {
      done(v1::Notification());
    };
    v1::ReplayNotificationRequest replay;
    replay.set_job_id("of-acme");
    note("ReplayNotification", Call(&Stub::ReplayNotification, acme_, replay));
    note("GetJob", Call(&Stub::GetJob, acme_, get));
    v1::BatchGetJobsRequest batch;
    batch.add_job_ids("of-acme");
    note("BatchGetJobs", Call(&Stub::BatchGetJobs, acme_, batch));
    note("GetServerInfo", Call(&Stub::GetServerInfo, acme_, v1::GetServerInfoRequest()));
    note("ListNotifications",
         Call(&Stub::ListNotifications, acme_, v1::ListNotificationsRequest()));
    note("ListJobs", Call(&Stub::ListJobs, acme_, v1::ListJobsRequest()));
    note("WatchJob", Drained(stub_->WatchJob(&watching, watch)));
    note("WatchJobs", Begun());
    note("ReadJobResult", Drained(stub_->ReadJobResult(&reading, read)));
    const grpc::Status opened = Drained(stub_->ReadArchivedFile(&opening, file));
    const bool none = errors::Reason(FromGrpc(opened)) == "FILE_NOT_FOUND";  // it has no archive
    note("ReadArchivedFile", none ? grpc::Status::OK : opened);
    note("GetUsage", Call(&Stub::GetUsage, acme_, v1::GetUsageRequest()));
    house_.bodies = {{"/v2/projects", "{\"items\":[]}"},
                     {"/v2/projects/p", "{}"},
                     {"/v1/quota", "{}"},
                     {"/v1/aicredits/usage", "[]"},
                     {"/v1/templates", "{\"items\":[],\"templateId\":\"t\"}"},
                     {"/v1/templates/t", "{\"templateId\":\"t\"}"}};
    v1::GetProjectRequest project;
    project.set_project_id("p");
    v1::GetTemplateRequest one;
    one.set_template_id("t");
    v1::CreateTemplateRequest create;
    create.set_project_file("{}");
    v1::UpdateTemplateRequest change;
    change.set_template_id("t");
    change.set_scenes_json("[{}]");
    v1::DeleteTemplateRequest drop;
    drop.set_template_id("t");
    note("CreateTemplate", Call(&Stub::CreateTemplate, acme_, create));
    note("ListProjects", Call(&Stub::ListProjects, acme_, v1::ListProjectsRequest()));
    note("GetProject", Call(&Stub::GetProject, acme_, project));
    note("ListTemplates", Call(&Stub::ListTemplates, acme_, v1::ListTemplatesRequest()));
    note("GetTemplate", Call(&Stub::GetTemplate, acme_, one));
    note("GetAccount", Call(&Stub::GetAccount, acme_, v1::GetAccountRequest()));
    note("UpdateTemplate", Call(&Stub::UpdateTemplate, acme_, change));
    note("DeleteTemplate", Call(&Stub::DeleteTemplate, acme_, drop));
    note("ResolveJob", Call(&Stub::ResolveJob, acme_, resolve));
    note("DeleteJob", Call(&Stub::DeleteJob, acme_, remove));
    EXPECT_EQ(called, AllMethods()) << "each method is called here";
    return denied;
  };
  const std::string submits =
      "CreatePreview Render Transcribe Summarize GenerateImage GenerateVideo CreateUpload "
      "UpdatePreview ReplayNotification ";
  const std::string reads =
      "GetJob BatchGetJobs GetServerInfo ListNotifications ListJobs WatchJob WatchJobs "
      "ReadJobResult ReadArchivedFile GetUsage ";
  const std::string account_reads = "ListProjects GetProject ListTemplates GetTemplate ";
  const std::string operates = "GetAccount UpdateTemplate DeleteTemplate ResolveJob DeleteJob ";
  EXPECT_EQ(codes("submit"), reads + account_reads + operates);
  EXPECT_EQ(codes("read"), submits + "CreateTemplate " + operates);
  EXPECT_EQ(codes("operate"), submits + reads + "CreateTemplate " + account_reads);
}

// Candidates of one tenant's unconfirmed job may be another's jobs.
TEST_F(IdentityTest, WhoSharesAnAccountDecidesNothingUnlessRolesSayIt) {
  v1::ResolveJobRequest resolve;
  resolve.set_job_id("of-acme");
  EXPECT_EQ(Call(&v1::PictoryJobs::Stub::ResolveJob, acme_, resolve).error_code(),
            StatusCode::PERMISSION_DENIED);
  Replace(kOperators + acme_lines() + beta_lines());
  EXPECT_TRUE(Call(&v1::PictoryJobs::Stub::ResolveJob, acme_, resolve).ok());
}

// What is the account's is no tenant's.
TEST_F(IdentityTest, WhoSharesAnAccountIsToldNothingOfItUnlessRolesSayIt) {
  using Stub = v1::PictoryJobs::Stub;
  v1::CreateTemplateRequest create;
  create.set_project_file("{}");
  v1::GetProjectRequest project;
  project.set_project_id("p");
  for (const grpc::Status& denied : {Call(&Stub::ListProjects, acme_, v1::ListProjectsRequest()),
                                     Call(&Stub::GetProject, acme_, project),
                                     Call(&Stub::ListTemplates, acme_, v1::ListTemplatesRequest()),
                                     Call(&Stub::CreateTemplate, acme_, create),
                                     Call(&Stub::GetAccount, acme_, v1::GetAccountRequest())}) {
    EXPECT_EQ(denied.error_code(), StatusCode::PERMISSION_DENIED);
    EXPECT_EQ(errors::Reason(FromGrpc(denied)), "ROLE_REQUIRED");
    EXPECT_THAT(denied.error_message(), HasSubstr("operate"));
  }
  EXPECT_TRUE(house_.asked.empty());
  Replace(kOperators + acme_lines() + beta_lines());
  house_.bodies["/v2/projects"] = "{\"items\":[]}";
  EXPECT_TRUE(Call(&Stub::ListProjects, acme_, v1::ListProjectsRequest()).ok());
  // Who changes it is told to the audit.
  house_.bodies["/v1/templates"] = "{\"templateId\":\"t\"}";
  EXPECT_TRUE(Call(&Stub::CreateTemplate, acme_, create).ok());
  v1::DeleteTemplateRequest drop;
  drop.set_template_id("t");
  EXPECT_TRUE(Call(&Stub::DeleteTemplate, beta_, drop).ok());
  v1::UpdateTemplateRequest change;
  change.set_template_id("t");
  change.set_scenes_json("[{}]");
  EXPECT_TRUE(Call(&Stub::UpdateTemplate, acme_, change).ok());
  // So is who looks at what all have spent.
  house_.bodies["/v1/quota"] = "{}";
  house_.bodies["/v1/aicredits/usage"] = "[]";
  EXPECT_TRUE(Call(&Stub::GetAccount, beta_, v1::GetAccountRequest()).ok());
  EXPECT_THAT(audit_, testing::ElementsAre(HasSubstr("CreateTemplate acme key:ci  a template"),
                                           HasSubstr("DeleteTemplate beta key:web  template t"),
                                           HasSubstr("UpdateTemplate acme key:ci  template t"),
                                           HasSubstr("GetAccount beta key:web  account default")));
}

TEST_F(IdentityTest, WhatAnOperatorDecidesIsAudited) {
  Replace(kOperators + acme_lines() + beta_lines());
  v1::ResolveJobRequest resolve;
  resolve.set_job_id("of-acme");
  resolve.set_abandon(true);
  EXPECT_TRUE(Call(&v1::PictoryJobs::Stub::ResolveJob, acme_, resolve).ok());
  v1::DeleteJobRequest remove;
  remove.set_job_id("pictory-ended");
  EXPECT_TRUE(Call(&v1::PictoryJobs::Stub::DeleteJob, acme_, remove).ok());
  remove.set_job_id("of-acme");
  remove.set_cancel_only(true);
  EXPECT_TRUE(Call(&v1::PictoryJobs::Stub::DeleteJob, beta_, remove).ok());  // the house's
  ASSERT_EQ(audit_.size(), 3u);
  EXPECT_THAT(audit_[0], HasSubstr("ResolveJob acme key:ci of-acme abandon RUNNING>"));
  EXPECT_THAT(audit_[1], HasSubstr("DeleteJob acme key:ci pictory-ended  SUCCEEDED>"));
  EXPECT_THAT(audit_[2], HasSubstr("DeleteJob beta key:web of-acme cancel >"));
}

TEST_F(IdentityTest, AWatchEndsWithTheLeaveItWasOpenedBy) {
  struct Row {
    std::string after;
    StatusCode code;
  };
  for (const Row& row :
       {Row{beta_lines(), StatusCode::UNAUTHENTICATED},
        Row{acme_lines() + "roles=['submit']\n" + beta_lines(), StatusCode::PERMISSION_DENIED}}) {
    Replace(acme_lines() + beta_lines());
    grpc::ClientContext context;
    Show(context, acme_);
    v1::WatchJobRequest watch;
    watch.set_job_id("of-acme");
    const auto reader = stub_->WatchJob(&context, watch);
    v1::WatchJobResponse response;
    ASSERT_TRUE(reader->Read(&response));
    // What changes for others changes nothing here.
    Replace(acme_lines());
    Replace(row.after);
    EXPECT_FALSE(reader->Read(&response));
    EXPECT_EQ(reader->Finish().error_code(), row.code);
  }
}

TEST_F(IdentityTest, ATenantsLimitsAreItsOwn) {
  Replace(acme_lines() + "[tenants.acme.limits]\nwatches=1\nbytes_in_flight=100000\n" +
          beta_lines());
  v1::WatchJobRequest watch;
  watch.set_job_id("of-acme");
  v1::WatchJobResponse response;
  {
    grpc::ClientContext first, second, other;
    Show(first, acme_);
    Show(second, acme_);
    Show(other, beta_);
    const auto open = stub_->WatchJob(&first, watch);
    ASSERT_TRUE(open->Read(&response));
    const grpc::Status refused = Drained(stub_->WatchJob(&second, watch));
    EXPECT_EQ(refused.error_code(), StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_EQ(errors::Reason(FromGrpc(refused)), "TENANT_LIMIT");
    EXPECT_GT(errors::RetryDelay(FromGrpc(refused)), Duration::zero());
    EXPECT_THAT(refused.error_message(), HasSubstr("limit watches is 1"));
    EXPECT_EQ(Drained(stub_->WatchJob(&other, watch)).error_code(), StatusCode::NOT_FOUND);
    first.TryCancel();
    Drained(open);
  }
  test::Await(
      [&] {
        grpc::ClientContext again;
        Show(again, acme_);
        const auto open = stub_->WatchJob(&again, watch);
        const bool opened = open->Read(&response);
        again.TryCancel();
        Drained(open);
        return opened;
      },
      "the place of an ended watch is free");
}

TEST_F(IdentityTest, BytesInFlightAreCountedUntilTheAnswer) {
  Replace(acme_lines() + "[tenants.acme.limits]\nbytes_in_flight=200000\n" + beta_lines());
  std::promise<jobs::Submitter::Done> first;
  std::atomic<bool> held = false;
  house_.on_submit = [&](const jobs::SubmitRequest&, jobs::Submitter::Done done) {
    if (!held.exchange(true)) return first.set_value(std::move(done));
    done(house_.hub.Publish(MakeJob("later", v1::JOB_STATE_QUEUED, 1)), {});
  };
  v1::TranscribeRequest large;
  large.set_transcript_json(std::string(150'000, ' '));
  const auto submit = [&](const Secret& key, const v1::TranscribeRequest& request) {
    return Call(&v1::PictoryJobs::Stub::Transcribe, key, request);
  };
  auto waits = std::async(std::launch::async, [&] { return submit(acme_, large); });
  const jobs::Submitter::Done done = first.get_future().get();
  const grpc::Status refused = submit(acme_, large);
  EXPECT_EQ(refused.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(errors::Reason(FromGrpc(refused)), "TENANT_LIMIT");
  EXPECT_THAT(refused.error_message(), HasSubstr("limit bytes_in_flight is 200000"));
  EXPECT_TRUE(submit(beta_, large).ok()) << "another tenant's are its own";
  EXPECT_TRUE(submit(acme_, v1::TranscribeRequest()).ok()) << "small ones do not count";
  done(house_.hub.Publish(MakeJob("first", v1::JOB_STATE_QUEUED, 1)), {});
  EXPECT_TRUE(waits.get().ok());
  test::Await([&] { return submit(acme_, large).ok(); }, "its room is free");
}

class CallersPayTest : public IdentityTest {
 protected:
  CallersPayTest() { Replace("[tenants.acme]\ncallers_pay=true\n" + acme_lines() + beta_lines()); }

  static void ShowOwn(grpc::ClientContext& context, const std::string& key) {
    context.AddMetadata("pictory-api-key", key);
  }
  grpc::Status Submit(const Secret& caller, const std::vector<std::string>& own) {
    grpc::ClientContext context;
    Show(context, caller);
    for (const std::string& key : own) ShowOwn(context, key);
    v1::TranscribeResponse response;
    return stub_->Transcribe(&context, v1::TranscribeRequest(), &response);
  }
};

TEST_F(CallersPayTest, AJobBelongsToTheAccountOfTheKeyThatIsShown) {
  ASSERT_TRUE(Submit(acme_, {"pictai_of_alice"}).ok());
  const jobs::SubmitRequest of_alice = house_.last_submit();
  EXPECT_EQ(of_alice.owner.tenant, "acme");
  EXPECT_EQ(of_alice.owner.account, tenants::AccountOfKey(Secret("pictai_of_alice")));
  EXPECT_TRUE(of_alice.owner.adopts);
  ASSERT_TRUE(Submit(acme_, {"pictai_of_bob"}).ok());
  EXPECT_NE(house_.last_submit().owner.account, of_alice.owner.account);
  EXPECT_NE(house_.last_submit().fingerprint, of_alice.fingerprint);
}

TEST_F(CallersPayTest, WithoutAKeyNothingIsMade) {
  const grpc::Status refused = Submit(acme_, {});
  EXPECT_EQ(refused.error_code(), StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(errors::Reason(FromGrpc(refused)), "PICTORY_KEY_NEEDED");
  EXPECT_TRUE(house_.submitted.empty());
  v1::GetJobRequest get;
  get.set_job_id("of-acme");
  EXPECT_TRUE(Call(&v1::PictoryJobs::Stub::GetJob, acme_, get).ok()) << "reading costs nothing";
  v1::GetUsageResponse usage;
  ASSERT_TRUE(Call(&v1::PictoryJobs::Stub::GetUsage, acme_, v1::GetUsageRequest(), &usage).ok());
  EXPECT_EQ(usage.account(), "");
  for (const grpc::Status& none :
       {Call(&v1::PictoryJobs::Stub::ListProjects, acme_, v1::ListProjectsRequest()),
        Call(&v1::PictoryJobs::Stub::GetAccount, acme_, v1::GetAccountRequest())}) {
    EXPECT_EQ(errors::Reason(FromGrpc(none)), "PICTORY_KEY_NEEDED");
  }
  EXPECT_TRUE(house_.asked.empty());
  EXPECT_TRUE(house_.opened.empty());
}

TEST_F(CallersPayTest, APreviewIsChangedWithTheKeyThatPaidForIt) {
  grpc::ClientContext context;
  Show(context, acme_);
  ShowOwn(context, "pictai_of_alice");
  v1::UpdatePreviewRequest update;
  update.set_job_id("of-acme");
  v1::UpdatePreviewResponse response;
  const grpc::Status refused = stub_->UpdatePreview(&context, update, &response);
  EXPECT_EQ(errors::Reason(FromGrpc(refused)), "PICTORY_KEY_NEEDED");
  EXPECT_TRUE(house_.changed.empty());
}

TEST_F(CallersPayTest, AnyCallThatShowsTheKeyOpensItsAccount) {
  grpc::ClientContext unary, watching;
  v1::ListJobsResponse page;
  Show(unary, acme_);
  ShowOwn(unary, "pictai_of_alice");
  ASSERT_TRUE(stub_->ListJobs(&unary, v1::ListJobsRequest(), &page).ok());
  Show(watching, acme_);
  ShowOwn(watching, "pictai_of_bob");
  v1::WatchJobRequest watch;
  watch.set_job_id("ended");
  EXPECT_TRUE(Drained(stub_->WatchJob(&watching, watch)).ok());
  EXPECT_EQ(house_.opened, (std::vector<std::string>{"pictai_of_alice", "pictai_of_bob"}));
}

TEST_F(CallersPayTest, AKeyThatDoesNotCountIsRefused) {
  for (const auto& [caller, keys] :
       {std::pair{acme_, std::vector<std::string>{"pictai_of_alice", "pictai_of_bob"}},
        std::pair{acme_, std::vector<std::string>{"pictai canary"}},
        std::pair{beta_, std::vector<std::string>{"pictai_of_canary"}}}) {
    const grpc::Status refused = Submit(caller, keys);
    EXPECT_EQ(refused.error_code(), StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(errors::Reason(FromGrpc(refused)), "PICTORY_KEY_NOT_TAKEN");
    EXPECT_THAT(refused.error_message(), Not(HasSubstr("canary")));
  }
  EXPECT_TRUE(house_.submitted.empty());
  EXPECT_TRUE(house_.opened.empty());
}

}  // namespace
}  // namespace gateway::rpc
