// These functions write what Pictory tells of an account: its saved projects, what AI studio has
// made for it, and its charges. Pure but for the clock.
//
//   GET /v2/projects?pagekey=…        {"items":[…],"pageKey":…}, the newest first; null at the end
//   GET /v2/projects/{id}             a bare object
//   PUT /v2/projects/{id}             {"success":true,"message":…,"project":…}
//   GET /v1/aistudio/images, /videos  {"items":[…]}, the newest first; nextPageKey unless it ends
//   GET /v1/aicredits/usage?year=…&month=…   a bare list, the newest first
//
// A charge names no job, as Pictory's do not.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "sandbox/api_reply.h"
#include "sandbox/job_book.h"

namespace gateway::sandbox {

inline constexpr int kCreditsOfTerm = 10'000;

class AccountPages {
 public:
  AccountPages(const JobBook& book, const Clock& clock) : book_(book), clock_(clock) {}

  ApiReply Projects(std::string_view account, std::string_view page_key,
                    const std::string& origin) const;
  ApiReply Project(const Job& preview, const std::string& origin) const;
  // The same project, that was changed just now.
  ApiReply Changed(const Job& preview, const std::string& origin) const;
  // `kind`: kImage or kClip.
  ApiReply Visuals(std::string_view account, Kind kind, std::string_view page_key,
                   const std::string& origin) const;
  // `year` and `month` as they stand in the query.
  ApiReply Charges(std::string_view account, const std::string& year,
                   const std::string& month) const;

 private:
  // Jobs, the newest first, and the key of the next page; "" at the end.
  struct Page {
    std::vector<const Job*> jobs;
    std::string next;
  };

  WallTime WallOf(MonoTime time) const;
  // Of the account's jobs that are `shown`, those behind the page that the key stands for; nullopt
  // if it stands for none.
  std::optional<Page> PageOf(std::string_view account, std::string_view key, std::size_t size,
                             const std::function<bool(const Job&)>& shown) const;
  std::string ProjectObject(const Job& preview, const std::string& origin) const;

  const JobBook& book_;
  const Clock& clock_;
};

}  // namespace gateway::sandbox
