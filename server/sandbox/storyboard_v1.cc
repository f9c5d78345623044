#include "sandbox/storyboard_v1.h"

#include <algorithm>

namespace gateway::sandbox {
namespace {

constexpr std::size_t kTextMax = 100'000;  // no limit is documented
constexpr std::size_t kScenesMax = 1000;
constexpr double kMusicVolume = 0.1;  // unless told
constexpr const char* kSourcesV1[] = {"text", "articleUrl", "article_url", "backgroundUri",
                                      "pptUrl"};
constexpr std::string_view kVisualTypesV1[] = {"image", "video"};

void CheckVoiceV1(FieldChecker voice) {
  const Value* speaker = voice.Get("speaker");
  if (speaker == nullptr) {
    voice.Wrong("speaker", "is required");
  } else if (!speaker->IsString() && !speaker->IsInt()) {
    voice.Wrong("speaker", "must be a string");
  }
  if (!voice.Has("speed")) voice.Wrong("speed", "is required");
  voice.Number("speed", 50, 200);
  voice.Number("amplifyLevel", -1, 1);
}

void CheckAudio(FieldChecker audio) {
  audio.Bool("autoBackgroundMusic");
  audio.Url("backGroundMusicUri");
  audio.Number("backGroundMusicVolume", 0, 1);
  audio.Url("voiceOverUri");
  audio.Bool("autoSyncVoiceOver");
  if (audio.IsObject("aiVoiceOver")) CheckVoiceV1(audio.Inside("aiVoiceOver"));
}

void CheckSegments(FieldChecker scene) {
  if (!scene.IsArray("backgroundVideoSegments", 0, 100'000)) return;
  int i = 0;
  for (const Value& item : scene.Get("backgroundVideoSegments")->GetArray()) {
    FieldChecker segment = scene.Item(item, "backgroundVideoSegments", i++);
    segment.Number("start", 0, kSceneMaxSeconds);
    segment.Number("end", 0, kSceneMaxSeconds);
    if (!segment.Has("start") || !segment.Has("end")) segment.Wrong("end", "is required");
  }
}

void CheckSceneV1(FieldChecker scene) {
  const bool any = std::any_of(std::begin(kSourcesV1), std::end(kSourcesV1),
                               [&](const char* key) { return scene.Has(key); });
  if (!any) {
    scene.Wrong("text", "is required: a scene needs text, articleUrl, backgroundUri or pptUrl");
  }
  scene.String("text", kTextMax);
  scene.String("caption", kTextMax);
  for (const char* key : {"articleUrl", "article_url", "backgroundUri", "pptUrl", "voiceOverUri"}) {
    scene.Url(key);
  }
  scene.OneOf("backgroundType", kVisualTypesV1);
  scene.Number("minimumDuration", 0, kSceneMaxSeconds);
  scene.Number("minDuration", 0, kSceneMaxSeconds);
  for (const char* key : {"loopBackgroundVideo", "muteBackgroundVideo", "voiceOver", "subtitles",
                          "subtitle", "splitTextOnNewLine", "splitTextOnPeriod"}) {
    scene.Bool(key);
  }
  CheckSegments(scene);
}

double SegmentSeconds(const Value& scene) {
  const Value* segments = Find(scene, "backgroundVideoSegments");
  if (segments == nullptr) return 0;
  double seconds = 0;
  for (const Value& segment : segments->GetArray()) {
    const double end = FindNumber(segment, "end", 0);
    seconds += std::max(0.0, end - FindNumber(segment, "start", 0));
  }
  return seconds;
}

void AddScenes(const Value& body, const Value& scene, Film* film) {
  // The scene's own member counts; some documents have these at the top instead.
  const auto splits = [&](const char* key) {
    return FindBool(scene, key, FindBool(body, key, false));
  };
  const double minimum = FindNumber(scene, "minimumDuration", FindNumber(scene, "minDuration", 0));
  std::string text = PlainText(FindText(scene, "text"));
  if (text.empty()) text = StandInText(scene);
  std::vector<std::string> pieces =
      SplitStory(text, splits("splitTextOnNewLine"), splits("splitTextOnPeriod"));
  if (pieces.empty()) pieces.emplace_back();
  for (std::string& piece : pieces) {
    AddScene(film, std::move(piece), std::max(minimum, SegmentSeconds(scene)), 0);
    film->scenes.back().background = FindText(scene, "backgroundUri");
    film->scenes.back().background_is_image = FindText(scene, "backgroundType") == "image";
  }
}

}  // namespace

std::vector<FieldError> CheckStoryboardV1(const Value& body) {
  std::vector<FieldError> errors;
  FieldChecker top(body, "", &errors);
  const Value* name = top.Get("videoName");
  if (name == nullptr || (name->IsString() && name->GetStringLength() == 0)) {
    top.Wrong("videoName", "is required");
  }
  top.String("videoName", kTextMax);
  top.String("videoDescription", kTextMax);
  top.String("language", kTextMax);
  top.Url("webhook");
  top.Number("videoWidth", 1, 16384);
  top.Number("videoHeight", 1, 16384);
  for (const char* key : {"autoHighlightKeywords", "splitTextOnNewLine", "splitTextOnPeriod"}) {
    top.Bool(key);
  }
  if (top.IsObject("audio")) CheckAudio(top.Inside("audio"));
  if (top.IsObject("brandLogo")) top.Inside("brandLogo").Url("url");
  top.IsObject("textStyles");
  if (!top.Has("scenes")) top.Wrong("scenes", "is required");
  if (!top.IsArray("scenes", 1, kScenesMax)) return errors;
  int i = 0;
  for (const Value& scene : top.Get("scenes")->GetArray()) {
    if (scene.IsObject()) {
      CheckSceneV1(top.Item(scene, "scenes", i));
    } else {
      top.Wrong("scenes[" + std::to_string(i) + "]", "must be an object");
    }
    ++i;
  }
  return errors;
}

Film FilmFromStoryboardV1(const Value& body) {
  Film film;
  film.name = FindText(body, "videoName");
  SetSize(body, &film);
  film.music_volume = kMusicVolume;
  if (const Value* audio = Find(body, "audio")) {
    film.has_music = FindBool(*audio, "autoBackgroundMusic", false) ||
                     Find(*audio, "backGroundMusicUri") != nullptr;
    film.music_volume = FindNumber(*audio, "backGroundMusicVolume", kMusicVolume);
    film.has_voice =
        Find(*audio, "aiVoiceOver") != nullptr || Find(*audio, "voiceOverUri") != nullptr;
  }
  for (const Value& scene : Find(body, "scenes")->GetArray()) {
    if (film.scenes.size() > kFilmScenesMax) break;  // it is refused
    AddScenes(body, scene, &film);
  }
  return film;
}

}  // namespace gateway::sandbox
