// server/docs/errors.md holds two tables that are made of the sources. This test fails when the
// page is behind them; with PICTORY_WRITE_PAGES set it writes them into the page instead:
//
//   cmake --build --preset dev --target errors_page
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "base/reasons.h"
#include "pictory/errors_table.h"

namespace gateway::pictory {
namespace {

std::string ReadPage() {
  std::ifstream file(PICTORY_ERRORS_PAGE);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The page with `table` between the two comments that name its source.
std::string With(const std::string& page, const std::string& source, const std::string& table) {
  const std::string begin = "<!-- made of " + source + " -->\n\n";
  const std::string end = "\n<!-- end -->\n";
  const auto from = page.find(begin);
  const auto to = page.find(end, from);
  EXPECT_NE(from, std::string::npos) << begin;
  EXPECT_NE(to, std::string::npos) << begin;
  if (from == std::string::npos || to == std::string::npos) return page;
  return page.substr(0, from + begin.size()) + table + page.substr(to);
}

TEST(ErrorsPage, HoldsWhatTheSourcesSay) {
  const std::string page = ReadPage();
  std::string fresh = With(page, "server/pictory/errors_table.h", ErrorTableMarkdown());
  fresh = With(fresh, "server/base/reasons.h", errors::ReasonTableMarkdown());
  if (std::getenv("PICTORY_WRITE_PAGES") != nullptr) {
    std::ofstream(PICTORY_ERRORS_PAGE) << fresh;
    return;
  }
  EXPECT_EQ(page, fresh) << "cmake --build --preset dev --target errors_page";
}

}  // namespace
}  // namespace gateway::pictory
