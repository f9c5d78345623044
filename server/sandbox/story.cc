#include "sandbox/story.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "sandbox/studio.h"

namespace gateway::sandbox {
namespace {

constexpr double kWordsPerSecond = 2.5;
constexpr double kSceneMinSeconds = 2;
constexpr double kSilentSceneSeconds = 5;
constexpr std::size_t kCaptionMaxBytes = 90;

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::string Trim(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return std::string(text);
}

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text) {
    if (!IsSpace(c)) {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

// Cuts the text into pieces that fit on the screen, and never breaks a word.
std::vector<std::string> CaptionTexts(std::string_view text) {
  std::vector<std::string> pieces;
  for (const std::string& sentence : SplitSentences(text)) {
    std::string piece;
    for (const std::string& word : Words(sentence)) {
      if (!piece.empty() && piece.size() + 1 + word.size() > kCaptionMaxBytes) {
        pieces.push_back(std::move(piece));
        piece.clear();
      }
      if (!piece.empty()) piece += ' ';
      piece += word;
    }
    if (!piece.empty()) pieces.push_back(std::move(piece));
  }
  return pieces;
}

// Shares the scene's time out among its captions, by length of text.
void AddCaptions(Scene* scene, double speaking) {
  const std::vector<std::string> texts = CaptionTexts(scene->text);
  std::size_t total = 0;
  for (const std::string& text : texts) total += text.size();
  double at = scene->start;
  for (const std::string& text : texts) {
    const double seconds = speaking * static_cast<double>(text.size()) / static_cast<double>(total);
    scene->captions.push_back({at, seconds, text});
    at += seconds;
  }
}

// What the AI makes for a background or an element.
double CreditsOfVisual(const Value& place) {
  const Value* const visual = Find(place, "aiVisual");
  if (visual == nullptr || !visual->IsObject()) return 0;
  return CreditsOf(*visual, FindText(place, "type") == "video");
}

double Credits(const Value& scene) {
  double credits = 0;
  if (const Value* background = Find(scene, "background")) credits += CreditsOfVisual(*background);
  const Value* const elements = Find(scene, "elements");
  if (elements == nullptr || !elements->IsArray()) return credits;
  for (const Value& element : elements->GetArray()) credits += CreditsOfVisual(element);
  return credits;
}

std::string Stamp(double seconds, char separator) {
  const auto millis = static_cast<long long>(std::llround(seconds * 1000));
  char text[48];
  std::snprintf(text, sizeof text, "%02lld:%02lld:%02lld%c%03lld", millis / 3'600'000,
                millis / 60'000 % 60, millis / 1000 % 60, separator, millis % 1000);
  return text;
}

std::string Cue(const Caption& caption, char separator) {
  return Stamp(caption.start, separator) + " --> " +
         Stamp(caption.start + caption.seconds, separator) + "\n" + caption.text + "\n\n";
}

}  // namespace

std::string PlainText(std::string_view marked_up) {
  static constexpr std::pair<std::string_view, char> kEntities[] = {
      {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
  std::string plain;
  for (std::size_t i = 0; i < marked_up.size(); ++i) {
    const char c = marked_up[i];
    if (c == '<') {
      const std::size_t end = marked_up.find('>', i);
      const char next = i + 1 < marked_up.size() ? marked_up[i + 1] : ' ';
      const bool tag = next == '/' || std::isalpha(static_cast<unsigned char>(next)) != 0;
      if (tag && end != std::string_view::npos) {
        i = end;
        continue;
      }
    } else if (c == '&') {
      const auto* entity = std::find_if(
          std::begin(kEntities), std::end(kEntities),
          [&](const auto& e) { return marked_up.substr(i, e.first.size()) == e.first; });
      if (entity != std::end(kEntities)) {
        plain += entity->second;
        i += entity->first.size() - 1;
        continue;
      }
    }
    plain += c;
  }
  return plain;
}

std::vector<std::string> SplitSentences(std::string_view text) {
  std::vector<std::string> sentences;
  std::size_t begin = 0;
  const auto take = [&](std::size_t end) {
    std::string sentence = Trim(text.substr(begin, end - begin));
    if (!sentence.empty()) sentences.push_back(std::move(sentence));
    begin = end;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    // The CJK full stop, for the languages that have it.
    if (text.substr(i, 3) == "\u3002") {
      take(i + 3);
    } else if ((text[i] == '.' || text[i] == '!' || text[i] == '?') &&
               (i + 1 == text.size() || IsSpace(text[i + 1]))) {
      take(i + 1);
    }
  }
  take(text.size());
  return sentences;
}

std::vector<std::string> SplitStory(std::string_view story, bool on_new_line, bool on_sentence) {
  std::vector<std::string> lines;
  if (on_new_line) {
    while (!story.empty()) {
      const std::size_t end = std::min(story.find('\n'), story.size());
      lines.push_back(Trim(story.substr(0, end)));
      story.remove_prefix(std::min(end + 1, story.size()));
    }
  } else {
    lines.push_back(Trim(story));
  }
  std::vector<std::string> pieces;
  for (std::string& line : lines) {
    if (line.empty()) continue;
    if (!on_sentence) {
      pieces.push_back(std::move(line));
      continue;
    }
    for (std::string& sentence : SplitSentences(line)) pieces.push_back(std::move(sentence));
  }
  return pieces;
}

double SpeakingSeconds(std::string_view text) {
  return std::max(kSceneMinSeconds, static_cast<double>(Words(text).size()) / kWordsPerSecond);
}

std::string StandInText(const Value& scene) {
  const Value* const subtitles = Find(scene, "subtitles");
  if (subtitles != nullptr && subtitles->IsArray()) {
    std::string said;  // by a scene of a template
    for (const Value& subtitle : subtitles->GetArray()) {
      said += (said.empty() ? "" : " ") + PlainText(FindText(subtitle, "text"));
    }
    return said;
  }
  if (const Value* pilot = Find(scene, "storyCoPilot")) {
    return "Here is a short story about this: " + std::string(FindText(*pilot, "prompt")) +
           ". Pictory would write it at length. The sandbox only says so.";
  }
  for (const char* key :
       {"blogUrl", "articleUrl", "article_url", "pptUrl", "audioUrl", "videoUrl"}) {
    const std::string_view url = FindText(scene, key);
    if (!url.empty()) {
      return "This scene tells what is found at " + std::string(url) +
             ". The sandbox fetches nothing.";
    }
  }
  return "";
}

void SetSize(const Value& body, Film* film) {
  const double width = FindNumber(body, "videoWidth", 0);
  const double height = FindNumber(body, "videoHeight", 0);
  const std::string_view aspect = FindText(body, "aspectRatio");
  if (width >= 1 && height >= 1 && width <= 16384 && height <= 16384) {
    film->width = static_cast<int>(width);
    film->height = static_cast<int>(height);
  } else if (aspect == "1:1") {
    film->width = film->height = 1080;
  } else if (aspect == "9:16") {
    film->width = 1080, film->height = 1920;
  } else if (aspect == "4:5") {
    film->width = 1080, film->height = 1350;
  }
}

void AddScene(Film* film, std::string text, double minimum, double pause) {
  Scene scene;
  scene.start = film->seconds;
  scene.text = std::move(text);
  const double speaking = scene.text.empty() ? kSilentSceneSeconds : SpeakingSeconds(scene.text);
  const double shown = std::max(speaking, minimum);
  scene.seconds = std::clamp(shown + std::max(0.0, pause), kSceneMinSeconds, kSceneMaxSeconds);
  AddCaptions(&scene, speaking);
  film->seconds += scene.seconds;
  film->scenes.push_back(std::move(scene));
}

void AddTimedScene(Film* film, double start, double seconds, std::string text) {
  Scene scene;
  scene.start = start;
  scene.seconds = seconds;
  scene.text = std::move(text);
  AddCaptions(&scene, std::min(seconds, SpeakingSeconds(scene.text)));
  film->seconds = std::max(film->seconds, start + seconds);
  film->scenes.push_back(std::move(scene));
}

std::size_t TextBytes(const Value& body) {
  const Value* const scenes = Find(body, "scenes");
  if (scenes == nullptr || !scenes->IsArray()) return 0;
  std::size_t bytes = 0;
  for (const Value& scene : scenes->GetArray()) {
    for (const char* key : {"story", "text", "caption"}) bytes += FindText(scene, key).size();
  }
  return bytes;
}

Film FilmFromStoryboard(const Value& body) {
  Film film;
  film.name = std::string(FindText(body, "videoName"));
  SetSize(body, &film);
  if (const Value* voice = Find(body, "voiceOver")) {
    film.has_voice = FindBool(*voice, "enabled", false);
  }
  if (const Value* music = Find(body, "backgroundMusic")) {
    film.has_music = FindBool(*music, "enabled", false);
    film.music_volume = FindNumber(*music, "volume", 1);
  }
  const Value* scenes = Find(body, "scenes");
  if (scenes == nullptr || !scenes->IsArray()) {
    AddScene(&film, "A video made from a template.", 0, 0);
    return film;
  }
  for (const Value& scene : scenes->GetArray()) {
    if (film.scenes.size() > kFilmScenesMax) break;  // it is refused
    const double minimum = FindNumber(scene, "minimumDuration", 0);
    const double pause = FindNumber(scene, "endPauseDuration", 0);
    film.ai_credits += Credits(scene);
    std::string story = PlainText(FindText(scene, "story"));
    if (story.empty()) story = StandInText(scene);
    std::vector<std::string> pieces =
        SplitStory(story, FindBool(scene, "createSceneOnNewLine", false),
                   FindBool(scene, "createSceneOnEndOfSentence", false));
    if (pieces.empty()) pieces.emplace_back();
    for (std::string& piece : pieces) AddScene(&film, std::move(piece), minimum, pause);
  }
  return film;
}

Film FilmFromRenderParams(const Value& params) {
  Film film;
  if (const Value* output = Find(params, "output")) {
    film.name = std::string(FindText(*output, "name"));
    film.width = static_cast<int>(std::clamp(FindNumber(*output, "width", 1920), 1.0, 16384.0));
    film.height = static_cast<int>(std::clamp(FindNumber(*output, "height", 1080), 1.0, 16384.0));
  }
  film.ai_credits = std::clamp(FindNumber(params, "aiCredits", 0), 0.0, 1e6);
  const Value* elements = Find(params, "elements");
  if (elements == nullptr || !elements->IsArray()) return film;
  for (const Value& element : elements->GetArray()) {
    const double start = std::clamp(FindNumber(element, "startTime", 0), 0.0, kSceneMaxSeconds);
    const double seconds = std::clamp(FindNumber(element, "duration", 0), 0.0, kSceneMaxSeconds);
    film.seconds = std::max(film.seconds, start + seconds);
    film.has_voice |= FindText(element, "id") == "voiceOver";
    film.has_music |= FindText(element, "id") == "bgMusic";
    if (FindText(element, "type") != "text") continue;
    AddTimedScene(&film, start, seconds, PlainText(FindText(element, "text")));
  }
  return film;
}

std::vector<Caption> Captions(const Film& film) {
  std::vector<Caption> captions;
  for (const Scene& scene : film.scenes) {
    captions.insert(captions.end(), scene.captions.begin(), scene.captions.end());
  }
  return captions;
}

std::string ToSrt(const std::vector<Caption>& captions) {
  std::string text;
  int number = 0;
  for (const Caption& caption : captions) {
    text += std::to_string(++number) + "\n" + Cue(caption, ',');
  }
  return text;
}

std::string ToVtt(const std::vector<Caption>& captions) {
  std::string text = "WEBVTT\n\n";
  for (const Caption& caption : captions) text += Cue(caption, '.');
  return text;
}

std::string ToTxt(const std::vector<Caption>& captions) {
  std::string text;
  for (const Caption& caption : captions) text += caption.text + "\n";
  return text;
}

}  // namespace gateway::sandbox
