// These functions tell whether Pictory would accept a v2 storyboard, and what it would make of it.
// Pure.
#pragma once

#include <string>
#include <vector>

#include "sandbox/field_checker.h"
#include "sandbox/json.h"

namespace gateway::sandbox {

// Every violation of the documented rules; empty if the body is accepted. Unknown fields are no
// violations.
std::vector<FieldError> CheckStoryboard(const Value& body);

// The request as Pictory resolves it: fields it does not know are gone, without a word, at the top
// level and in scenes.
std::unique_ptr<Json> ResolveStoryboard(const Value& body);

}  // namespace gateway::sandbox
