#include "sandbox/account_pages.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <vector>

#include "base/utc_text.h"
#include "sandbox/journal.h"
#include "sandbox/url.h"

namespace gateway::sandbox {
namespace {

constexpr std::size_t kProjectsOnPage = 20;
constexpr std::string_view kProjectKeyPrefix = "project:";

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

bool IsSaved(const JobBook& book, const Job& job, std::string_view account) {
  return job.account == account && !job.project_id.empty() &&
         book.StateOf(job).phase == Phase::kCompleted;
}

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

ApiReply AccountPages::Projects(std::string_view account, std::string_view page_key,
                                const std::string& origin) const {
  std::vector<const Job*> saved;
  for (const auto& job : book_.all()) {
    if (IsSaved(book_, *job, account)) saved.push_back(job.get());
  }
  std::reverse(saved.begin(), saved.end());
  std::size_t at = 0;
  if (!page_key.empty()) {
    const std::string last = Base64Decode(page_key);
    const auto found = std::find_if(saved.begin(), saved.end(), [&](const Job* job) {
      return last == std::string(kProjectKeyPrefix) + job->project_id;
    });
    if (found == saved.end()) return Refused("INVALID_REQUEST", "pagekey is not valid");
    at = static_cast<std::size_t>(found - saved.begin()) + 1;
  }
  const std::size_t end = std::min(saved.size(), at + kProjectsOnPage);
  JsonOut out;
  out.Object().Key("items").Array();
  for (; at < end; ++at) {
    const Job& job = *saved[at];
    out.Object().Field("id", job.project_id).Field("name", job.film.name);
    out.Field("source", "script");
    out.Field("projectPreview", origin + "/media/" + job.id + "/video.jpg");
    out.Field("savedDate", IsoTime(WallOf(book_.FinishTime(job))));
    out.Field("schemaVersion", "v3").Field("type", "project").EndObject();
  }
  out.EndArray().Key("pageKey");
  if (at < saved.size()) {
    out.Put(Base64Encode(std::string(kProjectKeyPrefix) + saved[at - 1]->project_id));
  } else {
    out.Put(nullptr);
  }
  return {200, out.EndObject().Take()};
}

ApiReply AccountPages::Project(const Job& preview, const std::string& origin) const {
  const std::string& id = preview.project_id;
  JsonOut out;
  out.Object().Field("project_id", id).Field("projectName", preview.film.name);
  out.Field("projectType", "1").Field("source", "script").Field("step", "STORYBOARD");
  out.Field("schemaVersion", "v3").Field("layout", LayoutOf(preview.film));
  out.Field("scriptLanguage", "en");
  out.Field("thumbnail", origin + "/media/" + preview.id + "/video.jpg");
  out.Field("videoDuration", preview.film.seconds).Field("audioSpeed", 100).Field("brandId", "");
  out.Field("saveDate", IsoTime(WallOf(book_.FinishTime(preview)))).Key("scenes").Array();
  int order = 10'000;
  for (const Scene& scene : preview.film.scenes) {
    out.Object().Field("sceneId", id + "-" + std::to_string(++order)).Field("projectId", id);
    out.Field("text", scene.text).Field("category", "DEFAULT").Field("sortOrder", order);
    out.Field("durationAuto", scene.seconds).EndObject();
  }
  return {200, out.EndArray().EndObject().Take()};
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
