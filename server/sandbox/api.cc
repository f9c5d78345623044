#include "sandbox/api.h"

#include <algorithm>
#include <cmath>

#include "sandbox/catalog.h"
#include "sandbox/projects.h"
#include "sandbox/results.h"
#include "sandbox/url.h"

namespace gateway::sandbox {

namespace {

constexpr std::size_t kPageSize = 20;
// Stands before a page's key, which then is put into base64. It makes the key end in '=', which a
// client has to encode.
constexpr std::string_view kPageKeyPrefix = "next:";

std::vector<std::string_view> Segments(std::string_view path) {
  std::vector<std::string_view> segments;
  std::size_t begin = 1;
  while (begin <= path.size()) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    segments.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return segments;
}

bool MatchPattern(std::string_view pattern, std::string_view path, std::string* id) {
  const auto want = Segments(pattern);
  const auto have = Segments(path);
  if (want.size() != have.size()) return false;
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (want[i] == "{id}") {
      *id = PercentDecode(have[i]);
      if (id->empty()) return false;
    } else if (want[i] != have[i]) {
      return false;
    }
  }
  return true;
}

}  // namespace

struct Api::Call {
  const Route& route;
  std::string method;
  std::string path;
  std::string query;
  std::string id;
  const std::string& body;
  const std::string& origin;
  std::string account;
};

const std::vector<Api::Route>& Api::Routes() {
  static const std::vector<Route> kRoutes = {
      {"POST", "/v2/video/storyboard", &JobMaker::Preview, nullptr},
      {"POST", "/v2/video/storyboard/render", &JobMaker::StraightRender, nullptr},
      {"PUT", "/v2/video/storyboard/{id}/elements", nullptr, &Api::EditElements},
      {"POST", "/v2/video/render", &JobMaker::RenderOfParams, nullptr},
      {"PUT", "/v2/video/render/{id}", &JobMaker::RenderOfPreview, nullptr},
      {"POST", "/v2/projects/{id}/render", &JobMaker::RenderOfProject, nullptr},
      {"GET", "/v2/projects", nullptr, &Api::ListProjects},
      {"GET", "/v2/projects/{id}", nullptr, &Api::GetProject},
      {"PUT", "/v2/projects/{id}", nullptr, &Api::UpdateProject},
      {"DELETE", "/v2/projects/{id}", nullptr, &Api::DeleteProject},
      {"POST", "/v2/transcription", &JobMaker::Transcription, nullptr},
      {"POST", "/v2/transcription/highlights", &JobMaker::Highlights, nullptr},
      {"POST", "/v2/transcription/{id}/highlights", &JobMaker::HighlightsOfJob, nullptr},
      {"POST", "/v1/aistudio/images", &JobMaker::Image, nullptr},
      {"POST", "/v1/aistudio/videos", &JobMaker::Clip, nullptr},
      {"GET", "/v1/aistudio/images", nullptr, &Api::ListImages},
      {"GET", "/v1/aistudio/videos", nullptr, &Api::ListClips},
      // The older generation, which some of Pictory's own programs still speak.
      {"POST", "/v1/oauth2/token", nullptr, &Api::IssueToken, IdPlace::kDataCamel, true},
      {"POST", "/v1/video/storyboard", &JobMaker::PreviewV1, nullptr, IdPlace::kTopAndData},
      {"POST", "/v1/video/render", &JobMaker::RenderOfParamsV1, nullptr, IdPlace::kDataSnake},
      {"PUT", "/v1/video/render/{id}", &JobMaker::RenderOfPreviewV1, nullptr, IdPlace::kDataSnake},
      {"POST", "/v1/transcription", &JobMaker::TranscriptionV1, nullptr, IdPlace::kDataSnake},
      {"POST", "/v1/transcription/highlights", &JobMaker::HighlightsV1, nullptr,
       IdPlace::kDataSnake},
      // The calls of both API versions.
      {"GET", "/v1/jobs", nullptr, &Api::ListJobs},
      {"GET", "/v1/jobs/{id}", nullptr, &Api::GetJob},
      {"DELETE", "/v1/jobs/{id}/clean", nullptr, &Api::CleanJob},
      {"GET", "/v1/quota", nullptr, &Api::Quota},
      {"GET", "/v1/aicredits/usage", nullptr, &Api::Charges},
      {"POST", "/v1/templates", nullptr, &Api::CreateTemplate},
      {"GET", "/v1/templates", nullptr, &Api::ListTemplates},
      {"GET", "/v1/templates/{id}", nullptr, &Api::GetTemplate},
      {"PUT", "/v1/templates/{id}", nullptr, &Api::UpdateTemplate},
      {"DELETE", "/v1/templates/{id}", nullptr, &Api::DeleteTemplate},
      {"POST", "/v1/video/from-template", &JobMaker::FromTemplate, nullptr},
      {"POST", "/v1/media/generateurl", nullptr, &Api::SignUpload},
      {"POST", "/v1/media/generateUrl", nullptr, &Api::SignUpload},
      // What programs look up before they write a storyboard.
      {"GET", "/v1/media/search", nullptr, &Api::SearchMedia},
      {"GET", "/v1/voiceovers/tracks", nullptr, &Api::Voices},
      {"GET", "/v1/avatars", nullptr, &Api::Avatars},
      {"GET", "/v1/brands/video", nullptr, &Api::Brands},
      {"GET", "/v1/styles", nullptr, &Api::Styles},
      {"GET", "/v1/smartlayouts", nullptr, &Api::SmartLayouts},
      {"POST", "/v1/music/search", nullptr, &Api::SearchMusic},
      {"GET", "/v1/music/{id}", nullptr, &Api::MusicWords},
      {"GET", "/v1/music/genres/groups", nullptr, &Api::MusicGenreGroups},
  };
  return kRoutes;
}

