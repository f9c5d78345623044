#include "pictory/storyboard_check.h"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;

// Pictory's own bounds, as far as the .proto does not say them.
constexpr int kCoPilotDurationMaxSeconds = 600;
constexpr int kElementsMax = 20;
constexpr int kMusicClipsMax = 10;
constexpr int kKeywordsMax = 10;
constexpr int kAnimationsMax = 2;
constexpr int kReferenceImagesMax = 2;
constexpr int kSubtitleLinesMax = 4;

struct Choice {
  std::string_view name;
  bool set;
};

class Check {
 public:
  explicit Check(Violations& violations) : violations_(violations) {}

  void Board(const v1::Storyboard& board, const Path& path);

 private:
  void Scene(const v1::Scene& scene, const v1::Storyboard& board, const Path& path);
  void Source(const v1::Scene& scene, const v1::Storyboard& board, const Path& path);
  void Overrides(const v1::Scene& scene, const Path& path);
  void CoPilot(const v1::StoryCoPilot& pilot, const Path& path);
  void Voice(const v1::VoiceOver& voice, const Path& path);
  void Music(const v1::BackgroundMusic& music, const Path& path);
  void Style(const v1::TextStyle& style, const Path& path);
  void Visual(const v1::AiVisual& visual, const Path& path);
  void Search(const v1::SearchFilter& filter, const Path& path);
  void Background(const v1::Background& background, const Path& path);
  void Element(const v1::SceneElement& element, const Path& path);

  void Add(const Path& path, std::string_view field, std::string description) {
    violations_.Add(Under(path, field), std::move(description));
  }
  // Names of those set, joined.
  static std::string Joined(std::initializer_list<Choice> choices, bool all);
  void AtMostOne(const Path& path, std::initializer_list<Choice> choices);
  void Range(const Path& path, std::string_view field, bool set, double value, double low,
             double high);
  void AtMost(const Path& path, std::string_view field, std::size_t count, std::size_t max,
              std::string_view unit);
  template <class Placed>
  void Placement(const Placed& placed, const Path& path) {
    if (placed.has_position() && (placed.has_top() || placed.has_left())) {
      Add(path, "position", "cannot stand together with top or left");
    }
  }

  Violations& violations_;
};

std::string Check::Joined(std::initializer_list<Choice> choices, bool all) {
  std::string text;
  for (const Choice& choice : choices) {
    if (!all && !choice.set) continue;
    if (!text.empty()) text += ", ";
    text += choice.name;
  }
  return text;
}

void Check::AtMostOne(const Path& path, std::initializer_list<Choice> choices) {
  const auto set =
      std::count_if(choices.begin(), choices.end(), [](const Choice& c) { return c.set; });
  if (set <= 1) return;
  violations_.Add(path, absl::StrCat("takes at most one of ", Joined(choices, true), "; set are ",
                                     Joined(choices, false)));
}

void Check::Range(const Path& path, std::string_view field, bool set, double value, double low,
                  double high) {
  // NaN is reported elsewhere, and compares as in range here.
  if (set && (value < low || value > high)) {
    Add(path, field, absl::StrCat("must be from ", low, " to ", high));
  }
}

void Check::AtMost(const Path& path, std::string_view field, std::size_t count, std::size_t max,
                   std::string_view unit) {
  if (count > max) {
    Add(path, field,
        absl::StrCat("has ", count, " ", std::string(unit), "; Pictory takes at most ", max));
  }
}

bool IsVideoNameCharacter(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ' ||
         c == '_' || c == '-' || byte >= 0x80;  // letters of other scripts are letters
}

