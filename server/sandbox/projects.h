// These functions are about changed projects. A project is a preview that was saved; it is changed
// as a whole, by the object that was told of it. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "sandbox/field_checker.h"
#include "sandbox/job.h"

namespace gateway::sandbox {

// How a scene of a project is called; the first has the index 0.
std::string SceneIdOf(const Job& preview, std::size_t index);

// What is wrong with `body`, the whole of a changed project; none if nothing is. Pictory warns that
// what is left out may be lost; here a name, or a text of a scene, that is left out is refused.
std::vector<FieldError> CheckProject(const Value& body, const Job& preview);

// What the project is a film of: `film`, the preview's, with the name and the scenes that the
// project was changed to.
Film FilmOfProject(const Job& preview, Film film);

}  // namespace gateway::sandbox
