#include "sandbox/storyboard_check.h"

#include <algorithm>
#include <initializer_list>

#include "sandbox/field_checker.h"
#include "sandbox/magic.h"

namespace gateway::sandbox {
namespace {

constexpr std::size_t kNameMax = 150;
constexpr std::size_t kStoryMax = 15'000;
constexpr std::size_t kPromptMax = 5'000;
constexpr std::size_t kVisualPromptMax = 500;
constexpr std::size_t kWebhookMax = 500;

constexpr const char* kTopFields[] = {"videoName",       "videoDescription",
                                      "scenes",          "aspectRatio",
                                      "videoWidth",      "videoHeight",
                                      "language",        "saveProject",
                                      "webhook",         "webhookInput",
                                      "templateId",      "variables",
                                      "brandId",         "brandName",
                                      "subtitleStyleId", "subtitleStyleName",
                                      "smartLayoutId",   "smartLayoutName",
                                      "subtitleStyle",   "voiceOver",
                                      "backgroundMusic", "logo",
                                      "avatar",          "destinations",
                                      "awsConnectionId", "vimeoConnectionId",
                                      "visualLibraryId", "visualSelectionPreference",
                                      "projectMetadata", "storyboardVersion"};

constexpr const char* kSceneFields[] = {
    "story", "storyCoPilot", "blogUrl", "pptUrl", "audioUrl", "videoUrl", "audioLanguage",
    "transcript", "mediaRepurposeSettings", "isSSMLStory", "caption", "captionLanguage",
    "createSceneOnNewLine", "createSceneOnEndOfSentence", "maxSubtitleLines", "highlightKeywords",
    "hideSubtitles", "minimumDuration", "endPauseDuration", "sceneTransition", "subtitleStyle",
    "subtitleStyleId", "subtitleStyleName", "voiceOver", "backgroundMusic", "avatar", "elements",
    "background", "backgroundBrolls", "backgroundCorpus",
    // Of a template's scenes.
    "sceneId", "subtitles", "backgroundVisual"};

constexpr const char* kSources[] = {"story",  "storyCoPilot", "blogUrl",
                                    "pptUrl", "audioUrl",     "videoUrl"};

constexpr std::string_view kVisualTypes[] = {"video", "image"};
constexpr std::string_view kAspects[] = {"1:1", "16:9", "9:16", "4:5"};
constexpr std::string_view kLanguages[] = {"zh", "nl", "en", "fr", "de", "hi", "it",
                                           "ja", "ko", "mr", "pt", "ru", "es", "ta",
                                           "ar", "id", "pl", "tr", "ur", "vi"};
constexpr std::string_view kTransitions[] = {"none",       "wipeup",     "wipedown",    "wipeleft",
                                             "wiperight",  "smoothleft", "smoothright", "radial",
                                             "circlecrop", "hblur",      "fade"};
constexpr std::string_view kPreferences[] = {"prefer-stock", "prefer-user-library", "stock-only",
                                             "user-library-only"};

void CheckSpeaker(FieldChecker one) {
  const Value* speaker = one.Get("speaker");
  if (speaker == nullptr) {
    one.Wrong("speaker", "is required");
  } else if (!speaker->IsString() && !speaker->IsInt()) {
    one.Wrong("speaker", "must be a string");
  }
  one.Number("speed", 50, 200);
  one.Number("amplificationLevel", -1, 1);
}

void CheckVoice(FieldChecker voice) {
  voice.Bool("enabled");
  voice.Exclusive("aiVoices", "externalVoice");
  if (voice.IsArray("aiVoices", 1, 100)) {
    int i = 0;
    for (const Value& item : voice.Get("aiVoices")->GetArray()) {
      CheckSpeaker(voice.Item(item, "aiVoices", i++));
    }
  }
  if (voice.IsObject("externalVoice")) {
    FieldChecker external = voice.Inside("externalVoice");
    if (!external.Has("voiceUrl")) external.Wrong("voiceUrl", "is required");
    external.Url("voiceUrl");
    external.Number("amplificationLevel", -1, 1);
  }
}

void CheckMusic(FieldChecker music) {
  music.Bool("enabled");
  music.Exclusive("autoMusic", "musicUrl");
  music.Url("musicUrl");
  music.Number("volume", 0, 1);
  music.IsArray("clips", 0, 10);
}

void CheckVisual(FieldChecker visual) {
  visual.String("prompt", kVisualPromptMax);
  visual.Exclusive("firstFrameImageUrl", "referenceImageUrls");
  visual.IsArray("referenceImageUrls", 1, 2);
}

void CheckBackground(FieldChecker background) {
  const int choices =
      background.Has("visualUrl") + background.Has("color") + background.Has("aiVisual");
  if (choices > 1) {
    background.Wrong("visualUrl", "\"color\" and \"aiVisual\" must not be used together");
  }
  background.Url("visualUrl");
  background.OneOf("type", kVisualTypes);
  if (background.IsObject("aiVisual")) {
    if (!background.Has("type")) background.Wrong("type", "is required with \"aiVisual\"");
    CheckVisual(background.Inside("aiVisual"));
  }
  if (background.IsObject("searchFilter")) {
    background.Inside("searchFilter").IsArray("keywords", 1, 10);
  }
  if (background.IsObject("colorOverlay")) {
    background.Inside("colorOverlay").Number("opacity", 0, 1);
  }
  if (background.IsObject("settings")) {
    FieldChecker settings = background.Inside("settings");
    if (settings.Has("zoomAndPan")) settings.Exclusive("kenBurnsEffect", "zoomAndPan");
  }
  if (background.Has("clips") && !background.Has("visualUrl")) {
    background.Wrong("clips", "needs \"visualUrl\"");
  }
}

void CheckSource(FieldChecker scene, bool of_template) {
  const auto sources = std::count_if(std::begin(kSources), std::end(kSources),
                                     [&](const char* key) { return scene.Has(key); });
  if (sources > 1) {
    scene.Wrong("story", "storyCoPilot, blogUrl, pptUrl, audioUrl and videoUrl exclude each other");
  } else if (sources == 0 && !scene.Has("background") && !of_template) {
    scene.Wrong("story", "is required: a scene needs a content source or a background");
  }
  scene.String("story", kStoryMax);
  for (const char* key : {"blogUrl", "pptUrl", "audioUrl", "videoUrl"}) scene.Url(key);
  if ((scene.Has("audioUrl") || scene.Has("videoUrl")) && !scene.Has("audioLanguage")) {
    scene.Wrong("audioLanguage", "is required with audioUrl and videoUrl");
  }
  if (scene.IsObject("storyCoPilot")) {
    FieldChecker pilot = scene.Inside("storyCoPilot");
    if (!pilot.Has("prompt")) pilot.Wrong("prompt", "is required");
    pilot.String("prompt", kPromptMax);
    pilot.Number("duration", 1, 600);
  }
}

void CheckScene(FieldChecker scene, bool smart_layout, bool of_template) {
  CheckSource(scene, of_template);
  for (const char* key : {"isSSMLStory", "createSceneOnNewLine", "createSceneOnEndOfSentence",
                          "highlightKeywords", "hideSubtitles"}) {
    scene.Bool(key);
  }
  const auto splits = [&](const char* key) { return ToBool(scene.Get(key)).value_or(false); };
  if (scene.Has("caption")) {
    if (!scene.Has("story")) scene.Wrong("caption", "needs \"story\"");
    if (splits("createSceneOnNewLine") || splits("createSceneOnEndOfSentence")) {
      scene.Wrong("caption", "must not be used with scene splitting");
    }
  }
  scene.Number("maxSubtitleLines", 1, 4);
  if (scene.Has("maxSubtitleLines") && smart_layout) {
    scene.Wrong("maxSubtitleLines", "must not be used with a smart layout");
  }
  scene.Number("minimumDuration", 0, 3600);
  scene.Number("endPauseDuration", 0, 3600);
  scene.OneOf("sceneTransition", kTransitions);
  scene.Exclusive("subtitleStyleId", "subtitleStyleName");
  scene.IsArray("elements", 1, 20);
  if (scene.IsObject("background")) CheckBackground(scene.Inside("background"));
  if (scene.IsObject("voiceOver")) CheckVoice(scene.Inside("voiceOver"));
}

// Whether a name has only letters of any script, digits, space, `_` and `-`.
bool IsVideoName(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c & 0x80) != 0 || std::isalnum(static_cast<unsigned char>(c)) || c == ' ' || c == '_' ||
           c == '-';
  });
}

