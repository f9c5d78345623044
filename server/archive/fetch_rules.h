// These functions decide over the fetch of one file: which URLs may be fetched at all, what an
// answer's head makes of it, and when it is tried again. Pure.
//
// Errors of this folder: INVALID_ARGUMENT and OUT_OF_RANGE are final; FAILED_PRECONDITION is a
// refusal of the file's server, which may pass, and PERMISSION_DENIED one of the link, which
// another link may end; problems of our own disk are no fault of the file's (archive/detail.h);
// anything else is tried again for so long.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "http/fetcher.h"

namespace gateway::archive {

// How a URL may be fetched.
enum class Reach { kPublic, kLoopback };

// Whether a URL of a result, or of a redirect, may be fetched: one that names a public host by
// https, or one of this machine at the host and port of a stand-in for Pictory
// (pictory/url_rules.h). INVALID_ARGUMENT if not. Where its name leads to is seen when it is
// connected to.
absl::StatusOr<Reach> ReachOf(std::string_view url, const std::set<std::string>& stand_ins);

// What is there of a file that is being fetched.
struct Known {
  std::int64_t had = 0;
  std::int64_t total = -1;  // -1: not known
  std::string validator;    // empty: none
};

struct Verdict {
  enum class What {
    kGoOn,   // the body's bytes follow those that are there
    kAnew,   // it is the whole file
    kWrong,  // `why`; what is there stays
    kStale   // `why`; what is there is of no use
  };
  What what = What::kWrong;
  std::int64_t total = -1;
  std::string validator;
  absl::Status why;
};

// Judges the head of an answer that is no redirect.
Verdict Judge(const Known& known, const http::FetchHead& head, std::int64_t max_file_bytes);

// How long after the `failures`th failure in a row a job's files are tried again. `random` is in
// [0, 1).
Duration RetryDelay(int failures, double random);

// Whether the error counts among the file's refusals.
bool IsRefusal(const absl::Status& error);

// Whether a file that was refused so often is given up after this error, and after so much time of
// trying in vain.
bool IsGivenUp(const absl::Status& error, int refusals, Duration tried);

}  // namespace gateway::archive
