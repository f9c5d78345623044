// Api is Pictory's REST API as the sandbox serves it: the routing table, the account's rate, and
// what is done with jobs. It is used on the HTTP server's thread only.
//
//   call                                                    answered with
//   POST /v2/video/storyboard, …/storyboard/render          data.jobId
//   POST /v2/video/render, PUT /v2/video/render/{id}        data.jobId
//   POST /v2/projects/{id}/render                           data.jobId
//   POST /v2/transcription, …/highlights, …/{id}/highlights data.jobId
//   PUT  /v2/video/storyboard/{id}/elements                 204
//   POST /v1/video/storyboard                               jobId and data.job_id
//   POST /v1/video/render, PUT /v1/video/render/{id}        data.job_id
//   POST /v1/transcription, …/highlights                    data.job_id (inferred, bodies too)
//   GET  /v1/jobs/{id}                                      the job (results.h)
//   GET  /v1/jobs?nextPageKey=…                             items, newest first; the end is a null
//                                                           key, or none if all fit on one page
//   DELETE /v1/jobs/{id}/clean                              {"success":true}, again and again
//   GET  /v1/quota                                          a bare object
//   GET  /v2/projects, GET and PUT /v2/projects/{id}, GET /v1/aistudio/images, /v1/aistudio/videos,
//        /v1/aicredits/usage                                what is the account's (account_pages.h)
//   DELETE /v2/projects/{id}                                {"success":true,…}; another account's:
//   403 POST /v1/templates, GET, PUT, DELETE                    templates (templates.h) POST
//   /v1/video/from-template                            data.jobId POST /v1/oauth2/token a bare
//   token (auth.h); no credentials
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "base/token_bucket.h"
#include "http/server_message.h"
#include "sandbox/account_pages.h"
#include "sandbox/api_reply.h"
#include "sandbox/auth.h"
#include "sandbox/job_book.h"
#include "sandbox/job_maker.h"
#include "sandbox/journal.h"
#include "sandbox/templates.h"
#include "sandbox/uploads.h"

namespace gateway::sandbox {

struct ApiOptions {
  AuthOptions auth;
  double requests_per_second = 2000;
  std::uint64_t seed = 0;
};

struct ApiStats {
  std::map<std::string, std::uint64_t> requests;  // by "METHOD /pattern"; unknown ones "METHOD *"
  std::map<std::string, std::uint64_t> polls;     // by job id, of known jobs
  std::map<int, std::uint64_t> statuses;          // of answers
  std::map<std::string, std::uint64_t> callers;   // by credential, of calls let in
};

class Api {
 public:
  using JobHook = std::function<void(const Job&)>;

  Api(ApiOptions options, const Clock& clock, Journal& journal, JobBook& book);

  // Makes the jobs of the journal again. It is called before the first Handle.
  absl::Status Replay();
  // Answers a request. `path` is below /pictoryapis and still percent-encoded.
  ApiReply Handle(const http::ServerRequest& request, std::string_view path,
                  const std::string& origin);
  // Removes the outputs of a job that has ended, as Pictory does by itself after a time.
  ApiReply Clean(std::string_view job_id);
  // The hooks are called for each job newly accepted, and for each one newly cleaned.
  void OnAccepted(JobHook hook) { on_accepted_ = std::move(hook); }
  void OnCleaned(JobHook hook) { on_cleaned_ = std::move(hook); }
  // Sets the media store, before Replay. It must outlive the last Handle.
  void UseUploads(Uploads* uploads) { uploads_ = uploads; }
  const ApiStats& stats() const { return stats_; }

 private:
  struct Call;
  using Maker = Made (JobMaker::*)(const MakeRequest&);
  using Plain = ApiReply (Api::*)(const Call&);
  // A Route is one row of the table. It either makes a job or does something else.
  struct Route {
    const char* method;
    const char* pattern;  // segments; {id} takes any one
    Maker maker;
    Plain plain;
    IdPlace id_place = IdPlace::kDataCamel;
    bool open = false;  // needs no credentials
  };
  static const std::vector<Route>& Routes();
  static const Route* Match(std::string_view method, std::string_view path, std::string* id,
                            bool* known_path);

  ApiReply Dispatch(const http::ServerRequest& request, std::string_view path,
                    const std::string& origin);
  ApiReply MakeJob(const Call& call);
  ApiReply GetJob(const Call& call);
  ApiReply ListJobs(const Call& call);
  ApiReply CleanJob(const Call& call);
  ApiReply CleanOnce(Job* job, const std::string& method, const std::string& path);
  ApiReply EditElements(const Call& call);
  ApiReply Quota(const Call& call);
  ApiReply ListProjects(const Call& call);
  ApiReply GetProject(const Call& call);
  ApiReply UpdateProject(const Call& call);
  ApiReply DeleteProject(const Call& call);
  ApiReply ListImages(const Call& call);
  ApiReply ListClips(const Call& call);
  ApiReply Charges(const Call& call);
  ApiReply CreateTemplate(const Call& call);
  ApiReply ListTemplates(const Call& call);
  ApiReply GetTemplate(const Call& call);
  ApiReply UpdateTemplate(const Call& call);
  ApiReply DeleteTemplate(const Call& call);
  ApiReply IssueToken(const Call& call);
  ApiReply SignUpload(const Call& call);
  ApiReply SearchMedia(const Call& call);
  ApiReply Voices(const Call& call);
  ApiReply Avatars(const Call& call);
  ApiReply Brands(const Call& call);
  ApiReply Styles(const Call& call);
  ApiReply SmartLayouts(const Call& call);
  ApiReply SearchMusic(const Call& call);
  ApiReply MusicWords(const Call& call);
  ApiReply MusicGenreGroups(const Call& call);
  // The preview that the call's project was saved from; null if there is none of the account's.
  Job* ProjectOf(const Call& call);
  void FailOverMissingFile(const Value* body, WallTime at, Job* job) const;
  bool TakeFromBudget();
  absl::Status Record(const Call& call, const std::string& job_id, const std::string& webhook);
  void Adopt(std::unique_ptr<Job> job, MonoTime accepted);
  absl::Status ReplayOne(const JournalEntry& entry, std::uint64_t number);
  bool ReplayTemplate(const Route& route, const JournalEntry& entry);

  const ApiOptions options_;
  const Clock& clock_;
  Journal& journal_;
  JobBook& book_;
  Authenticator auth_;
  TemplateBook templates_;
  JobMaker maker_;
  const AccountPages pages_;
  JobHook on_accepted_, on_cleaned_;
  Uploads* uploads_ = nullptr;
  ApiStats stats_;
  TokenBucket budget_;
};

}  // namespace gateway::sandbox
