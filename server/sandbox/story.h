// These functions make a film of a story: scenes, captions and their times. Pure.
//
// A film is what a preview plans and a render makes; the duration, the subtitles and the text of a
// render all come from the same Film, so they agree.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/json.h"

namespace gateway::sandbox {

inline constexpr double kSceneMaxSeconds = 24 * 3600;
// What a storyboard may become: bytes of all that is said or shown (17 hours of speech), and scenes
// of the film, which are told anew with each answer about a finished preview.
inline constexpr std::size_t kFilmTextMaxBytes = 8 * 1024 * 1024;
inline constexpr std::size_t kFilmScenesMax = 5000;

struct Caption {
  double start = 0;  // seconds from the beginning of the film
  double seconds = 0;
  std::string text;  // plain: no markup
};

struct Scene {
  double start = 0;
  double seconds = 0;
  std::string text;  // plain; empty for a background alone
  std::vector<Caption> captions;
  std::string background;  // the caller's own picture or video, by URL; empty: one from stock
  bool background_is_image = false;
};

struct Film {
  std::string name;
  int width = 1920;
  int height = 1080;
  double seconds = 0;
  std::vector<Scene> scenes;
  double ai_credits = 0;  // what its AI visuals cost
  bool has_voice = false;
  bool has_music = false;
  double music_volume = 1;  // as Pictory: full if not told
};

// The bytes of the texts of a storyboard's scenes, of either API version.
std::size_t TextBytes(const Value& body);

// `body`: a checked storyboard (storyboard_check.h).
Film FilmFromStoryboard(const Value& body);
// `params`: what a preview gave as renderParams, possibly edited by the caller.
Film FilmFromRenderParams(const Value& params);

// The steps of making a film, whatever form it is asked for in.
void SetSize(const Value& body, Film* film);
// The text that the sandbox takes where Pictory would fetch or write the scene's text itself, or
// where a template's scene is told to say something else; else "".
std::string StandInText(const Value& scene);
// Appends a scene as long as saying `text` takes, at least `minimum`, and `pause` longer.
void AddScene(Film* film, std::string text, double minimum, double pause);
// Appends a scene with a time of its own.
void AddTimedScene(Film* film, double start, double seconds, std::string text);

// The pieces of `story` that become scenes, trimmed, none empty.
std::vector<std::string> SplitStory(std::string_view story, bool on_new_line, bool on_sentence);
std::vector<std::string> SplitSentences(std::string_view text);
// The text without tags and with the five basic entities resolved.
std::string PlainText(std::string_view marked_up);
// How long it takes to say, in seconds: 150 words a minute, at least 2.
double SpeakingSeconds(std::string_view text);

std::vector<Caption> Captions(const Film& film);
std::string ToSrt(const std::vector<Caption>& captions);
std::string ToVtt(const std::vector<Caption>& captions);
std::string ToTxt(const std::vector<Caption>& captions);

}  // namespace gateway::sandbox
