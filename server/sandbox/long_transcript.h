// A LongTranscript is the `data` of a job with hours of speech, of any size: the built-in minute of
// talk over and over, with times and numbers that go on. The text is never held: each minute is
// filled into a mold when it is sent, and is the same every time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/server_message.h"
#include "sandbox/json.h"
#include "sandbox/story.h"

namespace gateway::sandbox {

// A Mold is one minute's text with gaps for what differs from minute to minute.
class Mold {
 public:
  enum class Gap : std::uint8_t { kNumber, kSeconds, kSrtTime, kVttTime };

  void Text(std::string_view text) { texts_.back() += text; }
  // In the n-th minute the gap holds first + n * step: a number, or a time in milliseconds.
  void Put(Gap gap, std::int64_t first, std::int64_t step);
  std::string Fill(int minute) const;

 private:
  struct Slot {
    Gap gap;
    std::int64_t first;
    std::int64_t step;
  };
  std::vector<std::string> texts_ = {""};  // one more than slots
  std::vector<Slot> slots_;
};

// Immutable; shared by all who read it.
class LongTranscript {
 public:
  // `first` is the first minute, which may be marked for a summary: then only what is marked is in
  // txt, srt and vtt.
  LongTranscript(const Value& first, int minutes, bool summary);

  std::uint64_t size() const { return ends_.back(); }
  // Pieces follow each other; the piece that holds `offset`, and where a piece ends.
  std::size_t PieceAt(std::uint64_t offset) const;
  std::uint64_t EndOf(std::size_t piece) const { return ends_[piece]; }
  std::string Piece(std::size_t piece) const;

 private:
  enum Section { kWords, kTxt, kSrt, kVtt, kSections };
  struct Molds {
    std::array<Mold, kSections> of;
  };
  static Mold WordsOf(const Value& items, std::int64_t step_ms);
  static void AddTexts(const std::vector<Caption>& captions, std::int64_t step_ms, Molds& molds);

  const int minutes_;
  Molds first_;
  Molds later_;
  std::array<std::string, kSections + 1> between_;  // before each section, and after the last
  std::vector<std::uint64_t> ends_;
};

// `before`, the transcript, `after`.
std::shared_ptr<http::BodySource> LongBody(std::string before,
                                           std::shared_ptr<const LongTranscript> transcript,
                                           std::string after);

}  // namespace gateway::sandbox
