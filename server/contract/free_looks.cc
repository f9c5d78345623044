#include "contract/free_looks.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/ids.h"
#include "base/random.h"
#include "contract/view.h"
#include "json/proto_writer.h"
#include "pictory/billing_calls.h"
#include "pictory/envelope.h"
#include "pictory/http_reply.h"
#include "pictory/job_list.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "pictory/project_calls.h"
#include "pictory/template_calls.h"
#include "pictory/upload.h"

namespace gateway::contract {
namespace {

namespace v1 = ::pictory::jobs::v1;
using json::Type;

// Judges by an answer, or says that there is none to judge by.
void Judge(const Look& look, FactName fact, const http::Response& raw, bool holds) {
  if (!Answered(raw)) return look.findings.Skip(fact, Seen(raw));
  look.findings.Judge(fact, holds, Seen(raw));
}

bool IsOk(const http::Response& raw) { return Answered(raw) && pictory::IsSuccess(raw); }

// Whether it is a list each of whose elements is an object with these members.
bool AllHave(const View& list, std::initializer_list<std::string_view> members) {
  if (!list.Is(Type::kArray)) return false;
  const std::vector<View> all = list.Elements();
  return std::all_of(all.begin(), all.end(), [&](const View& each) {
    return std::all_of(members.begin(), members.end(),
                       [&](std::string_view member) { return each.Has(member); });
  });
}

std::string UnknownId() {
  Random random;
  return MintRequestId(random);
}

bool IsRefusal(const http::Response& raw) {
  return IsOk(raw) ? false : raw.status == 404 || raw.status == 403;
}

// The seconds for which a signed URL says that it is good; -1 if it does not say.
std::int64_t LifeOf(std::string_view url) {
  constexpr std::string_view kExpires = "X-Amz-Expires=";
  const std::size_t at = url.find(kExpires);
  if (at == std::string_view::npos) return -1;
  const std::string_view rest = url.substr(at + kExpires.size());
  std::int64_t seconds = -1;
  const std::string digits(rest.substr(0, rest.find_first_not_of("0123456789")));
  return absl::SimpleAtoi(digits, &seconds) ? seconds : -1;
}

pictory::FreeCall UploadCall(const char* path, std::string body) {
  pictory::FreeCall call;
  call.method = "POST";
  call.path = path;
  call.body = std::make_shared<const std::string>(std::move(body));
  return call;
}

constexpr char kUploadBody[] = R"({"fileName":"contract.mp4","contentType":"video/mp4"})";

bool IsPlace(const http::Response& raw) {
  const View data = View(raw.body).At("data");
  return IsOk(raw) && data.Has("signedUrl", Type::kString) && data.Has("url", Type::kString) &&
         data.Has("key", Type::kString);
}

}  // namespace

absl::Status LookAtQuota(const Look& look, bool by_key) {
  look.tell("the quota of the account");
  const Door::Free answer = look.door.Ask(pictory::QuotaCall());
  const http::Response& raw = answer.raw;
  if (raw.outcome != http::Response::Outcome::kComplete) {
    return answer.body.ok() ? absl::UnavailableError(Seen(raw)) : answer.body.status();
  }
  if (raw.status == 401 || raw.status == 403) {
    return absl::PermissionDeniedError(absl::StrCat("Pictory turns the credentials away (",
                                                    pictory::Describe(raw),
                                                    "); see --api-key-file and --auth"));
  }
  if (by_key) Judge(look, "key", raw, pictory::IsSuccess(raw));
  const View quota(raw.body);
  bool holds = IsOk(raw) && !quota.Has("data") && !quota.Has("success");
  for (const char* member :
       {"videoMinutes", "transcriptionMinutes", "elevenLabsVoiceOverMinutes", "aiCredits"}) {
    const View count = quota.At(member);
    holds = holds && count.Has("used", Type::kNumber) && count.Has("limit", Type::kNumber);
  }
  v1::GetAccountResponse account;
  holds = holds && pictory::ReadQuota(raw.body, account).ok();
  Judge(look, "quota", raw, holds);
  return absl::OkStatus();
}

void LookAtCharges(const Look& look) {
  look.tell("the charges of the account");
  const Door::Free month = look.door.Ask(pictory::ChargesCall({}));
  const View charges(month.raw.body);
  v1::GetAccountResponse account;
  Judge(look, "charges", month.raw,
        IsOk(month.raw) &&
            AllHave(charges, {"transactionId", "type", "amount", "transactionDate"}) &&
            pictory::ReadCharges(month.raw.body, account).ok());
  const std::vector<View> all = charges.Elements();
  if (all.size() < 2) {
    look.findings.Skip("charges-order", "there are fewer than two charges this month");
  } else {
    const bool ordered = std::is_sorted(all.begin(), all.end(), [](const View& a, const View& b) {
      return a.At("transactionDate").Text() > b.At("transactionDate").Text();
    });
    Judge(look, "charges-order", month.raw, ordered);
  }
  const Door::Free year = look.door.Get("/v1/aicredits/usage?year=2026");
  const View refusal(year.raw.body);
  Judge(look, "charges-year-alone", year.raw,
        year.raw.status == 400 && refusal.At("code").Text() == "INVALID_REQUEST");
}

void LookAtJobs(const Look& look) {
  look.tell("the list of jobs");
  std::string first_job;
  std::string first_status;
  std::string key;
  for (int page = 0; page < limits::kContractPagesMax; ++page) {
    const Door::Free listed = look.door.Get(
        key.empty() ? "/v1/jobs" : absl::StrCat("/v1/jobs?nextPageKey=", PercentEncode(key)));
    const http::Response& raw = listed.raw;
    const View items = View(raw.body).At("items");
    const std::vector<View> all = items.Elements();
    const bool readable =
        items.Is(Type::kArray) && std::all_of(all.begin(), all.end(), [](const View& item) {
          return item.At("data").Has("jobId", Type::kString);
        });
    if (page == 0) Judge(look, "jobs", raw, IsOk(raw) && readable);
    absl::StatusOr<pictory::JobList> list = pictory::ReadJobList(raw.body);
    if (!IsOk(raw) || !list.ok() || list->jobs.empty()) {
      if (page > 0) Judge(look, "jobs-next", raw, IsOk(raw) && list.ok());
      break;
    }
    if (page > 0) {
      Judge(look, "jobs-next", raw, list->jobs.front().pictory_job_id != first_job);
    } else {
      first_job = list->jobs.front().pictory_job_id;
    }
    for (const pictory::ListedJob& job : list->jobs) {
      constexpr std::array<std::string_view, 6> kKnown = {"",          "in-progress", "pending",
                                                          "completed", "failed",      "cleaned"};
      const bool known = std::find(kKnown.begin(), kKnown.end(), job.status) != kKnown.end();
      look.findings.Judge(
          "jobs-status", known,
          known ? "each status is one of these" : absl::StrCat("the status ", Shown(job.status)));
    }
    key = list->next_page_key;
    if (key.empty()) break;
  }
  look.findings.Skip("jobs-next", "the list is one page long");
  look.findings.Skip("jobs-status", "no jobs are listed");

  if (first_job.empty()) {
    for (const FactName fact : {FactName("job"), FactName("job-id")}) {
      look.findings.Skip(fact, "no jobs are listed");
    }
  } else {
    const Door::Job job = look.door.GetJob(first_job, v1::JOB_KIND_UNSPECIFIED);
    const View reply(job.raw.body);
    Judge(look, "job", job.raw,
          IsOk(job.raw) && reply.Has("success", Type::kBool) && reply.Has("data", Type::kObject) &&
              pictory::Speaks(job.reply.kind));
    Judge(look, "job-id", job.raw, reply.At("job_id").Text() == first_job);
  }

  look.tell("a job that there is not");
  const Door::Job unknown = look.door.GetJob(UnknownId(), v1::JOB_KIND_UNSPECIFIED);
  Judge(look, "unknown-job", unknown.raw, unknown.raw.status == 404);
  const absl::StatusOr<pictory::Envelope> envelope = pictory::ReadEnvelope(unknown.raw.body);
  Judge(look, "unknown-job-code", unknown.raw, envelope.ok() && envelope->SaysNotFound());
}

void LookAtProjects(const Look& look) {
  look.tell("the projects");
  const Door::Free listed = look.door.Ask(pictory::ListProjectsCall(""));
  const View page(listed.raw.body);
  const View items = page.At("items");
  const bool key = page.Has("pageKey", Type::kString) || page.Has("pageKey", Type::kNull);
  const auto read = pictory::ReadProjects(listed.raw.body, true);
  Judge(look, "projects", listed.raw,
        IsOk(listed.raw) && key && AllHave(items, {"id", "name"}) && read.ok());
  if (!IsOk(listed.raw) || !read.ok() || read->projects().empty()) {
    look.findings.Skip("project", "no projects are listed");
  } else {
    const Door::Free one = look.door.Ask(pictory::GetProjectCall(read->projects(0).project_id()));
    const View project(one.raw.body);
    Judge(look, "project", one.raw,
          IsOk(one.raw) && project.Has("project_id") && project.Has("projectName") &&
              !project.Has("data") && pictory::ReadProject(one.raw.body, true).ok());
  }
  const Door::Free unknown = look.door.Ask(pictory::GetProjectCall(UnknownId()));
  Judge(look, "unknown-project", unknown.raw, IsRefusal(unknown.raw));
}

void LookAtTemplates(const Look& look) {
  look.tell("the templates");
  const Door::Free listed = look.door.Ask(pictory::ListTemplatesCall());
  const View page(listed.raw.body);
  const auto read = pictory::ReadTemplates(listed.raw.body);
  Judge(look, "templates", listed.raw,
        IsOk(listed.raw) && AllHave(page.At("items"), {"templateId", "name"}) && read.ok());
  Judge(look, "templates-all", listed.raw,
        IsOk(listed.raw) && !page.Has("nextPageKey") && !page.Has("pageKey"));
  if (!IsOk(listed.raw) || !read.ok() || read->templates().empty()) {
    look.findings.Skip("template", "no templates are listed");
  } else {
    const Door::Free one =
        look.door.Ask(pictory::GetTemplateCall(read->templates(0).template_id()));
    Judge(look, "template", one.raw,
          IsOk(one.raw) && View(one.raw.body).Has("templateId") &&
              pictory::ReadTemplate(one.raw.body).ok());
  }
  const Door::Free unknown = look.door.Ask(pictory::GetTemplateCall(UnknownId()));
  Judge(look, "unknown-template", unknown.raw, IsRefusal(unknown.raw));
}

void LookAtUploads(const Look& look) {
  look.tell("a place for a file, to which nothing is sent");
  const Door::Free place = look.door.Ask(UploadCall("/v1/media/generateurl", kUploadBody));
  Judge(look, "upload", place.raw, IsPlace(place.raw));
  const std::string url = View(place.raw.body).At("data").At("signedUrl").Text();
  const std::int64_t life = LifeOf(url);
  if (!IsPlace(place.raw) || life < 0) {
    look.findings.Skip("upload-day", "the signed URL does not say");
  } else {
    look.findings.Judge("upload-day", life == 86400, absl::StrCat(life, " s"));
  }
  const Door::Free other = look.door.Ask(UploadCall("/v1/media/generateUrl", kUploadBody));
  Judge(look, "upload-spelling", other.raw, IsPlace(other.raw));
  const Door::Free wrong = look.door.Ask(UploadCall("/v1/media/generateurl", "{}"));
  const View refusal(wrong.raw.body);
  const View fields = refusal.At("fields");
  Judge(look, "refusal", wrong.raw,
        wrong.raw.status == 400 && refusal.Has("code") && refusal.Has("message", Type::kString) &&
            !fields.Elements().empty() && AllHave(fields, {"name", "errors"}));
}

void LookAtCatalog(const Look& look) {
  look.tell("voices, media, music, avatars, brands, styles and layouts");
  const Door::Free voices = look.door.Get("/v1/voiceovers/tracks");
  Judge(look, "voices", voices.raw,
        IsOk(voices.raw) && AllHave(View(voices.raw.body), {"id", "name"}));
  const Door::Free media = look.door.Get("/v1/media/search?keyword=sea");
  Judge(look, "media-search", media.raw,
        IsOk(media.raw) && View(media.raw.body).At("data").Has("searchResults", Type::kArray));
  const Door::Free moods = look.door.Get("/v1/music/moods");
  const View words(moods.raw.body);
  const std::vector<View> all = words.Elements();
  Judge(look, "music-words", moods.raw,
        IsOk(moods.raw) && words.Is(Type::kArray) &&
            std::all_of(all.begin(), all.end(),
                        [](const View& word) { return word.Is(Type::kString); }));
  const Door::Free avatars = look.door.Get("/v1/avatars");
  Judge(look, "avatars", avatars.raw,
        IsOk(avatars.raw) && AllHave(View(avatars.raw.body).At("items"), {"id", "name", "looks"}));
  const Door::Free brands = look.door.Get("/v1/brands/video");
  Judge(look, "brands", brands.raw,
        IsOk(brands.raw) && AllHave(View(brands.raw.body), {"id", "name"}));
  const Door::Free styles = look.door.Get("/v1/styles");
  Judge(look, "styles", styles.raw,
        IsOk(styles.raw) && AllHave(View(styles.raw.body), {"id", "name"}));
  const Door::Free layouts = look.door.Get("/v1/smartlayouts");
  Judge(look, "smart-layouts", layouts.raw,
        IsOk(layouts.raw) &&
            AllHave(View(layouts.raw.body).At("items"), {"templateId", "templateName"}));
}

void LookAtStudio(const Look& look) {
  look.tell("what AI studio has made");
  const Door::Free images = look.door.Get("/v1/aistudio/images");
  Judge(look, "studio-images", images.raw,
        IsOk(images.raw) &&
            AllHave(View(images.raw.body).At("items"), {"id", "url", "prompt", "model"}));
  const Door::Free videos = look.door.Get("/v1/aistudio/videos");
  Judge(look, "studio-videos", videos.raw,
        IsOk(videos.raw) &&
            AllHave(View(videos.raw.body).At("items"), {"id", "url", "prompt", "duration"}));
}

void LookAtCredentials(const Look& look, const Ways& ways, const jobs::UpstreamOptions& options) {
  look.tell("credentials that are wrong");
  const auto quota_with = [&](pictory::ClientOptions client) {
    Door door(ways, {.client = std::move(client), .budget = options.budget});
    return door.Ask(pictory::QuotaCall()).raw;
  };
  const auto with_value = [&](std::string value) {
    return quota_with({.api_key = Secret(std::move(value))});
  };
  const http::Response wrong = with_value(absl::StrCat("pictai_bad_", UnknownId()));
  Judge(look, "wrong-key", wrong,
        wrong.status == 401 && View(wrong.body).At("message").Text() == "Unauthorized");

  const std::string good = options.client.oauth.has_value()
                               ? View(look.door.token().body).At("access_token").Text()
                               : options.client.api_key.Reveal();
  const http::Response filtered =
      quota_with({.api_key = Secret(good), .user_agent = "Python-urllib/3.11"});
  Judge(look, "filter", filtered, filtered.status == 403 && View(filtered.body).Is(Type::kAbsent));

  if (!options.client.oauth.has_value()) {
    const http::Response bearer = with_value("Bearer " + good);
    Judge(look, "bearer-key", bearer, bearer.status == 401);
    return;
  }

  const http::Response token = look.door.token();
  const View bare(token.body);
  Judge(look, "token", token,
        IsOk(token) && bare.Has("access_token", Type::kString) &&
            bare.Has("expires_in", Type::kNumber) && bare.Has("token_type", Type::kString));
  const std::string life = bare.At("expires_in").Text();
  std::int64_t seconds = 0;
  if (absl::SimpleAtoi(life, &seconds)) {
    look.findings.Judge("token-hour", seconds == 3600, absl::StrCat(seconds, " s"));
  } else {
    look.findings.Skip("token-hour", "its life is not told");
  }
  const http::Response bearer = with_value("Bearer " + good);
  Judge(look, "bearer-token", bearer, pictory::IsSuccess(bearer));

  pictory::ClientOptions pair = options.client;
  pair.oauth->client_secret = Secret(absl::StrCat("bad-", UnknownId()));
  Door door(ways, {.client = std::move(pair), .budget = options.budget});
  door.Ask(pictory::QuotaCall());
  const http::Response refused = door.token();
  Judge(look, "wrong-pair", refused,
        (refused.status == 401 || refused.status == 400 || refused.status == 403) &&
            View(refused.body).Is(Type::kObject));
}

}  // namespace gateway::contract