Api::Api(ApiOptions options, const Clock& clock, Journal& journal, JobBook& book)
    : options_(std::move(options)),
      clock_(clock),
      journal_(journal),
      book_(book),
      auth_(options_.auth, clock),
      maker_(book, templates_),
      pages_(book, clock) {}

const Api::Route* Api::Match(std::string_view method, std::string_view path, std::string* id,
                             bool* known_path) {
  *known_path = false;
  for (const Route& route : Routes()) {
    if (!MatchPattern(route.pattern, path, id)) continue;
    *known_path = true;
    if (route.method == method) return &route;
  }
  return nullptr;
}

ApiReply Api::Handle(const http::ServerRequest& request, std::string_view path,
                     const std::string& origin) {
  const ApiReply reply = Dispatch(request, path, origin);
  ++stats_.statuses[reply.status];
  return reply;
}

ApiReply Api::Dispatch(const http::ServerRequest& request, std::string_view path,
                       const std::string& origin) {
  std::string id;
  bool known_path = false;
  const Route* route = Match(request.method, path, &id, &known_path);
  const std::string pattern = route == nullptr ? "*" : route->pattern;
  ++stats_.requests[request.method + " " + pattern];
  if (!PassesBotFilter(request)) return BlockedByBotFilter();
  std::string account;
  if (route == nullptr || !route->open) {
    const std::optional<Credential> credential = auth_.Identify(request);
    if (!credential) return Unauthorized();
    ++stats_.callers[Name(*credential)];
    account = auth_.AccountOf(request);
  }
  if (!TakeFromBudget()) return TooManyRequests(1);
  if (route == nullptr) return known_path ? WrongMethod() : NoSuchRoute();
  const Call call{*route,       request.method, std::string(path), request.query, id,
                  request.body, origin,         std::move(account)};
  return route->maker != nullptr ? MakeJob(call) : (this->*route->plain)(call);
}

// Takes one request from the budget. One second's worth may come at once.
bool Api::TakeFromBudget() {
  const double rate = options_.requests_per_second;
  const TokenBucket::Size size{.per_second = rate, .burst = std::max(1.0, rate)};
  return budget_.Take(size, clock_.Now()) == Duration::zero();
}

absl::Status Api::Record(const Call& call, const std::string& job_id, const std::string& webhook) {
  return journal_.Append(
      {clock_.WallNow(), call.method, call.path, job_id, call.body, webhook, call.account});
}

