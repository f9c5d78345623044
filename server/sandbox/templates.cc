#include "sandbox/templates.h"

#include <cctype>
#include <list>
#include <unordered_map>
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

// The text with the values of its variables; null if it has more bytes than that.
std::optional<std::string> Filled(std::string_view text,
                                  const std::map<std::string, std::string>& values,
                                  std::size_t max_bytes) {
  std::string out;
  bool fits = true;
  const auto append = [&](std::string_view more) {
    fits = fits && more.size() <= max_bytes - out.size();
    if (fits) out.append(more);
  };
  std::size_t done = 0;
  ForEachVariable(text, [&](const std::string& name, std::size_t begin, std::size_t end) {
    const auto value = values.find(name);
    if (value == values.end()) return;
    append(text.substr(done, begin - done));
    append(value->second);
    done = end;
  });
  append(text.substr(done));
  if (!fits) return std::nullopt;
  return out;
}

// What is wrong with so many scenes, or with the text of one; empty if nothing is.
std::string WrongWith(std::size_t scenes) {
  if (scenes <= kTemplateScenesMax) return "";
  return "must have at most " + std::to_string(kTemplateScenesMax) + " scenes";
}
std::string WrongWith(const VideoTemplate::Scene& scene) {
  std::size_t variables = 0;
  ForEachVariable(scene.text, [&](const std::string&, std::size_t, std::size_t) { ++variables; });
  if (variables <= kTemplateVariablesMax) return "";
  return "must have at most " + std::to_string(kTemplateVariablesMax) + " variables";
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
class ScenePlacer {
 public:
  explicit ScenePlacer(const std::vector<VideoTemplate::Scene>& scenes)
      : scenes_(scenes.begin(), scenes.end()) {
    for (auto scene = scenes_.begin(); scene != scenes_.end(); ++scene) {
      by_id_.emplace(scene->id, scene);  // of equal ones the first
    }
  }

  // `at` names the scene in `errors`.
  void Place(const Value& scene, const std::string& at, std::vector<FieldError>* errors) {
    VideoTemplate::Scene made = SceneOf(scene, scenes_.size() + 1);
    if (std::string wrong = WrongWith(made); !wrong.empty()) {
      errors->push_back({at, std::move(wrong)});
      return;
    }
    for (const char* key : {"sceneId", "insertBeforeSceneId", "insertAfterSceneId"}) {
      const std::string_view id = FindText(scene, key);
      if (id.empty()) continue;
      const auto known = by_id_.find(std::string(id));
      if (known == by_id_.end()) {
        errors->push_back({at + "." + key, "names no scene of the template"});
        return;
      }
      auto found = known->second;
      if (std::string_view(key) == "sceneId") {
        if (made.text.empty()) made.text = found->text;
        if (made.background.empty()) made.background = found->background;
        *found = std::move(made);
      } else {
        if (std::string_view(key) == "insertAfterSceneId") ++found;
        Insert(found, std::move(made));
      }
      return;
    }
    Insert(scenes_.end(), std::move(made));
  }

  const std::list<VideoTemplate::Scene>& scenes() const { return scenes_; }

 private:
  using Scenes = std::list<VideoTemplate::Scene>;

  void Insert(Scenes::iterator before, VideoTemplate::Scene made) {
    made.id = "new" + std::to_string(scenes_.size());
    const auto scene = scenes_.insert(before, std::move(made));
    by_id_.emplace(scene->id, scene);
  }

  Scenes scenes_;
  std::unordered_map<std::string, Scenes::iterator> by_id_;
};

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
  if (const std::string wrong = WrongWith(scenes->Size()); !wrong.empty()) {
    return InvalidBody("scenes", wrong);
  }
  std::vector<VideoTemplate::Scene> read;
  for (const Value& scene : scenes->GetArray()) {
    read.push_back(SceneOf(scene, read.size() + 1));
    if (const std::string wrong = WrongWith(read.back()); !wrong.empty()) {
      return InvalidBody("scenes[" + std::to_string(read.size() - 1) + "]", wrong);
    }
  }
  made->scenes = std::move(read);
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
  ScenePlacer placer(from.scenes);
  if (const Value* given = Find(body, "scenes")) {
    if (!given->IsArray()) {
      errors->push_back({"scenes", "\"scenes\" must be an array"});
      return nullptr;
    }
    if (std::string wrong = WrongWith(given->Size()); !wrong.empty()) {
      errors->push_back({"scenes", std::move(wrong)});
      return nullptr;
    }
    int i = 0;
    for (const Value& scene : given->GetArray()) {
      placer.Place(scene, "scenes[" + std::to_string(i++) + "]", errors);
    }
    if (const std::string wrong = WrongWith(placer.scenes().size()); !wrong.empty()) {
      errors->push_back({"scenes", wrong + ", with those of the template"});
    }
    if (!errors->empty()) return nullptr;
  }
  const std::string_view name = FindText(body, "videoName");
  JsonOut out;
  out.Object().Field("videoName", name.empty() ? std::string_view(from.name) : name);
  out.Key("scenes").Array();
  std::size_t room = kTemplateTextMaxBytes;
  for (const VideoTemplate::Scene& scene : placer.scenes()) {
    const std::optional<std::string> text = Filled(scene.text, values, room);
    if (!text) {
      errors->push_back({"variables", "make texts of more than " +
                                          std::to_string(kTemplateTextMaxBytes) + " bytes"});
      return nullptr;
    }
    room -= text->size();
    out.Object().Field("text", text->empty() ? std::string(" ") : *text);
    if (!scene.background.empty()) {
      out.Field("backgroundUri", scene.background).Field("backgroundType", scene.background_type);
    }
    out.EndObject();
  }
  std::string error;
  return ParseJson(out.EndArray().EndObject().Take(), &error);
}

}  // namespace gateway::sandbox
