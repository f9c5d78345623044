// Checks JSON text that callers hand in to be sent as it is: well-formed, of the right shape, and
// without members that Pictory would drop silently or that belong to the gateway.
//
// Pure functions; findings go to `violations`. Time and memory are in proportion to the text.
#pragma once

#include <functional>
#include <string_view>

#include "google/protobuf/descriptor.h"
#include "json/check.h"
#include "pictory/jobs/v1/annotations.pb.h"
#include "pictory/violations.h"

namespace gateway::pictory {

// Of JSON text that callers hand in.
json::Limits RawLimits();

// One JSON value of the type `expected` (kAbsent: of any). `outline`, if given, holds the members
// of an object afterwards, never the elements of an array; it is empty if the text is broken. False
// if a violation was added. What Pictory has made is read as its replies are: the caller has it
// from here.
bool CheckRawValue(const Path& path, std::string_view text, json::Type expected,
                   Violations& violations, json::Outline* outline = nullptr,
                   json::Reading reading = json::Reading::kStrict);

// A whole storyboard body of one generation.
void CheckRawStoryboard(const Path& path, const json::Outline& body,
                        ::pictory::jobs::v1::PathVersion version, bool allow_unknown_keys,
                        Violations& violations);

// The content of a preview's renderParams. Unknown members are fine: Pictory made them itself.
void CheckRawRenderParams(const Path& path, const json::Outline& body, Violations& violations);

// A body of any kind of job. With `typed`, the message of the same body, its members are all that
// are known.
void CheckRawBody(const Path& path, const json::Outline& body,
                  const google::protobuf::Descriptor* typed, Violations& violations);

// An object of members to add to an object that has the members for which `taken` holds already. At
// the top of a body (`top`) `webhook` is taken too.
void CheckExtra(const Path& path, std::string_view text, bool top,
                const std::function<bool(const std::string& key)>& taken, Violations& violations);

}  // namespace gateway::pictory
