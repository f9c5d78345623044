// ResumeToken says how far a stream of changes has told its caller, so that another stream can go
// on behind it. Callers keep it as an opaque text and hand it back, so any text may come in one's
// place. It is no secret, and gives no right: it leads only to jobs of the caller's own tenant.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gateway::watch {

struct ResumeToken {
  // A hash of tenant and filter: with another filter, jobs would be missed that have not changed.
  std::string filter_hash;  // kFilterHashBytes
  std::string position;     // of the feed (jobs/store.h); never empty
  bool listing = false;     // the list was not complete
  std::string last_job_id;  // of the list; empty: it has only begun

  bool operator==(const ResumeToken&) const = default;
};

inline constexpr std::size_t kFilterHashBytes = 8;

// URL-safe Base64.
std::string TextOf(const ResumeToken& token);
// None for a text that TextOf did not make.
std::optional<ResumeToken> ReadResumeToken(std::string_view text);

}  // namespace gateway::watch
