// A LiveBlock is lines on a terminal that are redrawn in place, whatever the terminal's width, and
// however that changes.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace pictory_jobs::cli {

struct ScreenSize {
  int columns = 80;
  int rows = 24;
};

// Where live lines go.
struct Screen {
  std::function<void(const std::string&)> write;
  // Asked before each drawing, because a window changes its size at any time.
  std::function<ScreenSize()> size;
};

// While its lines are shown the cursor stands on the first of them. A terminal that makes its
// window narrower breaks the lines anew and takes the cursor along, so that all of them are still
// behind it and none is left over. Not thread-safe.
class LiveBlock {
 public:
  explicit LiveBlock(Screen screen) : screen_(std::move(screen)) {}

  // How many columns and lines a drawing may have now.
  int Columns() const;
  int Rows() const;

  // Shows `lines` in place of those before; `above` stays, and may need several lines.
  void Draw(std::vector<std::string> lines, const std::string& above = "");
  // Leaves the lines where they are and puts the cursor below them.
  void End();
  // Takes the lines away.
  void Clear();

 private:
  // The lines, cut to the width; the terminal is told not to break a line that it measures
  // differently.
  std::string Shown() const;

  const Screen screen_;
  std::vector<std::string> lines_;
};

}  // namespace pictory_jobs::cli
