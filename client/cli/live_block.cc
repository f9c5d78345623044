#include "live_block.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clean_text.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

constexpr char kFromHereOn[] = "\r\x1b[J";  // clears
constexpr char kNoWrap[] = "\x1b[?7l";
constexpr char kWrap[] = "\x1b[?7h";

}  // namespace

// The last column stays free: a terminal that filled it may begin a line of its own accord.
int LiveBlock::Columns() const { return std::max(1, screen_.size().columns - 1); }

int LiveBlock::Rows() const { return std::max(1, screen_.size().rows - 1); }

std::string LiveBlock::Shown() const {
  const int columns = Columns();
  std::string shown = kNoWrap;
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    absl::StrAppend(&shown, i == 0 ? "" : "\n", Fit(OneLine(lines_[i]), columns));
  }
  return shown + kWrap;
}

void LiveBlock::Draw(std::vector<std::string> lines, const std::string& above) {
  lines_ = std::move(lines);
  std::string frame = kFromHereOn;
  if (!above.empty()) absl::StrAppend(&frame, gateway::CleanLines(above), "\n");
  absl::StrAppend(&frame, Shown());
  if (lines_.size() > 1) absl::StrAppend(&frame, "\x1b[", lines_.size() - 1, "A");
  screen_.write(frame + "\r");
}

void LiveBlock::End() {
  if (lines_.empty()) return;
  screen_.write(absl::StrCat(kFromHereOn, Shown(), "\n"));
  lines_.clear();
}

void LiveBlock::Clear() {
  if (std::exchange(lines_, {}).empty()) return;
  screen_.write(kFromHereOn);
}

}  // namespace pictory_jobs::cli