void CheckName(FieldChecker top) {
  const Value* name = top.Get("videoName");
  if (name == nullptr || (name->IsString() && name->GetStringLength() == 0)) {
    top.Wrong("videoName", "is required");
    return;
  }
  top.String("videoName", kNameMax);
  if (name->IsString() && !IsVideoName(Text(*name))) {
    top.Wrong("videoName", "may hold letters, digits, spaces, _ and - only");
  }
}

void CheckSettings(FieldChecker top) {
  top.OneOf("aspectRatio", kAspects);
  if (top.Has("videoWidth") != top.Has("videoHeight")) {
    top.Wrong(top.Has("videoWidth") ? "videoHeight" : "videoWidth",
              "is required: videoWidth and videoHeight go together");
  }
  top.Number("videoWidth", 1, 16384);
  top.Number("videoHeight", 1, 16384);
  top.OneOf("language", kLanguages);
  top.OneOf("visualSelectionPreference", kPreferences);
  top.Bool("saveProject");
  top.Url("webhook");
  top.String("webhook", kWebhookMax);
  top.IsObject("webhookInput");
  top.Exclusive("brandId", "brandName");
  top.Exclusive("subtitleStyleId", "subtitleStyleName");
  top.Exclusive("smartLayoutId", "smartLayoutName");
  if (top.IsObject("voiceOver")) CheckVoice(top.Inside("voiceOver"));
  if (top.IsObject("backgroundMusic")) CheckMusic(top.Inside("backgroundMusic"));
  const Value* voice = top.Get("voiceOver");
  if (top.Has("avatar") && (voice == nullptr || !FindBool(*voice, "enabled", false))) {
    top.Wrong("avatar", "needs voiceOver.enabled to be true");
  }
}

