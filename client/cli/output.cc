#include "output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/clean_text.h"
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

// https://no-color.org: any value but an empty one.
bool WantsColor(Color color, bool on_terminal) {
  if (color != Color::kAuto) return color == Color::kAlways;
  const char* const none = std::getenv("NO_COLOR");
  const char* const term = std::getenv("TERM");
  return on_terminal && (none == nullptr || *none == '\0') && term != nullptr &&
         std::string_view(term) != "dumb";
}

}  // namespace

Output::Output(const Invocation& invocation)
    : json_(invocation.json),
      quiet_(invocation.quiet),
      on_terminal_(isatty(STDOUT_FILENO) != 0),
      colored_(WantsColor(invocation.color, on_terminal_)) {}

// Whoever made the text, a server has had its words in it.
std::string Output::Clean(std::string_view text) const {
  return json_ ? gateway::CleanJson(text) : gateway::CleanLines(text);
}

void Output::Answer(std::string_view text) {
  if (!intact()) return;
  if (!on_terminal_) {
    failure_ = WriteAll(STDOUT_FILENO, text);
    return;
  }
  held_.append(text);
  const std::size_t whole = held_.size() - gateway::UnfinishedBytes(held_);
  failure_ = WriteAll(STDOUT_FILENO, Clean(held_.substr(0, whole)));
  held_.erase(0, whole);
}

// Each piece is cleaned by itself, so that the colours are all that steers.
void Output::Answer(const Pieces& pieces) {
  if (!colored_) return Answer(TextOf(pieces));
  if (!intact()) return;
  std::string text;
  for (const Piece& piece : pieces) {
    text += Painted(on_terminal_ ? Clean(piece.text) : piece.text, piece.hue);
  }
  failure_ = WriteAll(STDOUT_FILENO, text);
}

bool Output::Delivered() {
  if (intact() && !held_.empty()) failure_ = WriteAll(STDOUT_FILENO, Clean(held_));
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
  if (!quiet_) ToStderr(Clean(json_ ? AsJson("note", text) : text));
}

void Output::Warn(const std::string& text) {
  if (!text.empty()) ToStderr(Clean(json_ ? AsJson("warning", text) : text));
}

void Output::Tell(const Problem& problem) { ToStderr(Clean(Told(problem))); }

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
