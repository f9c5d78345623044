#include "sandbox/transcript.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <sstream>

namespace gateway::sandbox {
namespace {

// A Word is one spoken or silent word of a transcript, where it lies in the tree.
struct Word {
  Value* value;
  int group;  // counts sentences through the whole transcript
  double start;
  double end;
  bool pause;
};

constexpr double kSummaryPresets[] = {15, 30, 60, 300};

constexpr struct {
  int speaker;
  const char* text;
} kTurns[] = {
    {1,
     "Welcome back to the workshop. Today we are talking about bread, and about why slow bread "
     "tastes better than fast bread."},
    {2,
     "Thanks for having me. The secret is time. When dough rests overnight, wild yeast and "
     "friendly bacteria do work that no machine can hurry."},
    {1, "So what happens in those quiet hours?"},
    {2,
     "Starch turns into sugar, and sugar turns into flavour. The dough also grows stronger, "
     "because gluten links up while nobody touches it. That is why a slow loaf has a thin crisp "
     "crust and an open crumb."},
    {1, "Many people say they have no time for it."},
    {2,
     "You need only ten minutes in the evening and ten in the morning. Mix flour, water and "
     "salt, add a spoon of starter, and go to bed. In the morning you shape the dough, wait for "
     "the oven, and bake. Time does the work for you."},
    {1, "And if the first loaf fails?"},
    {2, "Then you toast it, eat it with butter, and try again tomorrow. Good bread forgives."},
};

const Value* WordsOf(const Value& item) {
  for (const char* key : {"words", "word"}) {
    const Value* words = Find(item, key);
    if (words != nullptr && words->IsArray()) return words;
  }
  return nullptr;
}

std::string_view ItemText(const Value& item) {
  const std::string_view text = FindText(item, "text");
  return text.empty() ? FindText(item, "content") : text;
}

std::vector<std::string> SplitWords(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

void WriteWord(JsonOut* out, int* uid, std::string_view word, double start, double end, int speaker,
               int sentence) {
  out->Object().Field("uid", "w" + std::to_string(++*uid)).Field("word", word);
  out->Field("start_time", start).Field("end_time", end);
  if (word.empty()) out->Field("is_pause", true).Field("pause_size", "small");
  out->Field("speakerId", speaker).Field("sentence_index", sentence).EndObject();
}

std::string MakeBuiltIn() {
  JsonOut out;
  out.Array();
  double at = 0.2;
  int uid = 0, turn = 0, sentence = 0;
  for (const auto& [speaker, text] : kTurns) {
    out.Object().Field("uid", "s" + std::to_string(++turn)).Field("speakerId", speaker);
    out.Key("words").Array();
    for (const std::string& line : SplitSentences(text)) {
      for (const std::string& word : SplitWords(line)) {
        const double seconds = 0.14 + 0.045 * static_cast<double>(word.size());
        WriteWord(&out, &uid, word, at, at + seconds, speaker, sentence);
        at += seconds + 0.02;
      }
      WriteWord(&out, &uid, "", at, at + 0.45, speaker, sentence);
      at += 0.45;
      ++sentence;
    }
    out.EndArray().EndObject();
  }
  return out.EndArray().Take();
}

// Adds `words` to an item that has only a text and its times.
void SpreadWords(Value* item, int number, Json* document) {
  auto& allocator = document->GetAllocator();
  const std::vector<std::string> words = SplitWords(ItemText(*item));
  const double start = FindNumber(*item, "start", 0);
  const double end = std::max(start, FindNumber(*item, "end", start));
  const double each = words.empty() ? 0 : (end - start) / static_cast<double>(words.size());
  Value list(rapidjson::kArrayType);
  double at = start;
  for (std::size_t i = 0; i < words.size(); ++i, at += each) {
    Value word(rapidjson::kObjectType);
    const std::string uid = "w" + std::to_string(number) + "-" + std::to_string(i + 1);
    word.AddMember("uid", Value(uid.c_str(), allocator), allocator);
    word.AddMember("word", Value(words[i].c_str(), allocator), allocator);
    word.AddMember("start_time", std::round(at * 1000) / 1000, allocator);
    word.AddMember("end_time", std::round((at + each) * 1000) / 1000, allocator);
    word.AddMember("speakerId", 1, allocator);
    word.AddMember("sentence_index", number, allocator);
    list.PushBack(word, allocator);
  }
  item->AddMember("words", list, allocator);
}

std::vector<Word> AllWords(const Value& transcript) {
  std::vector<Word> all;
  int group = 0;
  for (const Value& item : transcript.GetArray()) {
    const Value* words = WordsOf(item);
    if (words == nullptr) continue;
    double sentence = -1;
    ++group;
    for (const Value& word : words->GetArray()) {
      if (!word.IsObject()) continue;
      const double index = FindNumber(word, "sentence_index", sentence);
      if (index != sentence && sentence >= 0) ++group;
      sentence = index;
      const double start = FindNumber(word, "start_time", 0);
      // The transcript is this module's own copy wherever a word is written to.
      all.push_back({const_cast<Value*>(&word), group, start,
                     std::max(start, FindNumber(word, "end_time", start)),
                     FindBool(word, "is_pause", false) || FindText(word, "word").empty()});
    }
  }
  return all;
}

std::string Telling(std::string_view word) {
  std::string plain;
  for (const char c : word) {
    if (std::isalnum(static_cast<unsigned char>(c)) || (c & 0x80) != 0) {
      plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return plain.size() > 3 ? plain : "";
}

struct Sentence {
  std::vector<Word*> words;  // spoken ones
  double seconds = 0;
  double score = 0;
};

std::vector<Sentence> Score(std::vector<Word>* words) {
  std::map<std::string, int> counts;
  for (const Word& word : *words) {
    if (!word.pause) ++counts[Telling(FindText(*word.value, "word"))];
  }
  counts.erase("");
  std::map<int, Sentence> sentences;
  for (Word& word : *words) {
    if (word.pause) continue;
    Sentence& sentence = sentences[word.group];
    sentence.words.push_back(&word);
    sentence.seconds += word.end - word.start;
    const auto count = counts.find(Telling(FindText(*word.value, "word")));
    if (count != counts.end()) sentence.score += count->second;
  }
  std::vector<Sentence> list;
  for (auto& [group, sentence] : sentences) {
    sentence.score /= static_cast<double>(sentence.words.size());
    list.push_back(std::move(sentence));
  }
  std::stable_sort(list.begin(), list.end(),
                   [](const Sentence& a, const Sentence& b) { return a.score > b.score; });
  return list;
}

void WriteTexts(JsonOut* out, const std::vector<Caption>& captions) {
  out->Field("txt", ToTxt(captions)).Field("srt", ToSrt(captions)).Field("vtt", ToVtt(captions));
}

// Writes the short versions that Pictory adds to every transcription.
void WritePresets(JsonOut* out, const Value& transcript) {
  out->Key("highlights").Array();
  const double total = TranscriptSeconds(transcript);
  for (const double preset : kSummaryPresets) {
    if (preset >= total) break;
    const std::unique_ptr<Json> copy = NormalTranscript(transcript);
    Highlight(copy.get(), preset);
    const std::vector<Caption> captions = TranscriptCaptions(*copy, true);
    out->Object().Field("duration", static_cast<int>(preset)).Field("text", ToTxt(captions));
    out->Key("segments").Array();
    for (const Caption& caption : captions) {
      out->Object().Field("start", caption.start);
      out->Field("end", caption.start + caption.seconds).EndObject();
    }
    out->EndArray().EndObject();
  }
  out->EndArray();
}

}  // namespace

const Value& BuiltInTranscript() {
  static const Json* const kTranscript = [] {
    std::string error;
    return ParseJson(MakeBuiltIn(), &error).release();
  }();
  return *kTranscript;
}

std::string CheckTranscript(const Value& items) {
  if (!items.IsArray()) return "must be an array";
  if (items.Empty()) return "must not be empty";
  for (const Value& item : items.GetArray()) {
    if (!item.IsObject() || (WordsOf(item) == nullptr && ItemText(item).empty())) {
      return "every item must be an object with \"words\"";
    }
  }
  return "";
}

std::unique_ptr<Json> NormalTranscript(const Value& items) {
  auto document = std::make_unique<Json>();
  document->CopyFrom(items, document->GetAllocator());
  int number = 0;
  for (Value& item : document->GetArray()) {
    const auto misnamed = item.FindMember("word");
    if (WordsOf(item) == nullptr) {
      SpreadWords(&item, number, document.get());
    } else if (misnamed != item.MemberEnd() && misnamed->value.IsArray()) {
      misnamed->name = "words";
    }
    ++number;
  }
  return document;
}

double TranscriptSeconds(const Value& transcript) {
  double seconds = 0;
  for (const Word& word : AllWords(transcript)) seconds = std::max(seconds, word.end);
  return seconds;
}

std::vector<Caption> TranscriptCaptions(const Value& transcript, bool highlighted_only) {
  std::vector<Caption> captions;
  int group = 0;
  for (const Word& word : AllWords(transcript)) {
    if (word.pause) continue;
    if (highlighted_only && !FindBool(*word.value, "highlight", false)) continue;
    if (captions.empty() || word.group != group) captions.push_back({word.start, 0, ""});
    group = word.group;
    Caption& caption = captions.back();
    if (!caption.text.empty()) caption.text += ' ';
    caption.text += FindText(*word.value, "word");
    caption.seconds = word.end - caption.start;
  }
  return captions;
}

void Highlight(Json* transcript, double seconds) {
  std::vector<Word> words = AllWords(*transcript);
  for (Word& word : words) word.value->RemoveMember("highlight");
  const auto mark = [&](Word* word) {
    word->value->AddMember("highlight", true, transcript->GetAllocator());
  };
  constexpr double kRounding = 1e-6;
  double left = seconds + kRounding;
  const std::vector<Sentence> sentences = Score(&words);
  bool any = false;
  for (const Sentence& sentence : sentences) {
    if (sentence.seconds > left) continue;
    left -= sentence.seconds;
    any = true;
    for (Word* word : sentence.words) mark(word);
  }
  if (any || sentences.empty()) return;
  // If not even one sentence fits, the beginning of the best one is marked.
  for (Word* word : sentences.front().words) {
    left -= word->end - word->start;
    if (left < 0) return;
    mark(word);
  }
}

std::string TranscriptionData(const Value& transcript, bool is_video) {
  JsonOut out;
  out.Object().Field("transcript", transcript);
  WriteTexts(&out, TranscriptCaptions(transcript, false));
  WritePresets(&out, transcript);
  out.Key("mediaInfo").Object().Field("duration", TranscriptSeconds(transcript));
  out.Field("mediaType", is_video ? "video" : "audio");
  if (is_video) out.Field("width", 1280).Field("height", 720).Field("aspectRatio", "16:9");
  return out.EndObject().EndObject().Take();
}

std::string HighlightsData(const Value& highlighted) {
  JsonOut out;
  out.Object().Field("transcript", highlighted);
  WriteTexts(&out, TranscriptCaptions(highlighted, true));
  return out.EndObject().Take();
}

}  // namespace gateway::sandbox