template <std::size_t N>
Value KeepKnown(const Value& object, const char* const (&known)[N],
                Json::AllocatorType& allocator) {
  Value kept(rapidjson::kObjectType);
  for (const auto& member : object.GetObject()) {
    const bool is_known = std::any_of(std::begin(known), std::end(known),
                                      [&](const char* key) { return Text(member.name) == key; });
    if (!is_known) continue;
    kept.AddMember(Value(member.name, allocator), Value(member.value, allocator), allocator);
  }
  return kept;
}

}  // namespace

std::vector<FieldError> CheckStoryboard(const Value& body) {
  std::vector<FieldError> errors;
  if (!body.IsObject()) {
    errors.push_back({"", "the body must be a JSON object"});
    return errors;
  }
  FieldChecker top(body, "", &errors);
  CheckName(top);
  CheckSettings(top);
  const bool smart_layout = top.Has("smartLayoutId") || top.Has("smartLayoutName");
  if (!top.Has("scenes")) {
    if (!top.Has("templateId")) top.Wrong("scenes", "is required");
  } else if (top.IsArray("scenes", 1, 1000)) {
    int i = 0;
    for (const Value& scene : top.Get("scenes")->GetArray()) {
      if (scene.IsObject()) {
        CheckScene(top.Item(scene, "scenes", i), smart_layout, top.Has("templateId"));
      } else {
        top.Wrong("scenes[" + std::to_string(i) + "]", "must be an object");
      }
      ++i;
    }
  }
  return errors;
}

std::unique_ptr<Json> ResolveStoryboard(const Value& body) {
  auto resolved = std::make_unique<Json>();
  auto& allocator = resolved->GetAllocator();
  static_cast<Value&>(*resolved) = KeepKnown(body, kTopFields, allocator);
  const auto scenes = resolved->FindMember("scenes");
  if (scenes != resolved->MemberEnd() && scenes->value.IsArray()) {
    for (Value& scene : scenes->value.GetArray()) {
      if (scene.IsObject()) scene = KeepKnown(scene, kSceneFields, allocator);
    }
  }
  return resolved;
}

}  // namespace gateway::sandbox