void Api::Adopt(std::unique_ptr<Job> job, MonoTime accepted) {
  job->accepted = accepted;
  if (!job->project_id.empty()) job->project_id = ProjectIdOf(job->id);
  book_.Add(std::move(job));
}

ApiReply Api::MakeJob(const Call& call) {
  std::string error;
  std::unique_ptr<Json> json;
  if (!call.body.empty()) {
    json = ParseJson(call.body, &error);
    if (json == nullptr) return InvalidBody({{"", "the body is not valid JSON: " + error}});
  }
  Made made = (maker_.*call.route.maker)({call.id, json.get(), call.origin, false, call.account});
  if (const auto* refusal = std::get_if<ApiReply>(&made)) return *refusal;
  auto job = std::get<std::unique_ptr<Job>>(std::move(made));
  const std::uint64_t number = journal_.entries().size() + 1;
  FailOverMissingFile(json.get(), clock_.WallNow(), job.get());
  job->id = MintId(options_.seed, number);
  job->account = call.account;
  const std::string id = job->id;
  if (const absl::Status status = Record(call, id, job->webhook); !status.ok()) {
    return Broken(std::string(status.message()));
  }
  Adopt(std::move(job), clock_.Now());
  if (on_accepted_) on_accepted_(*book_.Find(id));
  return Accepted(id, call.route.id_place);
}

ApiReply Api::GetJob(const Call& call) {
  const Job* job = book_.Find(call.id, call.account);
  if (job == nullptr) return UnknownJob(call.id);
  ++stats_.polls[job->id];
  const JobState state = book_.StateOf(*job);
  if (std::shared_ptr<http::BodySource> body = LongReply(*job, state)) {
    ApiReply reply;
    reply.long_body = std::move(body);
    return reply;
  }
  return {200, JobReply(*job, state, call.origin)};
}

ApiReply Api::ListJobs(const Call& call) {
  std::vector<const Job*> jobs;  // the account's
  for (const auto& job : book_.all()) {
    if (job->account == call.account) jobs.push_back(job.get());
  }
  std::size_t left = jobs.size();  // those not yet listed, the newest last
  const std::string key = QueryValue(call.query, "nextPageKey");
  if (!key.empty()) {
    const std::string last = Base64Decode(key);
    const bool ours = last.rfind(kPageKeyPrefix, 0) == 0;
    const auto at =
        std::find(jobs.begin(), jobs.end(),
                  ours ? book_.Find(last.substr(kPageKeyPrefix.size()), call.account) : nullptr);
    left = static_cast<std::size_t>(at - jobs.begin());
    if (left == jobs.size()) return Refused("INVALID_REQUEST", "nextPageKey is not valid");
  }
  JsonOut out;
  out.Object().Key("items").Array();
  std::size_t listed = 0;
  for (; left > 0 && listed < kPageSize; --left, ++listed) {
    const Job& job = *jobs[left - 1];
    out.Raw(JobListItem(job, book_.StateOf(job), call.origin));
  }
  out.EndArray();
  if (left > 0) {
    out.Field("nextPageKey", Base64Encode(std::string(kPageKeyPrefix) + jobs[left]->id));
  } else if (!key.empty()) {
    out.Field("nextPageKey", nullptr);  // the end reads null or is absent: both can be had
  }
  return {200, out.EndObject().Take()};
}

ApiReply Api::CleanJob(const Call& call) {
  Job* job = book_.Find(call.id, call.account);
  if (job == nullptr) return UnknownJob(call.id);
  return CleanOnce(job, call.method, call.path);
}

ApiReply Api::Clean(std::string_view job_id) {
  Job* job = book_.Find(job_id);
  if (job == nullptr) return UnknownJob(std::string(job_id));
  return CleanOnce(job, "DELETE", "/v1/jobs/" + job->id + "/clean");
}

