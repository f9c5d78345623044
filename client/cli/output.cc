#include "output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "json_text.h"
#include "standard_streams.h"

namespace pictory_jobs::cli {
namespace {

// Writes to stderr. If even that fails, only the exit status is left to tell.
void ToStderr(const std::string& text) { WriteAll(STDERR_FILENO, text); }

std::string AsJson(const char* kind, std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return JsonObject().Text(kind, text).Done() + "\n";
}

}  // namespace

void Output::Answer(std::string_view text) {
  if (intact()) failure_ = WriteAll(STDOUT_FILENO, text);
}

bool Output::Delivered() {
  if (intact()) failure_ = Settle(STDOUT_FILENO);
  return intact();
}

std::string Output::Failure() const { return std::strerror(failure_); }

bool Output::ReaderLeft() const { return failure_ == EPIPE; }

std::string Output::Obstacle() {
  const int why = WhyUnwritable(STDOUT_FILENO);
  return why == 0 ? "" : std::strerror(why);
}

void Output::Note(const std::string& text) {
  if (!quiet_) ToStderr(json_ ? AsJson("note", text) : text);
}

void Output::Warn(const std::string& text) {
  if (!text.empty()) ToStderr(json_ ? AsJson("warning", text) : text);
}

void Output::Tell(const Problem& problem) { ToStderr(Told(problem)); }

std::string Output::Told(const Problem& problem) const {
  return json_ ? ProblemLine(problem) : ProblemText(problem);
}

bool Output::Terminal() {
  const char* term = std::getenv("TERM");
  return isatty(STDERR_FILENO) != 0 && term != nullptr && std::string_view(term) != "dumb";
}

Progress::Mode Output::ProgressMode() const {
  if (quiet_ || json_) return Progress::Mode::kNone;
  return Terminal() ? Progress::Mode::kLive : Progress::Mode::kPlain;
}

Screen Output::StderrScreen() {
  return {ToStderr, [] {
            winsize size{};
            ScreenSize screen;
            if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0) return screen;
            if (size.ws_col > 0) screen.columns = size.ws_col;
            if (size.ws_row > 0) screen.rows = size.ws_row;
            return screen;
          }};
}

}  // namespace pictory_jobs::cli
