#include "sandbox/account_pages.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <span>
#include <vector>

#include "base/utc_text.h"
#include "sandbox/journal.h"
#include "sandbox/projects.h"
#include "sandbox/results.h"
#include "sandbox/url.h"

namespace gateway::sandbox {
namespace {

constexpr std::size_t kProjectsOnPage = 20;
constexpr std::size_t kVisualsOnPage = 100;
// Makes the key end in '=', as that of List Jobs does.
constexpr std::string_view kAccountKeyPrefix = "next:";

// What a picture or a clip was asked for with, and is told only then.
constexpr const char* kImageExtras[] = {"style", "referenceImageUrl"};
constexpr const char* kClipExtras[] = {"firstFrameImageUrl", "referenceImageUrls",
                                       "extendVideoUrl"};

// As Pictory writes times: `2026-01-19T09:23:21.131Z`.
std::string IsoTime(WallTime time) {
  using std::chrono::milliseconds;
  const auto since = std::chrono::floor<milliseconds>(time.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  char fraction[8];
  std::snprintf(fraction, sizeof fraction, ".%03dZ", static_cast<int>((since - seconds).count()));
  return UtcText(static_cast<std::time_t>(seconds.count())) + fraction;
}

// `2026-01` of such a time.
std::string MonthOf(const std::string& iso) { return iso.substr(0, 7); }

std::string LayoutOf(const Film& film) {
  if (film.width == film.height) return "1:1";
  return film.width > film.height ? "16:9" : "9:16";
}

// The number; `otherwise` if there is no text, -1 if it is no number.
int NumberOf(const std::string& text, int otherwise) {
  if (text.empty()) return otherwise;
  int number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  return read.ec == std::errc() && read.ptr == text.data() + text.size() ? number : -1;
}

struct Charge {
  WallTime time;
  std::string id;
  const char* type;
  double amount;
  const char* source;
  const char* description;
};

}  // namespace

WallTime AccountPages::WallOf(MonoTime time) const {
  return clock_.WallNow() + std::chrono::duration_cast<WallTime::duration>(time - clock_.Now());
}

std::optional<AccountPages::Page> AccountPages::PageOf(
    std::string_view account, std::string_view key, std::size_t size,
    const std::function<bool(const Job&)>& shown) const {
  // The job that the page before ended with. It may not be shown any longer.
  std::string last;
  if (!key.empty()) {
    last = Base64Decode(key);
    if (!last.starts_with(kAccountKeyPrefix)) return std::nullopt;
    last.erase(0, kAccountKeyPrefix.size());
  }
  bool behind = key.empty();
  Page page;
  for (auto at = book_.all().rbegin(); at != book_.all().rend(); ++at) {
    const Job& job = **at;
    if (job.account != account) continue;
    if (!behind) {
      behind = job.id == last;
    } else if (shown(job)) {
      if (page.jobs.size() == size) {
        page.next = Base64Encode(std::string(kAccountKeyPrefix) + page.jobs.back()->id);
        break;
      }
      page.jobs.push_back(&job);
    }
  }
  if (!behind) return std::nullopt;
  return page;
}

ApiReply AccountPages::Projects(std::string_view account, std::string_view page_key,
                                const std::string& origin) const {
  const auto page = PageOf(account, page_key, kProjectsOnPage, [this](const Job& job) {
    return book_.HasProject(job) && book_.StateOf(job).phase == Phase::kCompleted;
  });
  if (!page) return Refused("INVALID_REQUEST", "pagekey is not valid");
  JsonOut out;
  out.Object().Key("items").Array();
  for (const Job* const job : page->jobs) {
    const bool changed = job->project != nullptr;
    out.Object().Field("id", job->project_id);
    out.Field("name", changed ? FindText(*job->project, "projectName") : job->film.name);
    out.Field("source", "script");
    out.Field("projectPreview", origin + "/media/" + job->id + "/video.jpg");
    out.Field("savedDate", IsoTime(changed ? job->project_saved : WallOf(book_.FinishTime(*job))));
    out.Field("schemaVersion", "v3").Field("type", "project").EndObject();
  }
  out.EndArray().Key("pageKey");
  if (page->next.empty()) {
    out.Put(nullptr);
  } else {
    out.Put(page->next);
  }
  return {200, out.EndObject().Take()};
}

std::string AccountPages::ProjectObject(const Job& preview, const std::string& origin) const {
  const std::string& id = preview.project_id;
  JsonOut out;
  out.Object().Field("project_id", id);
  if (preview.project != nullptr) {
    for (const auto& member : preview.project->GetObject()) {
      const std::string_view key = Text(member.name);
      if (key != "project_id" && key != "saveDate") out.Field(key, member.value);
    }
    out.Field("saveDate", IsoTime(preview.project_saved));
    return out.EndObject().Take();
  }
  out.Field("projectName", preview.film.name);
  out.Field("projectType", "1").Field("source", "script").Field("step", "STORYBOARD");
  out.Field("schemaVersion", "v3").Field("layout", LayoutOf(preview.film));
  out.Field("scriptLanguage", "en");
  out.Field("thumbnail", origin + "/media/" + preview.id + "/video.jpg");
  out.Field("videoDuration", preview.film.seconds).Field("audioSpeed", 100).Field("brandId", "");
  out.Field("saveDate", IsoTime(WallOf(book_.FinishTime(preview)))).Key("scenes").Array();
  for (std::size_t i = 0; i < preview.film.scenes.size(); ++i) {
    const Scene& scene = preview.film.scenes[i];
    out.Object().Field("sceneId", SceneIdOf(preview, i)).Field("projectId", id);
    out.Field("text", scene.text).Field("category", "DEFAULT").Field("sortOrder", 10'001 + i);
    out.Field("durationAuto", scene.seconds).EndObject();
  }
  return out.EndArray().EndObject().Take();
}

ApiReply AccountPages::Project(const Job& preview, const std::string& origin) const {
  return {200, ProjectObject(preview, origin)};
}

ApiReply AccountPages::Changed(const Job& preview, const std::string& origin) const {
  JsonOut out;
  out.Object().Field("success", true).Field("message", "Project updated successfully");
  return {200, out.Key("project").Raw(ProjectObject(preview, origin)).EndObject().Take()};
}

ApiReply AccountPages::Visuals(std::string_view account, Kind kind, std::string_view page_key,
                               const std::string& origin) const {
  const auto page = PageOf(account, page_key, kVisualsOnPage, [&](const Job& job) {
    return job.kind == kind && book_.StateOf(job).phase == Phase::kCompleted;
  });
  if (!page) return Refused("INVALID_REQUEST", "nextPageKey is not valid");
  JsonOut out;
  out.Object().Key("items").Array();
  for (const Job* const job : page->jobs) {
    const Visual& visual = job->visual;
    out.Object().Field("id", job->id).Field("prompt", FindText(*visual.asked, "prompt"));
    out.Field("model", visual.model).Field("aspectRatio", visual.ratio);
    out.Field("createdDate", IsoTime(WallOf(book_.FinishTime(*job))));
    WriteVisual(&out, *job, origin);
    const std::span<const char* const> extras =
        kind == Kind::kImage ? std::span<const char* const>(kImageExtras) : kClipExtras;
    for (const char* const key : extras) {
      if (const Value* const value = Find(*visual.asked, key)) out.Field(key, *value);
    }
    out.EndObject();
  }
  out.EndArray();
  if (!page->next.empty()) out.Field("nextPageKey", page->next);
  return {200, out.EndObject().Take()};
}

ApiReply AccountPages::Charges(std::string_view account, const std::string& year,
                               const std::string& month) const {
  const std::string now = IsoTime(clock_.WallNow());
  if (!year.empty() && month.empty()) {
    return Refused("INVALID_REQUEST", "month is required when year is provided");
  }
  const int y = NumberOf(year, NumberOf(now.substr(0, 4), 0));
  const int m = NumberOf(month, NumberOf(now.substr(5, 2), 0));
  if (y < 1 || y > 9999 || m < 1 || m > 12) {
    return Refused("INVALID_REQUEST", "year and month must make a month");
  }
  char wanted[16];
  std::snprintf(wanted, sizeof wanted, "%04d-%02d", y, m);
  std::vector<Charge> charges;
  for (const auto& job : book_.all()) {
    const double credits =
        (job->kind == Kind::kRender ? job->film.ai_credits : 0) + job->visual.credits;
    if (job->account != account || credits <= 0) continue;
    if (book_.StateOf(*job).phase != Phase::kCompleted) continue;
    const WallTime ended = WallOf(book_.FinishTime(*job));
    if (MonthOf(IsoTime(ended)) != wanted) continue;
    const char* const source = job->kind == Kind::kImage  ? "Text-to-Image"
                               : job->kind == Kind::kClip ? "Text-to-Video"
                                                          : "AI Visual";
    charges.push_back({ended, BodyHash(job->id), "debit", credits, source,
                       "Credits consumed by an AI generation"});
  }
  std::stable_sort(charges.begin(), charges.end(),
                   [](const Charge& a, const Charge& b) { return a.time > b.time; });
  JsonOut out;
  out.Array();
  const auto write = [&out](const std::string& time, const Charge& charge) {
    std::string id;
    std::copy_if(time.begin(), time.end(), std::back_inserter(id),
                 [](char c) { return c >= '0' && c <= '9'; });
    out.Object().Field("transactionId", id + charge.id).Field("type", charge.type);
    out.Field("amount", charge.amount).Field("source", charge.source);
    out.Field("description", charge.description).Field("plan", "Sandbox");
    out.Field("transactionDate", time).EndObject();
  };
  for (const Charge& charge : charges) write(IsoTime(charge.time), charge);
  if (wanted <= MonthOf(now)) {
    write(std::string(wanted) + "-01T00:00:00.000Z",
          {{},
           "reset",
           "credit",
           kCreditsOfTerm,
           "Monthly Reset",
           "Credits reset at the start of the billing cycle"});
  }
  return {200, out.EndArray().Take()};
}

}  // namespace gateway::sandbox