ApiReply Api::CleanOnce(Job* job, const std::string& method, const std::string& path) {
  if (job->cleaned) return Done();
  if (!IsFinal(book_.StateOf(*job).phase)) {
    return Refused("JOB_NOT_COMPLETED", "Job " + job->id + " is still in progress.");
  }
  const absl::Status recorded =
      journal_.Append({clock_.WallNow(), method, path, job->id, "", "", job->account});
  if (!recorded.ok()) return Broken(std::string(recorded.message()));
  job->cleaned = true;
  if (on_cleaned_) on_cleaned_(*job);
  return Done();
}

ApiReply Api::EditElements(const Call& call) {
  Job* job = book_.Find(call.id, call.account);
  if (job == nullptr) return UnknownJob(call.id);
  if (const auto refusal = WhyNotEditable(book_, *job)) return *refusal;
  std::string error;
  const auto changes = ParseJson(call.body, &error);
  if (changes == nullptr) return InvalidBody({{"", "the body is not valid JSON: " + error}});
  if (!changes->IsArray()) return InvalidBody({{"", "the body must be a JSON array"}});
  const auto params = RenderParams(*job, call.origin);
  std::vector<FieldError> errors;
  for (rapidjson::SizeType i = 0; i < changes->Size(); ++i) {
    const Value& change = (*changes)[i];
    for (const char* key : {"elementType", "type", "startTime", "duration"}) {
      if (change.IsObject() && Find(change, key) == nullptr) {
        errors.push_back({"[" + std::to_string(i) + "]." + key, "is required"});
      }
    }
    const std::string_view id = FindText(change, "id");
    const auto elements = (*params)["elements"].GetArray();
    const bool known = std::any_of(elements.begin(), elements.end(), [&](const Value& element) {
      return !id.empty() && FindText(element, "id") == id;
    });
    if (!known) {
      errors.push_back({"[" + std::to_string(i) + "].id", "names no element of this preview"});
    }
  }
  if (!errors.empty()) return InvalidBody(errors);
  if (const absl::Status status = Record(call, job->id, ""); !status.ok()) {
    return Broken(std::string(status.message()));
  }
  job->edits.push_back(call.body);
  return {204, ""};
}

ApiReply Api::IssueToken(const Call& call) { return auth_.IssueToken(call.body); }