void Check::Board(const v1::Storyboard& board, const Path& path) {
  const std::string& name = board.video_name();
  if (name.empty()) {
    Add(path, "video_name", "is required");
  } else if (!std::all_of(name.begin(), name.end(), IsVideoNameCharacter)) {
    Add(path, "video_name", "may hold letters, digits, space, _ and - only");
  }
  if (board.scenes().empty() && board.template_id().empty()) {
    Add(path, "scenes", "is required, unless template_id is given");
  }
  if (board.has_video_width() != board.has_video_height()) {
    Add(path, board.has_video_width() ? "video_height" : "video_width",
        "is required: width and height go together");
  }
  if (board.has_video_width() && board.video_width() < 1)
    Add(path, "video_width", "must be positive");
  if (board.has_video_height() && board.video_height() < 1) {
    Add(path, "video_height", "must be positive");
  }
  if (board.has_subtitle_style()) Style(board.subtitle_style(), Under(path, "subtitle_style"));
  if (board.has_voice_over()) Voice(board.voice_over(), Under(path, "voice_over"));
  if (board.has_background_music()) {
    Music(board.background_music(), Under(path, "background_music"));
  }
  if (board.has_avatar()) {
    if (!board.voice_over().enabled()) Add(path, "avatar", "needs voice_over.enabled to be true");
    Placement(board.avatar(), Under(path, "avatar"));
  }
  for (int i = 0; i < board.scenes_size() && !violations_.full(); ++i) {
    Scene(board.scenes(i), board, Item(Under(path, "scenes"), i));
  }
}

void Check::Scene(const v1::Scene& scene, const v1::Storyboard& board, const Path& path) {
  Source(scene, board, path);
  if (scene.has_story_co_pilot()) CoPilot(scene.story_co_pilot(), Under(path, "story_co_pilot"));
  const bool splits = scene.create_scene_on_new_line() || scene.create_scene_on_end_of_sentence();
  if (scene.has_caption() && !scene.has_story()) Add(path, "caption", "needs story");
  if (scene.has_caption() && splits) {
    Add(path, "caption",
        "cannot stand together with create_scene_on_new_line or create_scene_on_end_of_sentence");
  }
  Range(path, "max_subtitle_lines", scene.has_max_subtitle_lines(), scene.max_subtitle_lines(), 1,
        kSubtitleLinesMax);
  if (scene.has_max_subtitle_lines() &&
      (board.has_smart_layout_id() || board.has_smart_layout_name())) {
    Add(path, "max_subtitle_lines", "cannot stand together with a smart layout");
  }
  Overrides(scene, path);
  if (scene.has_background()) Background(scene.background(), Under(path, "background"));
  AtMost(path, "elements", static_cast<std::size_t>(scene.elements_size()), kElementsMax,
         "elements");
  for (int i = 0; i < scene.elements_size() && !violations_.full(); ++i) {
    Element(scene.elements(i), Item(Under(path, "elements"), i));
  }
}

void Check::Source(const v1::Scene& scene, const v1::Storyboard& board, const Path& path) {
  const std::initializer_list<Choice> sources = {
      {"story", scene.has_story()},         {"story_co_pilot", scene.has_story_co_pilot()},
      {"blog_url", scene.has_blog_url()},   {"ppt_url", scene.has_ppt_url()},
      {"audio_url", scene.has_audio_url()}, {"video_url", scene.has_video_url()}};
  AtMostOne(path, sources);
  const bool any =
      std::any_of(sources.begin(), sources.end(), [](const Choice& c) { return c.set; });
  // A template brings content of its own, and extra_json may hold a source newer than this program.
  if (!any && !scene.has_background() && !board.has_template_id() && !scene.has_extra_json()) {
    violations_.Add(path,
                    absl::StrCat("needs one of ", Joined(sources, true), ", or a background"));
  }
  if (!board.has_template_id()) {
    for (const Choice& choice :
         {Choice{"scene_id", scene.has_scene_id()}, Choice{"subtitles", scene.has_subtitles()},
          Choice{"background_visual", scene.has_background_visual()}}) {
      if (choice.set) Add(path, choice.name, "is of a template's scenes: give its template_id too");
    }
  }
  if ((scene.has_audio_url() || scene.has_video_url()) && scene.audio_language().empty()) {
    Add(path, "audio_language", "is required with audio_url or video_url, such as en-US");
  }
}

// Checks what a scene says about things that belong to the whole storyboard.
void Check::Overrides(const v1::Scene& scene, const Path& path) {
  if (scene.has_subtitle_style()) Style(scene.subtitle_style(), Under(path, "subtitle_style"));
  if (scene.has_voice_over()) Voice(scene.voice_over(), Under(path, "voice_over"));
  if (scene.has_background_music()) {
    const v1::BackgroundMusic& music = scene.background_music();
    if (music.has_auto_music() || music.has_music_url() || music.has_volume() ||
        music.clips_size() > 0) {
      Add(path, "background_music",
          "takes only enabled in a scene; Pictory ignores the rest, which belongs to the "
          "storyboard");
    }
  }
  if (scene.has_avatar()) {
    if (scene.avatar().has_avatar_id()) {
      Add(path, "avatar.avatar_id", "belongs to the storyboard; a scene only places the avatar");
    }
    Placement(scene.avatar(), Under(path, "avatar"));
  }
}

