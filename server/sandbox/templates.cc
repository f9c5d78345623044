#include "sandbox/templates.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "sandbox/story.h"

namespace gateway::sandbox {
namespace {

// Calls `visit(name, begin, end)` for each `{{name}}` in the text.
template <class Visit>
void ForEachVariable(std::string_view text, const Visit& visit) {
  for (std::size_t open = text.find("{{"); open != std::string_view::npos;) {
    const std::size_t close = text.find("}}", open);
    if (close == std::string_view::npos) return;
    std::string name(text.substr(open + 2, close - open - 2));
    std::erase_if(name, [](unsigned char c) { return std::isspace(c) != 0; });
    if (!name.empty()) visit(name, open, close + 2);
    open = text.find("{{", close);
  }
}

std::string Filled(std::string_view text, const std::map<std::string, std::string>& values) {
  std::string out;
  std::size_t done = 0;
  ForEachVariable(text, [&](const std::string& name, std::size_t begin, std::size_t end) {
    const auto value = values.find(name);
    if (value == values.end()) return;
    out.append(text.substr(done, begin - done)).append(value->second);
    done = end;
  });
  return out.append(text.substr(done));
}

// The words of a scene, in any of the forms in which files and requests have them.
std::string TextOf(const Value& scene) {
  if (const Value* subtitles = Find(scene, "subtitles")) {
    if (subtitles->IsString()) return PlainText(Text(*subtitles));
    std::string text;
    if (!subtitles->IsArray()) return text;
    for (const Value& subtitle : subtitles->GetArray()) {
      if (!text.empty()) text += ' ';
      text += PlainText(FindText(subtitle, "text"));
    }
    return text;
  }
  for (const char* key : {"sentence", "text", "story"}) {
    const std::string_view text = FindText(scene, key);
    if (!text.empty()) return PlainText(text);
  }
  return "";
}

VideoTemplate::Scene SceneOf(const Value& scene, std::size_t number) {
  VideoTemplate::Scene made;
  made.text = TextOf(scene);
  if (const Value* visual = Find(scene, "backgroundVisual")) {
    made.background = FindText(*visual, "visualUrl");
    if (made.background.empty()) made.background = FindText(*visual, "url");
    if (FindText(*visual, "type") == "image") made.background_type = "image";
  } else {
    made.background = FindText(scene, "image");
  }
  const Value* id = Find(scene, "sceneId");
  if (id != nullptr && id->IsString()) {
    made.id = Text(*id);
  } else {
    made.id = "scene" + std::to_string(number);
  }
  return made;
}

void WriteScene(const VideoTemplate::Scene& scene, JsonOut* out) {
  out->Object().Field("sceneId", scene.id).Key("subtitles").Array();
  out->Object().Field("text", scene.text).EndObject().EndArray();
  out->Key("backgroundVisual").Object().Field("visualUrl", scene.background);
  out->Field("type", scene.background_type).EndObject().EndObject();
}

void WriteHead(const VideoTemplate& one, JsonOut* out) {
  out->Object().Field("templateId", one.id).Field("name", one.name).Field("language", "en");
  out->Field("published", true);
}

// Puts the scenes of a request where they belong: in the place of one, before or after it, or last.
void Place(const Value& scene, std::vector<VideoTemplate::Scene>* scenes, const std::string& at,
           std::vector<FieldError>* errors) {
  VideoTemplate::Scene made = SceneOf(scene, scenes->size() + 1);
  for (const char* key : {"sceneId", "insertBeforeSceneId", "insertAfterSceneId"}) {
    const std::string_view id = FindText(scene, key);
    if (id.empty()) continue;
    auto found = std::find_if(scenes->begin(), scenes->end(),
                              [id](const VideoTemplate::Scene& one) { return one.id == id; });
    if (found == scenes->end()) {
      errors->push_back({at + "." + key, "names no scene of the template"});
      return;
    }
    if (std::string_view(key) == "sceneId") {
      if (made.text.empty()) made.text = found->text;
      if (made.background.empty()) made.background = found->background;
      *found = std::move(made);
    } else {
      made.id = "new" + std::to_string(scenes->size());
      if (std::string_view(key) == "insertAfterSceneId") ++found;
      scenes->insert(found, std::move(made));
    }
    return;
  }
  made.id = "new" + std::to_string(scenes->size());
  scenes->push_back(std::move(made));
}

}  // namespace

std::map<std::string, std::string> VideoTemplate::Variables() const {
  std::map<std::string, std::string> variables;
  for (const Scene& scene : scenes) {
    ForEachVariable(scene.text, [&](const std::string& variable, std::size_t, std::size_t) {
      std::string value = variable;
      for (char& c : value) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      variables.emplace(variable, std::move(value));
    });
  }
  return variables;
}

std::optional<ApiReply> TemplateBook::Read(std::string_view file, VideoTemplate* made) {
  std::string error;
  const auto json = ParseJson(file, &error);
  if (json == nullptr || !json->IsObject()) {
    return Refused("INVALID_REQUEST", "The file is not a Pictory project file.");
  }
  for (const char* key : {"name", "projectName", "videoName"}) {
    if (made->name.empty()) made->name = FindText(*json, key);
  }
  if (made->name.empty()) made->name = "Template";
  return ReadScenes(*json, made);
}

std::optional<ApiReply> TemplateBook::ReadScenes(const Value& body, VideoTemplate* made) {
  const Value* scenes = sandbox::Find(body, "scenes");
  if (scenes == nullptr || !scenes->IsArray() || scenes->Empty()) {
    return InvalidBody("scenes", "is required");
  }
  made->scenes.clear();
  for (const Value& scene : scenes->GetArray()) {
    made->scenes.push_back(SceneOf(scene, made->scenes.size() + 1));
  }
  return std::nullopt;
}

void TemplateBook::Add(VideoTemplate made) {
  templates_.push_back(std::make_unique<VideoTemplate>(std::move(made)));
}

VideoTemplate* TemplateBook::Find(std::string_view id, std::string_view account) {
  for (const auto& one : templates_) {
    if (one->id == id && one->account == account) return one.get();
  }
  return nullptr;
}

void TemplateBook::Remove(std::string_view id) {
  std::erase_if(templates_, [id](const auto& one) { return one->id == id; });
}

ApiReply TemplateBook::List(std::string_view account) const {
  JsonOut out;
  out.Object().Key("items").Array();
  for (const auto& one : templates_) {
    if (one->account != account) continue;
    WriteHead(*one, &out);
    out.Field("deprecated", false).EndObject();
  }
  return {200, out.EndArray().EndObject().Take()};
}

ApiReply TemplateReply(const VideoTemplate& one) {
  JsonOut out;
  WriteHead(one, &out);
  out.Field("depricated", false).Key("scenes").Array();  // so it is written there
  for (const VideoTemplate::Scene& scene : one.scenes) WriteScene(scene, &out);
  out.EndArray().Key("variables").Object();
  for (const auto& [name, value] : one.Variables()) out.Field(name, value);
  return {200, out.EndObject().EndObject().Take()};
}

ApiReply UnknownTemplate(std::string_view id) {
  JsonOut out;
  out.Object().Field("message", "Template " + std::string(id) + " not found");
  return {404, out.EndObject().Take()};
}

ApiReply TemplateDone(std::string_view id, std::string_view message) {
  JsonOut out;
  out.Object().Field("success", true).Field("message", message);
  if (!id.empty()) out.Field("templateId", id);
  return {200, out.EndObject().Take()};
}

std::unique_ptr<Json> StoryboardOf(const VideoTemplate& from, const Value& body,
                                   std::vector<FieldError>* errors) {
  std::map<std::string, std::string> values = from.Variables();
  if (const Value* given = Find(body, "variables")) {
    if (!given->IsObject()) {
      errors->push_back({"variables", "\"variables\" must be an object"});
      return nullptr;
    }
    for (const auto& one : given->GetObject()) {
      values[std::string(Text(one.name))] =
          one.value.IsString() ? std::string(Text(one.value)) : ToText(one.value);
    }
  }
  std::vector<VideoTemplate::Scene> scenes = from.scenes;
  if (const Value* given = Find(body, "scenes")) {
    if (!given->IsArray()) {
      errors->push_back({"scenes", "\"scenes\" must be an array"});
      return nullptr;
    }
    int i = 0;
    for (const Value& scene : given->GetArray()) {
      Place(scene, &scenes, "scenes[" + std::to_string(i++) + "]", errors);
    }
    if (!errors->empty()) return nullptr;
  }
  const std::string_view name = FindText(body, "videoName");
  JsonOut out;
  out.Object().Field("videoName", name.empty() ? std::string_view(from.name) : name);
  out.Key("scenes").Array();
  for (const VideoTemplate::Scene& scene : scenes) {
    const std::string text = Filled(scene.text, values);
    out.Object().Field("text", text.empty() ? std::string(" ") : text);
    if (!scene.background.empty()) {
      out.Field("backgroundUri", scene.background).Field("backgroundType", scene.background_type);
    }
    out.EndObject();
  }
  std::string error;
  return ParseJson(out.EndArray().EndObject().Take(), &error);
}

}  // namespace gateway::sandbox
