#include "pictory/highlights.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;

// Only an empty word is a pause: spoken words have been seen with is_pause set.
bool IsPause(const v1::Word& word) { return word.word().empty(); }

// Words come without spaces; punctuation that stands alone belongs to the word before it.
void AppendWord(std::string& text, const std::string& word) {
  constexpr std::string_view kClosing = ".,;:!?)]}%";
  if (!text.empty() && kClosing.find(word.front()) == std::string_view::npos) text += ' ';
  text += word;
}

class Runs {
 public:
  explicit Runs(v1::SummaryResult& result) : result_(result) {}

  void Take(const v1::Word& word) {
    if (IsPause(word)) {
      Pass(word);
      return;
    }
    if (!word.highlight()) {
      open_ = nullptr;
      Pass(word);
      return;
    }
    if (open_ == nullptr) {
      open_ = result_.add_segments();
      open_->set_start_seconds(word.has_start_time() ? word.start_time() : now_);
    }
    Pass(word);
    open_->set_end_seconds(std::max(now_, open_->start_seconds()));
    AppendWord(*open_->mutable_text(), word.word());
  }

 private:
  // Times are optional: a word without them lies where the one before it ended.
  void Pass(const v1::Word& word) {
    if (word.has_start_time()) now_ = word.start_time();
    if (word.has_end_time()) now_ = word.end_time();
  }

  v1::SummaryResult& result_;
  v1::Segment* open_ = nullptr;
  double now_ = 0;
};

}  // namespace

bool HasHighlights(const v1::SummaryResult& result) {
  for (const v1::Sentence& sentence : result.transcript()) {
    for (const v1::Word& word : sentence.words()) {
      if (word.highlight() && !IsPause(word)) return true;
    }
  }
  return false;
}

void FillSegments(v1::SummaryResult& result) {
  result.clear_segments();
  result.clear_summary_text();
  result.clear_summary_duration_seconds();
  Runs runs(result);
  for (const v1::Sentence& sentence : result.transcript()) {
    for (const v1::Word& word : sentence.words()) runs.Take(word);
  }
  if (result.segments().empty()) {
    if (result.summaries_size() == 1) {
      const v1::Summary& only = result.summaries(0);
      result.set_summary_text(only.text());
      if (only.has_duration_seconds()) {
        result.set_summary_duration_seconds(only.duration_seconds());
      }
    }
    return;
  }
  double seconds = 0;
  std::string& text = *result.mutable_summary_text();
  for (const v1::Segment& segment : result.segments()) {
    seconds += segment.end_seconds() - segment.start_seconds();
    if (!text.empty()) text += ' ';
    text += segment.text();
  }
  result.set_summary_duration_seconds(seconds);
}

}  // namespace gateway::pictory
