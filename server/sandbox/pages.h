// These functions make the pages that people open in a browser: previews, finished videos, and the
// sandbox's front page. They are pure; every word of a story is escaped.
#pragma once

#include <string>
#include <vector>

#include "sandbox/job.h"

namespace gateway::sandbox {

// The pages of previews and of the editor may be embedded: they talk to the page around them by
// postMessage, as Pictory's samples of such pages expect.
std::string PreviewPage(const Job& preview);
// The page for a preview that cannot be shown, and why.
std::string NoPreviewPage(const std::string& text);
std::string EditorPage();
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
