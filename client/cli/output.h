// Output says where a command's words go: the answer to stdout, everything else to stderr. Not
// thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "invocation.h"
#include "paint.h"
#include "problem.h"
#include "progress.h"

namespace pictory_jobs::cli {

class Output {
 public:
  explicit Output(const Invocation& invocation);

  bool json() const { return json_; }

  // Writes to stdout, at once, the bytes as they are; on a terminal without what could steer it.
  // Nothing more is written once something could not be.
  void Answer(std::string_view text);
  // The same with its colours, where they are wanted.
  void Answer(const Pieces& pieces);
  // stderr, without what could steer a terminal. With --json each is an object on a line of its
  // own: `{"note":…}`, `{"warning":…}` and
  // `{"error":…}`.
  // Only for those who look: not with --quiet.
  void Note(const std::string& text);
  // Tells what must not be overlooked, though nothing failed. An empty text is not told.
  void Warn(const std::string& text);
  void Tell(const Problem& problem);
  // The problem's text as Tell would write it.
  std::string Told(const Problem& problem) const;

  // False once an answer could not be written, as to a full disk.
  bool intact() const { return failure_ == 0; }
  // The same, and asks a file system that tells only when a file is closed.
  bool Delivered();
  // Why an answer could not be written: `No space left on device`.
  std::string Failure() const;
  // Whether it was a pipe whose reader has gone.
  bool ReaderLeft() const;
  // Why an answer could not be written now, before there is one; empty if nothing is in the way.
  static std::string Obstacle();

  // Live on a terminal; none with --quiet or --json.
  Progress::Mode ProgressMode() const;
  // stderr, as it is at each moment.
  static Screen StderrScreen();
  // Whether answers go to a terminal.
  bool AnswersOnTerminal() const { return on_terminal_; }
  // Whether stderr is a terminal.
  static bool Terminal();

 private:
  std::string Clean(std::string_view text) const;

  const bool json_;
  const bool quiet_;
  const bool on_terminal_;  // stdout is one
  const bool colored_;
  std::string held_;  // for it: the beginning of a character whose rest is still to come
  int failure_ = 0;   // the errno
};

}  // namespace pictory_jobs::cli