void Check::CoPilot(const v1::StoryCoPilot& pilot, const Path& path) {
  Range(path, "duration", pilot.has_duration(), pilot.duration(), 1, kCoPilotDurationMaxSeconds);
}

void Check::Voice(const v1::VoiceOver& voice, const Path& path) {
  for (int i = 0; i < voice.ai_voices_size() && !violations_.full(); ++i) {
    const v1::AiVoice& ai = voice.ai_voices(i);
    const Path here = Item(Under(path, "ai_voices"), i);
    Range(here, "speed", ai.has_speed(), ai.speed(), 50, 200);
    Range(here, "amplification_level", ai.has_amplification_level(), ai.amplification_level(), -1,
          1);
  }
  const v1::ExternalVoice& external = voice.external_voice();
  Range(Under(path, "external_voice"), "amplification_level", external.has_amplification_level(),
        external.amplification_level(), -1, 1);
}

void Check::Music(const v1::BackgroundMusic& music, const Path& path) {
  AtMostOne(path, {{"auto_music", music.auto_music()}, {"music_url", music.has_music_url()}});
  Range(path, "volume", music.has_volume(), music.volume(), 0, 1);
  AtMost(path, "clips", static_cast<std::size_t>(music.clips_size()), kMusicClipsMax, "clips");
}

void Check::Style(const v1::TextStyle& style, const Path& path) {
  if (style.has_font_size() && style.font_size() < 1) Add(path, "font_size", "must be at least 1");
  AtMost(path, "animations", static_cast<std::size_t>(style.animations_size()), kAnimationsMax,
         "animations");
  for (int i = 0; i < style.animations_size() && i < kAnimationsMax; ++i) {
    const v1::TextAnimation& animation = style.animations(i);
    if (animation.has_custom_speed_value() && animation.custom_speed_value() < 0.5) {
      Add(Item(Under(path, "animations"), i), "custom_speed_value", "must be at least 0.5");
    }
  }
}

void Check::Visual(const v1::AiVisual& visual, const Path& path) {
  AtMost(path, "reference_image_urls", static_cast<std::size_t>(visual.reference_image_urls_size()),
         kReferenceImagesMax, "images");
}

void Check::Search(const v1::SearchFilter& filter, const Path& path) {
  AtMost(path, "keywords", static_cast<std::size_t>(filter.keywords_size()), kKeywordsMax,
         "keywords");
}

void Check::Background(const v1::Background& background, const Path& path) {
  if (background.has_ai_visual()) {
    if (background.type().empty()) Add(path, "type", "is required with ai_visual: video or image");
    Visual(background.ai_visual(), Under(path, "ai_visual"));
  }
  if (background.has_search_filter()) {
    Search(background.search_filter(), Under(path, "search_filter"));
  }
  if (background.clips_size() > 0 &&
      (!background.has_visual_url() || background.type() != "video")) {
    Add(path, "clips", "need visual_url and type \"video\"");
  }
  const v1::ColorOverlay& overlay = background.color_overlay();
  Range(Under(path, "color_overlay"), "opacity", overlay.has_opacity(), overlay.opacity(), 0, 1);
  if (background.settings().zoom_and_pan() && background.settings().ken_burns_effect()) {
    Add(path, "settings.ken_burns_effect", "cannot stand together with zoom_and_pan");
  }
}

void Check::Element(const v1::SceneElement& element, const Path& path) {
  Placement(element, path);
  if (element.has_search_filter()) Search(element.search_filter(), Under(path, "search_filter"));
  if (element.has_ai_visual()) Visual(element.ai_visual(), Under(path, "ai_visual"));
}

}  // namespace

void CheckStoryboard(const v1::Storyboard& storyboard, const Path& path, Violations& violations) {
  Check(violations).Board(storyboard, path);
}

}  // namespace gateway::pictory
