#include "sandbox/long_transcript.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <utility>

#include "sandbox/transcript.h"

namespace gateway::sandbox {
namespace {

// The pause between two minutes, so that no word of one begins before the last word of the one
// before.
constexpr double kBetweenMinutes = 0.5;

std::int64_t Milliseconds(double seconds) { return std::llround(seconds * 1000); }

// The text as it stands between the quotes of a JSON string.
std::string EscapedJson(std::string_view text) {
  const std::string quoted = JsonOut().Put(text).Take();
  return quoted.substr(1, quoted.size() - 2);
}

void AppendNumber(std::string& out, std::int64_t number, int digits = 1) {
  char text[24];
  const char* const end = std::to_chars(text, text + sizeof text, number).ptr;
  for (int i = static_cast<int>(end - text); i < digits; ++i) out += '0';
  out.append(text, static_cast<std::size_t>(end - text));
}

void AppendStamp(std::string& out, std::int64_t ms, char separator) {
  AppendNumber(out, ms / 3'600'000, 2);
  out += ':';
  AppendNumber(out, ms / 60'000 % 60, 2);
  out += ':';
  AppendNumber(out, ms / 1000 % 60, 2);
  out += separator;
  AppendNumber(out, ms % 1000, 3);
}

// How far the numbers of one minute go; the next minute's go on from there.
struct Counts {
  std::int64_t turns = 0;
  std::int64_t words = 0;
  std::int64_t sentences = 0;
};

Counts CountsOf(const Value& items) {
  Counts counts;
  for (const Value& item : items.GetArray()) {
    ++counts.turns;
    for (const Value& word : item["words"].GetArray()) {
      ++counts.words;
      const auto sentence = static_cast<std::int64_t>(FindNumber(word, "sentence_index", 0));
      counts.sentences = std::max(counts.sentences, sentence + 1);
    }
  }
  return counts;
}

class LongBodySource final : public http::BodySource {
 public:
  LongBodySource(std::string before, std::shared_ptr<const LongTranscript> transcript,
                 std::string after)
      : before_(std::move(before)), after_(std::move(after)), transcript_(std::move(transcript)) {}

  std::uint64_t size() const override {
    return before_.size() + transcript_->size() + after_.size();
  }
  bool Read(std::uint64_t offset, char* out, std::size_t count) override {
    while (count > 0) {
      const std::string_view here = From(offset);
      if (here.empty()) return false;
      const std::size_t now = std::min(here.size(), count);
      std::memcpy(out, here.data(), now);
      out += now;
      offset += now;
      count -= now;
    }
    return true;
  }

 private:
  // The text that is at hand from `offset` on; empty at the end.
  std::string_view From(std::uint64_t offset) {
    if (offset < before_.size()) return std::string_view(before_).substr(offset);
    offset -= before_.size();
    if (offset >= transcript_->size()) {
      const std::uint64_t behind =
          std::min<std::uint64_t>(offset - transcript_->size(), after_.size());
      return std::string_view(after_).substr(behind);
    }
    const std::size_t number = transcript_->PieceAt(offset);
    if (number != number_ || piece_.empty()) {
      piece_ = transcript_->Piece(number);
      number_ = number;
    }
    const auto left = static_cast<std::size_t>(transcript_->EndOf(number) - offset);
    return std::string_view(piece_).substr(piece_.size() - left);
  }

  const std::string before_;
  const std::string after_;
  const std::shared_ptr<const LongTranscript> transcript_;
  std::size_t number_ = 0;
  std::string piece_;
};

}  // namespace

void Mold::Put(Gap gap, std::int64_t first, std::int64_t step) {
  slots_.push_back({gap, first, step});
  texts_.emplace_back();
}

std::string Mold::Fill(int minute) const {
  std::string out = texts_.front();
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const std::int64_t value = slots_[i].first + minute * slots_[i].step;
    switch (slots_[i].gap) {
      case Gap::kNumber:
        AppendNumber(out, value);
        break;
      case Gap::kSeconds:
        AppendNumber(out, value / 1000);
        out += '.';
        AppendNumber(out, value % 1000, 3);
        break;
      case Gap::kSrtTime:
        AppendStamp(out, value, ',');
        break;
      case Gap::kVttTime:
        AppendStamp(out, value, '.');
        break;
    }
    out += texts_[i + 1];
  }
  return out;
}

LongTranscript::LongTranscript(const Value& first, int minutes, bool summary) : minutes_(minutes) {
  const std::int64_t step = Milliseconds(TranscriptSeconds(BuiltInTranscript()) + kBetweenMinutes);
  const std::vector<Caption> captions = TranscriptCaptions(first, summary);
  first_.of[kWords] = WordsOf(first, step);
  AddTexts(captions, step, first_);
  later_.of[kWords] = WordsOf(BuiltInTranscript(), step);
  if (!summary) AddTexts(captions, step, later_);
  JsonOut media;
  media.Object().Field("duration", static_cast<double>(step * minutes) / 1000);
  media.Field("mediaType", "video").EndObject();
  between_ = {"{\"transcript\":[", "],\"txt\":\"", "\",\"srt\":\"", "\",\"vtt\":\"WEBVTT\\n\\n",
              summary ? "\",\"status\":\"completed\"}" : "\",\"mediaInfo\":" + media.Take() + "}"};
  std::uint64_t total = 0;
  const std::size_t pieces = kSections * (static_cast<std::size_t>(minutes) + 1) + 1;
  for (std::size_t i = 0; i < pieces; ++i) ends_.push_back(total += Piece(i).size());
}

std::size_t LongTranscript::PieceAt(std::uint64_t offset) const {
  return static_cast<std::size_t>(std::upper_bound(ends_.begin(), ends_.end(), offset) -
                                  ends_.begin());
}

std::string LongTranscript::Piece(std::size_t piece) const {
  const std::size_t each = static_cast<std::size_t>(minutes_) + 1;
  const std::size_t section = piece / each;
  const auto minute = static_cast<int>(piece % each) - 1;
  if (minute < 0) return between_[section];
  const Molds& molds = minute == 0 ? first_ : later_;
  return (section == kWords && minute > 0 ? "," : "") + molds.of[section].Fill(minute);
}

Mold LongTranscript::WordsOf(const Value& items, std::int64_t step_ms) {
  using Gap = Mold::Gap;
  const Counts counts = CountsOf(items);
  const auto integer = [](const Value& object, const char* key) {
    return static_cast<std::int64_t>(FindNumber(object, key, 0));
  };
  Mold mold;
  std::int64_t turn = 0, number = 0;
  for (const Value& item : items.GetArray()) {
    mold.Text(turn == 0 ? "{\"uid\":\"s" : ",{\"uid\":\"s");
    mold.Put(Gap::kNumber, ++turn, counts.turns);
    mold.Text("\",\"speakerId\":" + std::to_string(integer(item, "speakerId")) + ",\"words\":[");
    bool begun = false;
    for (const Value& word : item["words"].GetArray()) {
      mold.Text(std::exchange(begun, true) ? ",{\"uid\":\"w" : "{\"uid\":\"w");
      mold.Put(Gap::kNumber, ++number, counts.words);
      mold.Text("\",\"word\":\"" + EscapedJson(FindText(word, "word")) + "\",\"start_time\":");
      mold.Put(Gap::kSeconds, Milliseconds(FindNumber(word, "start_time", 0)), step_ms);
      mold.Text(",\"end_time\":");
      mold.Put(Gap::kSeconds, Milliseconds(FindNumber(word, "end_time", 0)), step_ms);
      if (FindBool(word, "is_pause", false))
        mold.Text(",\"is_pause\":true,\"pause_size\":\"small\"");
      mold.Text(",\"speakerId\":" + std::to_string(integer(word, "speakerId")) +
                ",\"sentence_index\":");
      mold.Put(Gap::kNumber, integer(word, "sentence_index"), counts.sentences);
      mold.Text(FindBool(word, "highlight", false) ? ",\"highlight\":true}" : "}");
    }
    mold.Text("]}");
  }
  return mold;
}

void LongTranscript::AddTexts(const std::vector<Caption>& captions, std::int64_t step_ms,
                              Molds& molds) {
  std::int64_t cue = 0;
  molds.of[kTxt].Text(EscapedJson(ToTxt(captions)));
  for (const Caption& caption : captions) {
    const std::int64_t start = Milliseconds(caption.start);
    const std::int64_t end = Milliseconds(caption.start + caption.seconds);
    const std::string text = "\\n" + EscapedJson(caption.text) + "\\n\\n";
    molds.of[kSrt].Put(Mold::Gap::kNumber, ++cue, static_cast<std::int64_t>(captions.size()));
    molds.of[kSrt].Text("\\n");
    for (const auto& [section, gap] :
         {std::pair{kSrt, Mold::Gap::kSrtTime}, std::pair{kVtt, Mold::Gap::kVttTime}}) {
      molds.of[section].Put(gap, start, step_ms);
      molds.of[section].Text(" --> ");
      molds.of[section].Put(gap, end, step_ms);
      molds.of[section].Text(text);
    }
  }
}

std::shared_ptr<http::BodySource> LongBody(std::string before,
                                           std::shared_ptr<const LongTranscript> transcript,
                                           std::string after) {
  return std::make_shared<LongBodySource>(std::move(before), std::move(transcript),
                                          std::move(after));
}

}  // namespace gateway::sandbox
