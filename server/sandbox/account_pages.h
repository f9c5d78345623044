// These functions write what Pictory tells of an account: its saved projects and its charges. Pure
// but for the clock.
//
//   GET /v2/projects?pagekey=…        {"items":[…],"pageKey":…}, the newest first; null at the end
//   GET /v2/projects/{id}             a bare object
//   GET /v1/aicredits/usage?year=…&month=…   a bare list, the newest first
//
// A charge names no job, as Pictory's do not.
#pragma once

#include <string>
#include <string_view>

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
  // `year` and `month` as they stand in the query.
  ApiReply Charges(std::string_view account, const std::string& year,
                   const std::string& month) const;

 private:
  WallTime WallOf(MonoTime time) const;

  const JobBook& book_;
  const Clock& clock_;
};

}  // namespace gateway::sandbox
