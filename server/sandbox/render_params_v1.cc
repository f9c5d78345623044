#include "sandbox/render_params_v1.h"

#include <algorithm>
#include <cctype>
namespace gateway::sandbox {
namespace {

constexpr std::size_t kKeywordMinBytes = 6;

bool IsWordByte(char c) { return std::isalnum(static_cast<unsigned char>(c)) || (c & 0x80) != 0; }

// The word that Pictory would highlight: the longest one, if it is long.
std::string_view Keyword(std::string_view text) {
  std::string_view longest;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = begin;
    while (end < text.size() && IsWordByte(text[end])) ++end;
    if (end - begin > longest.size()) longest = text.substr(begin, end - begin);
    begin = end + 1;
  }
  return longest.size() >= kKeywordMinBytes ? longest : std::string_view();
}

// Escapes a text that is markup; quotes stand for themselves, as in the real ones.
std::string EscapedMarkup(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string Marked(std::string_view text, std::string_view keyword) {
  const std::size_t at = keyword.empty() ? std::string_view::npos : text.find(keyword);
  if (at == std::string_view::npos) return EscapedMarkup(text);
  return EscapedMarkup(text.substr(0, at)) + "<strong>" + EscapedMarkup(keyword) + "</strong>" +
         EscapedMarkup(text.substr(at + keyword.size()));
}

void WriteAudioV1(JsonOut* out, const Film& film, const std::string& origin) {
  const std::string sound = origin + "/media/stock/sound.mp3";
  out->Key("audio").Object().Field("video_volume", 1);
  if (film.has_music) {
    out->Field("audio_id", "3904").Field("audio_library", "track").Field("src", sound);
    out->Field("track_volume", film.music_volume);
  }
  out->Key("tts");
  film.has_voice ? out->Put(sound) : out->Put(nullptr);
  out->EndObject();
}

void WriteBackgroundV1(JsonOut* out, const Scene& scene, std::size_t index,
                       const std::string& origin) {
  const bool own = !scene.background.empty();
  out->Key("background").Object().Key("src").Array().Object();
  out->Field("url", own ? scene.background : origin + "/media/stock/clip.mp4");
  if (own) {
    out->Field("asset_id", nullptr).Field("resource_id", nullptr).Field("library", nullptr);
  } else if (index % 2 == 0) {
    const std::int64_t id = 347'000'000 + static_cast<std::int64_t>(index) * 7919;
    out->Field("asset_id", id).Field("resource_id", id).Field("library", "story_blocks");
  } else {
    const std::string id = std::to_string(1'400'000'000 + index * 104'729);
    out->Field("asset_id", id).Field("resource_id", id).Field("library", "getty");
  }
  out->Field("type", scene.background_is_image ? "image" : "video").Field("mode", "crop");
  out->Field("frame", nullptr).Field("loop_video", true).Field("mute", true);
  out->Field("sessionId", "d0000000-5a4d-4b0e-8000-73616e64626f").EndObject().EndArray();
  out->Field("color", "rgba(255,255,255,255)").Key("bg_animation").Object();
  out->Field("animation", index % 2 == 0 ? "pan-right" : "zoom-in").EndObject().EndObject();
}

void WriteAnimation(JsonOut* out, const char* key) {
  out->Key(key).Array();
  out->Object().Field("animation", "slide-in-left").Field("source", "templates");
  out->Field("speed", 1.4).Field("type", "start").EndObject();
  out->Object().Field("animation", "none").Field("source", "templates");
  out->Field("speed", 0.5).Field("type", "end").EndObject().EndArray();
}

void WriteFont(JsonOut* out) {
  out->Key("font").Object().Field("name", "Arial.ttf").Field("size", 36);
  out->Field("line_spacing", 1.2).Field("color", "rgba(255,255,255,255)");
  out->Field("backcolor", "rgba(17,17,17,153)").Field("keycolor", "rgba(226,226,170,255)");
  out->Field("textShadowColor", "rgba(255,255,255,1)").Field("textShadowWidthFr", 0);
  // The number has all the digits of a double, which must come back as they went out.
  out->Key("line_height").Raw("62.24400000000001").Field("case", nullptr);
  out->Key("decoration").Array().EndArray().Field("fullWidth", false).EndObject();
}

// The brand's logo, which lies over every scene.
void WriteLogo(JsonOut* out, std::string_view url, std::size_t index) {
  out->Object().Field("type", "visual").Field("src", url);
  out->Field("id", "logo-" + std::to_string(index + 1)).Key("location").Object();
  out->Field("preset", "top-right").Field("width", "10.00%").EndObject();
  out->Field("visualType", "image").EndObject();
}

void WriteSubScene(JsonOut* out, const Scene& scene, std::size_t index, std::string_view keyword,
                   std::string_view logo) {
  out->Object().Field("time", scene.seconds).Key("location").Object();
  out->Field("start_x", 50).Field("start_y", 911.99).EndObject();
  out->Key("displayItems").Array();
  if (!logo.empty()) WriteLogo(out, logo, index);
  out->EndArray().Key("text_lines").Array();
  for (const Caption& caption : scene.captions) {
    out->Object().Field("text", Marked(caption.text, keyword));
    WriteAnimation(out, "text_animation");
    WriteAnimation(out, "text_bg_animation");
    out->EndObject();
  }
  out->EndArray().Field("subtitle", "");
  out->Field("showSceneNumber", "Scene " + std::to_string(index + 1));
  WriteFont(out);
  out->EndObject();
}

void WriteScene(JsonOut* out, const Film& film, std::size_t index, bool highlight,
                std::string_view logo, const std::string& origin) {
  const Scene& scene = film.scenes[index];
  const std::string_view keyword = highlight ? Keyword(scene.text) : std::string_view();
  out->Object();
  WriteBackgroundV1(out, scene, index, origin);
  out->Field("time", scene.seconds).Key("keywords").Array().EndArray();
  out->Key("sub_scenes").Array();
  WriteSubScene(out, scene, index, keyword, logo);
  out->EndArray().Field("music", film.has_music).Field("tts", film.has_voice);
  out->Field("subtitle", true).Key("subtitles").Array();
  if (!scene.text.empty()) {
    out->Object().Field("text", Marked(scene.text, keyword)).Field("time", scene.seconds);
    out->EndObject();
  }
  out->EndArray();
  if (index + 1 == film.scenes.size()) out->Field("music-fade-out", true);
  out->EndObject();
}

// The words on screen, in one line.
std::string SceneText(const Value& scene) {
  std::string text;
  const Value* parts = Find(scene, "sub_scenes");
  if (parts == nullptr || !parts->IsArray()) return text;
  for (const Value& part : parts->GetArray()) {
    const Value* lines = Find(part, "text_lines");
    if (lines == nullptr || !lines->IsArray()) continue;
    for (const Value& line : lines->GetArray()) {
      if (!text.empty()) text += ' ';
      text += PlainText(FindText(line, "text"));
    }
  }
  return text;
}

}  // namespace

std::string RenderParamsV1Text(const Film& film, const Value& storyboard,
                               const std::string& origin) {
  const bool highlight = FindBool(storyboard, "autoHighlightKeywords", true);
  const Value* const brand = Find(storyboard, "brandLogo");
  const std::string_view logo = brand == nullptr ? "" : FindText(*brand, "url");
  JsonOut out;
  out.Object();
  WriteAudioV1(&out, film, origin);
  out.Key("output").Object().Field("name", film.name + ".mp4");
  out.Field("description", FindText(storyboard, "videoDescription")).Field("format", "mp4");
  out.Field("title", film.name).Field("height", film.height).Field("width", film.width);
  out.EndObject().Key("scenes").Array();
  for (std::size_t i = 0; i < film.scenes.size(); ++i) {
    WriteScene(&out, film, i, highlight, logo, origin);
  }
  out.EndArray().Field("next_generation_video", true).Field("containsTextToImage", true);
  return out.EndObject().Take();
}

bool IsRenderParamsV1(const Value& params) {
  const Value* output = Find(params, "output");
  const Value* scenes = Find(params, "scenes");
  return output != nullptr && output->IsObject() && scenes != nullptr && scenes->IsArray() &&
         !scenes->Empty();
}

Film FilmFromRenderParamsV1(const Value& params) {
  Film film;
  const Value& output = *Find(params, "output");
  film.name = FindText(output, "name");
  film.width = static_cast<int>(std::clamp(FindNumber(output, "width", 1920), 1.0, 16384.0));
  film.height = static_cast<int>(std::clamp(FindNumber(output, "height", 1080), 1.0, 16384.0));
  if (const Value* audio = Find(params, "audio")) {
    film.has_music = Find(*audio, "src") != nullptr;
    film.has_voice = Find(*audio, "tts") != nullptr;
  }
  for (const Value& scene : Find(params, "scenes")->GetArray()) {
    const double seconds = std::clamp(FindNumber(scene, "time", 0), 0.0, kSceneMaxSeconds);
    AddTimedScene(&film, film.seconds, seconds, SceneText(scene));
  }
  return film;
}

}  // namespace gateway::sandbox
