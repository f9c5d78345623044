// These functions make the ids that this gateway mints, and check the ids that others give it.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"

namespace gateway {

// Makes a job_id of 26 lower-case Crockford base-32 digits: 48 bits of milliseconds, then 80 random
// bits (a ULID). Later ids sort after earlier ones of another millisecond. Opaque to callers.
std::string MintJobId(WallTime now, Random& random);
// A text that sorts before every id minted in that millisecond or later, and after all earlier
// ones.
std::string JobIdFloor(WallTime when);

// Whether an id has the form of those that MintJobId makes.
bool IsMintedJobId(std::string_view id);

// A random UUID (version 4).
std::string MintRequestId(Random& random);

// Whether a caller may name a job so: 1–128 of [A-Za-z0-9_-].
bool IsCallerId(std::string_view id);

// Whether Pictory may call a job, a project or whatever else stands in a path so: 1–256 visible
// ASCII characters, without a dot segment. It is the one rule for ids that go into paths to
// Pictory.
bool IsUpstreamId(std::string_view id);
// What IsUpstreamId asks, in words that follow the field's name.
inline constexpr char kUpstreamIdRule[] =
    "must be 1 to 256 visible ASCII characters, without . or .. as a part between slashes";

// Whether a part of `text` is `.` or `..`, which servers and proxies take for "here" and "one up".
// Some of them decode before they look, even twice, and take `\` for a slash or end a part at `;`,
// so all of that counts.
bool HasDotSegment(std::string_view text);

// Whether a text can be a request_id: 1–64 of [A-Za-z0-9_-].
bool IsRequestId(std::string_view id);

// `text` with every byte but the unreserved ones of RFC 3986 as %XX: safe as one path segment.
std::string PercentEncode(std::string_view text);

// The bytes that `text` stands for. What is no escape stays as it is.
std::string PercentDecode(std::string_view text);

}  // namespace gateway
