#include "store/copy_mark.h"

#include "absl/strings/str_cat.h"
#include "base/utc_text.h"

namespace gateway::store {

absl::Status AdmitGateway(const std::optional<CopyMark>& mark) {
  if (!mark.has_value() || (mark->target && mark->ended)) return absl::OkStatus();
  const std::string since =
      absl::StrCat(UtcText(std::chrono::system_clock::to_time_t(mark->begun), ' '), " UTC");
  if (mark->target) {
    return absl::FailedPreconditionError(absl::StrCat(
        "This store is to become a copy of ", mark->other, ", since ", since,
        ", and not all of it is here yet. Repeat the `pictory-gateway store copy`, which goes on "
        "where it ended; or give it up with --undo"));
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "The jobs of this store ", mark->ended ? "were moved to " : "are being moved to ",
      mark->other, " at ", since,
      mark->ended ? ": start the gateway with that one. To go back, copy that one here, by "
                    "`pictory-gateway store copy`; if no gateway has used it yet, --undo is enough"
                  : ". Repeat the `pictory-gateway store copy`, which goes on where it ended; or "
                    "give it up with --undo"));
}

}  // namespace gateway::store
