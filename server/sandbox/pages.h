// These functions make the pages that people open in a browser: previews, finished videos, and the
// sandbox's front page. They are pure; every word of a story is escaped.
#pragma once

#include <string>
#include <vector>

#include "sandbox/job.h"

namespace gateway::sandbox {

std::string PreviewPage(const Job& preview);
std::string SharePage(const Job& render);
// The page for a job that has nothing to show (yet).
std::string NoticePage(const std::string& title, const std::string& text);

struct FrontRow {
  std::string id;
  std::string kind;
  std::string name;
  std::string state;
  std::string link;  // "": none
};
std::string FrontPage(const std::string& base_url, const std::vector<FrontRow>& newest_first);

}  // namespace gateway::sandbox
