#include "sandbox/projects.h"

#include <charconv>
#include <optional>
#include <set>
#include <utility>

namespace gateway::sandbox {
namespace {

constexpr std::size_t kFirstOrder = 10'001;

std::optional<std::size_t> IndexOf(const Job& preview, std::string_view scene_id) {
  const std::string before = preview.project_id + "-";
  if (!scene_id.starts_with(before)) return std::nullopt;
  scene_id.remove_prefix(before.size());
  std::size_t order = 0;
  const auto read = std::from_chars(scene_id.data(), scene_id.data() + scene_id.size(), order);
  const bool whole = read.ec == std::errc() && read.ptr == scene_id.data() + scene_id.size();
  if (!whole || order < kFirstOrder) return std::nullopt;
  const std::size_t index = order - kFirstOrder;
  return index < preview.film.scenes.size() ? std::optional(index) : std::nullopt;
}

}  // namespace

std::string SceneIdOf(const Job& preview, std::size_t index) {
  return preview.project_id + "-" + std::to_string(kFirstOrder + index);
}

std::vector<FieldError> CheckProject(const Value& body, const Job& preview) {
  std::vector<FieldError> errors;
  FieldChecker fields(body, "", &errors);
  if (FindText(body, "projectName").empty()) fields.Wrong("projectName", "is required");
  const Value* const scenes = Find(body, "scenes");
  if (scenes == nullptr || !scenes->IsArray() || scenes->Empty()) {
    fields.Wrong("scenes", "is required");
    return errors;
  }
  std::set<std::size_t> seen;
  for (rapidjson::SizeType i = 0; i < scenes->Size(); ++i) {
    FieldChecker scene = fields.Item((*scenes)[i], "scenes", static_cast<int>(i));
    const auto index = IndexOf(preview, FindText((*scenes)[i], "sceneId"));
    if (!index) {
      scene.Wrong("sceneId", "names no scene of this project");
    } else if (!seen.insert(*index).second) {
      scene.Wrong("sceneId", "is there twice");
    } else if (const Value* text = Find((*scenes)[i], "text"); !text || !text->IsString()) {
      scene.Wrong("text", "is required");
    }
    if (!errors.empty()) break;
  }
  return errors;
}

Film FilmOfProject(const Job& preview, Film film) {
  if (preview.project == nullptr) return film;
  film.name = FindText(*preview.project, "projectName");
  film.scenes.clear();
  film.seconds = 0;
  for (const Value& scene : Find(*preview.project, "scenes")->GetArray()) {
    const Scene& old = preview.film.scenes[*IndexOf(preview, FindText(scene, "sceneId"))];
    AddTimedScene(&film, film.seconds, old.seconds, PlainText(FindText(scene, "text")));
    film.scenes.back().background = old.background;
    film.scenes.back().background_is_image = old.background_is_image;
  }
  return film;
}

}  // namespace gateway::sandbox
