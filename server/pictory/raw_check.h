// These functions check JSON text that callers hand in to be sent as it is: well-formed, of the
// right shape, and without members that Pictory would drop silently or that belong to the gateway.
//
// They are pure; findings go to `violations`. Time and memory are in proportion to the text.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "json/check.h"
#include "pictory/jobs/v1/annotations.pb.h"
#include "pictory/violations.h"

namespace gateway::pictory {

// What is wrong with a `webhook` of the caller's, in whatever form of a body.
inline constexpr char kWebhookIsOurs[] =
    "is the gateway's own: remove it, and watch the job instead (WatchJob, pictory watch)";

// The limits for JSON text that callers hand in.
json::Limits RawLimits();

// Checks for one JSON value of the type `expected` (kAbsent: of any type). `outline`, if given,
// holds the members of an object afterwards, never the elements of an array; it is empty if the
// text is broken. False if a violation was added. Text that Pictory has made is read as forgivingly
// as its replies are, because the caller has it from this gateway.
bool CheckRawValue(const Path& path, std::string_view text, json::Type expected,
                   Violations& violations, json::Outline* outline = nullptr,
                   json::Reading reading = json::Reading::kStrict);

// Whether JSON text, which is checked elsewhere, is an empty array.
bool IsEmptyArray(std::string_view text);

// Checks a whole storyboard body of one API version. Unknown members are found at every depth of a
// v2 body, and at the top of a v1 body.
void CheckRawStoryboard(const Path& path, const json::Outline& body,
                        ::pictory::jobs::v1::PathVersion version, bool allow_unknown_keys,
                        Violations& violations);

// Checks the content of a preview's renderParams. Unknown members are fine: Pictory made them
// itself.
void CheckRawRenderParams(const Path& path, const json::Outline& body, Violations& violations);

// Checks a body of any kind of job. If `typed`, the message of the same body, is given, only its
// members are known, at every depth.
void CheckRawBody(const Path& path, const json::Outline& body,
                  const google::protobuf::Descriptor* typed, Violations& violations);

// Checks a body of which Pictory does not publish all members: a member at its top is refused only
// if it looks like one of `typed` that is not there. Returns those that were probably meant.
std::vector<std::string> CheckLikelyMisspelt(const Path& path, const json::Outline& body,
                                             const google::protobuf::Descriptor* typed,
                                             Violations& violations);

// Checks an object of members to add to an object that already has the members for which `taken`
// holds. At the top of a body (`top`) `webhook` is taken too.
void CheckExtra(const Path& path, std::string_view text, bool top,
                const std::function<bool(const std::string& key)>& taken, Violations& violations);

}  // namespace gateway::pictory