ApiReply Api::Quota(const Call& call) {
  double video = 0, credits = 0;
  int transcriptions = 0;
  for (const auto& job : book_.all()) {
    if (job->account != call.account) continue;
    if (job->kind == Kind::kRender) video += job->film.seconds / 60;
    if (job->kind == Kind::kRender) credits += job->film.ai_credits;
    credits += job->visual.credits;
    if (job->kind == Kind::kTranscription) ++transcriptions;
  }
  JsonOut out;
  const auto write = [&out](const char* key, int used, int limit) {
    out.Key(key).Object().Field("used", used).Field("limit", limit).EndObject();
  };
  out.Object();
  write("videoMinutes", static_cast<int>(std::ceil(video)), 14'400);
  write("transcriptionMinutes", transcriptions, 28'800);
  write("elevenLabsVoiceOverMinutes", 0, 120);
  write("aiCredits", static_cast<int>(std::ceil(credits)), 10'000);
  return {200, out.EndObject().Take()};
}

ApiReply Api::SearchMedia(const Call& call) {
  return sandbox::SearchMedia(call.query, call.origin);
}

ApiReply Api::Voices(const Call& call) { return sandbox::Voices(call.origin); }

ApiReply Api::Avatars(const Call& call) { return sandbox::Avatars(call.origin); }

ApiReply Api::Brands(const Call&) { return sandbox::Brands(); }

ApiReply Api::Styles(const Call&) { return sandbox::Styles(); }

ApiReply Api::SmartLayouts(const Call&) { return sandbox::SmartLayouts(); }

ApiReply Api::SearchMusic(const Call& call) { return sandbox::SearchMusic(call.body, call.origin); }

ApiReply Api::MusicWords(const Call& call) { return sandbox::MusicWords(call.id); }

ApiReply Api::MusicGenreGroups(const Call&) { return sandbox::MusicWords("genres/groups"); }

ApiReply Api::ListProjects(const Call& call) {
  return pages_.Projects(call.account, QueryValue(call.query, "pagekey"), call.origin);
}

Job* Api::ProjectOf(const Call& call) {
  Job* const preview = book_.FindProject(call.id, call.account);
  const bool saved = preview != nullptr && book_.StateOf(*preview).phase == Phase::kCompleted;
  return saved ? preview : nullptr;
}

ApiReply Api::GetProject(const Call& call) {
  const Job* const preview = ProjectOf(call);
  return preview == nullptr ? UnknownProject(call.id) : pages_.Project(*preview, call.origin);
}

ApiReply Api::UpdateProject(const Call& call) {
  Job* const preview = ProjectOf(call);
  if (preview == nullptr) return UnknownProject(call.id);
  std::string error;
  std::shared_ptr<const Json> body = ParseJson(call.body, &error);
  if (body == nullptr) return InvalidBody({{"", "the body is not valid JSON: " + error}});
  if (!body->IsObject()) return InvalidBody({{"", "the body must be a JSON object"}});
  if (TextBytes(*body) > kFilmTextMaxBytes) {
    return TooLarge("the texts of a project may have " + std::to_string(kFilmTextMaxBytes) +
                    " bytes in the sandbox");
  }
  if (const auto errors = CheckProject(*body, *preview); !errors.empty()) {
    return InvalidBody(errors);
  }
  if (const absl::Status status = Record(call, preview->id, ""); !status.ok()) {
    return Broken(std::string(status.message()));
  }
  preview->project = std::move(body);
  preview->project_saved = clock_.WallNow();
  return pages_.Changed(*preview, call.origin);
}

ApiReply Api::DeleteProject(const Call& call) {
  if (Job* const preview = ProjectOf(call)) {
    if (const absl::Status status = Record(call, preview->id, ""); !status.ok()) {
      return Broken(std::string(status.message()));
    }
    book_.RemoveProject(*preview);
    return {200, R"({"success":true,"message":"Project deleted successfully"})"};
  }
  const Job* const one = book_.FindProject(call.id);
  const bool of_another = one != nullptr && one->account != call.account;
  return of_another ? Forbidden() : UnknownProject(call.id);
}

ApiReply Api::ListImages(const Call& call) {
  return pages_.Visuals(call.account, Kind::kImage, QueryValue(call.query, "nextPageKey"),
                        call.origin);
}

ApiReply Api::ListClips(const Call& call) {
  return pages_.Visuals(call.account, Kind::kClip, QueryValue(call.query, "nextPageKey"),
                        call.origin);
}

ApiReply Api::Charges(const Call& call) {
  return pages_.Charges(call.account, QueryValue(call.query, "year"),
                        QueryValue(call.query, "month"));
}

ApiReply Api::CreateTemplate(const Call& call) {
  VideoTemplate made;
  if (const auto refusal = TemplateBook::Read(call.body, &made)) return *refusal;
  made.id = MintId(options_.seed, journal_.entries().size() + 1);
  made.account = call.account;
  if (const absl::Status status = Record(call, made.id, ""); !status.ok()) {
    return Broken(std::string(status.message()));
  }
  const ApiReply reply = TemplateReply(made);
  templates_.Add(std::move(made));
  return reply;
}

ApiReply Api::ListTemplates(const Call& call) { return templates_.List(call.account); }

ApiReply Api::GetTemplate(const Call& call) {
  const VideoTemplate* one = templates_.Find(call.id, call.account);
  return one == nullptr ? UnknownTemplate(call.id) : TemplateReply(*one);
}

ApiReply Api::UpdateTemplate(const Call& call) {
  VideoTemplate* one = templates_.Find(call.id, call.account);
  if (one == nullptr) return UnknownTemplate(call.id);
  std::string error;
  const auto body = ParseJson(call.body, &error);
  if (body == nullptr) return InvalidBody({{"", "the body is not valid JSON: " + error}});
  VideoTemplate made = *one;
  if (const auto refusal = TemplateBook::ReadScenes(*body, &made)) return *refusal;
  if (const absl::Status status = Record(call, one->id, ""); !status.ok()) {
    return Broken(std::string(status.message()));
  }
  *one = std::move(made);
  return TemplateDone(one->id, "Template updated successfully");
}

ApiReply Api::DeleteTemplate(const Call& call) {
  if (templates_.Find(call.id, call.account) == nullptr) return UnknownTemplate(call.id);
  if (const absl::Status status = Record(call, call.id, ""); !status.ok()) {
    return Broken(std::string(status.message()));
  }
  templates_.Remove(call.id);
  return TemplateDone("", "Template deleted successfully");
}

ApiReply Api::SignUpload(const Call& call) {
  return uploads_ != nullptr ? uploads_->Sign(call.body, call.origin) : NoSuchRoute();
}

// Pictory accepts the job and then fails over a file that was never uploaded. Its name for that
// error is not published; this one is the sandbox's.
void Api::FailOverMissingFile(const Value* body, WallTime at, Job* job) const {
  if (uploads_ == nullptr || body == nullptr || !job->error_code.empty()) return;
  const std::string missing = uploads_->MissingIn(*body, at);
  if (missing.empty()) return;
  job->error_code = "MEDIA_NOT_FOUND";
  job->error_message = "This file has not been uploaded: " + missing;
}

absl::Status Api::Replay() {
  std::uint64_t number = 0;
  for (const JournalEntry& entry : journal_.entries()) {
    if (const absl::Status status = ReplayOne(entry, ++number); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// Whether the entry is about a template, which is then made, changed or deleted again.
bool Api::ReplayTemplate(const Route& route, const JournalEntry& entry) {
  if (route.plain == &Api::CreateTemplate) {
    VideoTemplate made;
    TemplateBook::Read(entry.body, &made);
    made.id = entry.job_id;
    made.account = entry.account;
    templates_.Add(std::move(made));
  } else if (route.plain == &Api::UpdateTemplate) {
    VideoTemplate* one = templates_.Find(entry.job_id, entry.account);
    std::string error;
    const auto body = ParseJson(entry.body, &error);
    if (one != nullptr && body != nullptr) TemplateBook::ReadScenes(*body, one);
  } else if (route.plain == &Api::DeleteTemplate) {
    templates_.Remove(entry.job_id);
  } else {
    return false;
  }
  return true;
}

absl::Status Api::ReplayOne(const JournalEntry& entry, std::uint64_t number) {
  const auto unfit = [&](std::string_view why) {
    return absl::DataLossError("sandbox journal, line " + std::to_string(number) + ": " +
                               std::string(why));
  };
  std::string id, error;
  bool known_path = false;
  const Route* route = Match(entry.method, entry.path, &id, &known_path);
  if (route == nullptr) return unfit("no such call: " + entry.method + " " + entry.path);
  if (route->maker == nullptr) {
    if (ReplayTemplate(*route, entry)) return absl::OkStatus();
    Job* job = book_.Find(entry.job_id);
    if (job == nullptr) return unfit("no such job: " + entry.job_id);
    if (route->plain == &Api::CleanJob) job->cleaned = true;
    if (route->plain == &Api::DeleteProject) book_.RemoveProject(*job);
    if (route->plain == &Api::UpdateProject) {
      job->project = ParseJson(entry.body, &error);
      if (job->project == nullptr) return unfit(error);
      job->project_saved = entry.time;
    }
    if (route->plain == &Api::EditElements) job->edits.push_back(entry.body);
    return absl::OkStatus();
  }
  const std::unique_ptr<Json> json = entry.body.empty() ? nullptr : ParseJson(entry.body, &error);
  if (!entry.body.empty() && json == nullptr) return unfit(error);
  Made made = (maker_.*route->maker)({id, json.get(), "http://sandbox", true, entry.account});
  if (std::holds_alternative<ApiReply>(made)) return unfit("no longer accepted");
  auto job = std::get<std::unique_ptr<Job>>(std::move(made));
  FailOverMissingFile(json.get(), entry.time, job.get());
  job->id = entry.job_id;
  job->account = entry.account;
  // Only the wall clock goes on over a restart; from here on the steady one counts.
  const Duration age = std::max<Duration>(Duration::zero(), clock_.WallNow() - entry.time);
  Adopt(std::move(job), clock_.Now() - age);
  return absl::OkStatus();
}

}  // namespace gateway::sandbox
