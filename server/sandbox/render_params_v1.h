// These are the renderParams of v1: what a v1 preview gives and POST /v1/video/render takes back,
// unwrapped. Pure.
//
// They are made to be hard to carry, as the real ones are: ids of media are integers from one
// library and strings from the other, numbers have sixteen digits, nulls mean something, colours
// count their alpha to 255 or to 1, and names are in snake and in camel case side by side.
#pragma once

#include <string>

#include "sandbox/json.h"
#include "sandbox/story.h"

namespace gateway::sandbox {

// `storyboard`: the body that `film` was made from.
std::string RenderParamsV1Text(const Film& film, const Value& storyboard,
                               const std::string& origin);

// Whether a render can begin with `params`: Pictory accepts anything, and fails later over what it
// cannot read, above all over renderParams that are still wrapped.
bool IsRenderParamsV1(const Value& params);
// `params` are v1's renderParams, perhaps edited by the caller.
Film FilmFromRenderParamsV1(const Value& params);

}  // namespace gateway::sandbox
