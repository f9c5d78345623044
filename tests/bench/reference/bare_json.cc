#include "reference/bare_json.h"

#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace bench {
namespace {

namespace v1 = pictory::jobs::v1;
using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

template <std::size_t N>
void Key(Writer& out, const char (&key)[N]) {
  out.Key(key, N - 1);
}

template <std::size_t N>
void Text(Writer& out, const char (&key)[N], bool has, const std::string& value) {
  if (!has) return;
  Key(out, key);
  out.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}

template <std::size_t N>
void Flag(Writer& out, const char (&key)[N], bool has, bool value) {
  if (!has) return;
  Key(out, key);
  out.Bool(value);
}

template <std::size_t N>
void Real(Writer& out, const char (&key)[N], bool has, double value) {
  if (!has) return;
  Key(out, key);
  out.Double(value);
}

template <std::size_t N>
void Whole(Writer& out, const char (&key)[N], bool has, int value) {
  if (!has) return;
  Key(out, key);
  out.Int(value);
}

void Style(Writer& out, const v1::TextStyle& style) {
  out.StartObject();
  Text(out, "fontFamily", style.has_font_family(), style.font_family());
  Whole(out, "fontSize", style.has_font_size(), style.font_size());
  Text(out, "color", style.has_color(), style.color());
  Text(out, "position", style.has_position(), style.position());
  out.EndObject();
}

void Voice(Writer& out, const v1::VoiceOver& voice) {
  out.StartObject();
  Flag(out, "enabled", voice.has_enabled(), voice.enabled());
  if (voice.ai_voices_size() > 0) {
    Key(out, "aiVoices");
    out.StartArray();
    for (const v1::AiVoice& one : voice.ai_voices()) {
      out.StartObject();
      Real(out, "speed", one.has_speed(), one.speed());
      Real(out, "amplificationLevel", one.has_amplification_level(), one.amplification_level());
      Text(out, "speaker", one.has_speaker(), one.speaker().string_value());
      out.EndObject();
    }
    out.EndArray();
  }
  out.EndObject();
}

void Back(Writer& out, const v1::Background& back) {
  out.StartObject();
  Text(out, "visualUrl", back.has_visual_url(), back.visual_url());
  Text(out, "type", back.has_type(), back.type());
  if (back.has_settings()) {
    Key(out, "settings");
    out.StartObject();
    Flag(out, "loop", back.settings().has_loop(), back.settings().loop());
    Flag(out, "mute", back.settings().has_mute(), back.settings().mute());
    out.EndObject();
  }
  out.EndObject();
}

void SceneOf(Writer& out, const v1::Scene& scene) {
  out.StartObject();
  Text(out, "story", scene.has_story(), scene.story());
  Flag(out, "createSceneOnEndOfSentence", scene.has_create_scene_on_end_of_sentence(),
       scene.create_scene_on_end_of_sentence());
  Flag(out, "highlightKeywords", scene.has_highlight_keywords(), scene.highlight_keywords());
  Real(out, "minimumDuration", scene.has_minimum_duration(), scene.minimum_duration());
  if (scene.has_subtitle_style()) {
    Key(out, "subtitleStyle");
    Style(out, scene.subtitle_style());
  }
  if (scene.has_background()) {
    Key(out, "background");
    Back(out, scene.background());
  }
  out.EndObject();
}

struct Counter : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Counter> {
  std::size_t values = 0;
  bool Default() {
    ++values;
    return true;
  }
};

}  // namespace

std::string WriteByHand(const v1::Storyboard& story) {
  rapidjson::StringBuffer buffer;
  Writer out(buffer);
  out.StartObject();
  Text(out, "videoName", story.has_video_name(), story.video_name());
  if (story.scenes_size() > 0) {
    Key(out, "scenes");
    out.StartArray();
    for (const v1::Scene& scene : story.scenes()) SceneOf(out, scene);
    out.EndArray();
  }
  Text(out, "aspectRatio", story.has_aspect_ratio(), story.aspect_ratio());
  Text(out, "language", story.has_language(), story.language());
  Flag(out, "saveProject", story.has_save_project(), story.save_project());
  if (story.has_voice_over()) {
    Key(out, "voiceOver");
    Voice(out, story.voice_over());
  }
  out.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize());
}

std::size_t ParseBare(const std::string& text) {
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag |
                              rapidjson::kParseValidateEncodingFlag |
                              rapidjson::kParseNumbersAsStringsFlag;
  rapidjson::StringStream stream(text.c_str());
  rapidjson::Reader reader;
  Counter counter;
  return reader.Parse<kFlags>(stream, counter).IsError() ? 0 : counter.values;
}

}  // namespace bench
