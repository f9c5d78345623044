// TemplateBook holds the templates of all accounts, and makes storyboards of them. Single-threaded.
//
//   POST   /v1/templates         a .pictai file: JSON with scenes     the template
//   GET    /v1/templates         {"items":[…]}, in the order they were made
//   GET    /v1/templates/{id}    the template
//   PUT    /v1/templates/{id}    {"scenes":[…]}                       {"success":true,…}
//   DELETE /v1/templates/{id}                                         {"success":true,…}
//
// A scene of a template is
// {"sceneId","subtitles":[{"text"}],"backgroundVisual":{"type","visualUrl"}}; texts may hold
// variables, as in `Dear {{name}},`.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sandbox/api_reply.h"
#include "sandbox/json.h"

namespace gateway::sandbox {

// Of one template: scenes, those that a request adds among them; variables in the text of a scene;
// and bytes of all texts with the values of their variables. Pictory's own bounds are not known.
inline constexpr std::size_t kTemplateScenesMax = 1000;
inline constexpr std::size_t kTemplateVariablesMax = 1000;
inline constexpr std::size_t kTemplateTextMaxBytes = 1024 * 1024;  // 17 hours of speech

struct VideoTemplate {
  struct Scene {
    std::string id;
    std::string text;
    std::string background;  // URL; empty: none of its own
    std::string background_type = "video";
  };

  std::string id;
  std::string account;
  std::string name;
  std::vector<Scene> scenes;

  // The variables in its texts, with what stands for each if no value is given.
  std::map<std::string, std::string> Variables() const;
};

class TemplateBook {
 public:
  // The template of a file, not yet in the book; why not, as Pictory would say it.
  static std::optional<ApiReply> Read(std::string_view file, VideoTemplate* made);
  // The same for new scenes of a template.
  static std::optional<ApiReply> ReadScenes(const Value& body, VideoTemplate* made);

  void Add(VideoTemplate made);
  // Null if there is none of the account's.
  VideoTemplate* Find(std::string_view id, std::string_view account);
  void Remove(std::string_view id);

  ApiReply List(std::string_view account) const;

 private:
  std::vector<std::unique_ptr<VideoTemplate>> templates_;  // the oldest first
};

ApiReply TemplateReply(const VideoTemplate& one);
ApiReply UnknownTemplate(std::string_view id);  // 404
// {"success":true,"message":…}, with the templateId if there is one.
ApiReply TemplateDone(std::string_view id, std::string_view message);

// A v1 storyboard of the template: with the values and scenes of `body`, the request of
// POST /v1/video/from-template. Null with the violations in `errors`.
std::unique_ptr<Json> StoryboardOf(const VideoTemplate& from, const Value& body,
                                   std::vector<FieldError>* errors);

}  // namespace gateway::sandbox
