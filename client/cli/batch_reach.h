// ReachOf tells whom the refusal of one line of a file of submits would meet. Pure.
#pragma once

#include "absl/status/status.h"

namespace pictory_jobs::cli {

enum class Reach {
  kThisLine,    // the next may well be taken
  kPerhapsAll,  // the next may be taken; if as many in a row as are sent at once were refused, none
  kAll,         // the next would fare no better
};

Reach ReachOf(const absl::Status& refusal);

}  // namespace pictory_jobs::cli
