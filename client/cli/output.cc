#include "output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace pictory_jobs::cli {
namespace {

void ToStderr(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

}  // namespace

void Output::Answer(const std::string& text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  intact_ = std::fflush(stdout) == 0 && written && intact_;
}

void Output::Note(const std::string& text) {
  if (!quiet_) ToStderr(text);
}

void Output::Error(const std::string& text) { ToStderr(text); }

bool Output::Terminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) != 0 && term != nullptr && std::string_view(term) != "dumb";
}

Progress Output::MakeProgress() {
  Progress::Mode mode = Progress::Mode::kPlain;
  if (quiet_ || json_) {
    mode = Progress::Mode::kNone;
  } else if (Terminal()) {
    mode = Progress::Mode::kLive;
  }
  winsize size{};
  int columns = 80;
  int rows = 24;
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
    columns = size.ws_col;
    rows = size.ws_row;
  }
  return Progress(mode, std::max(20, columns), std::max(2, rows - 1), ToStderr);
}

}  // namespace pictory_jobs::cli
