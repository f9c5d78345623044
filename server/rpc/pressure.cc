#include "rpc/pressure.h"

#include <chrono>

#include "base/errors.h"
#include "base/limits.h"

namespace gateway::rpc {

const char* WordsFor(Shed what) {
  switch (what) {
    case Shed::kWatches:
      return "new watches";
    case Shed::kReads:
      return "reads that wait for its store or for Pictory";
    case Shed::kPolls:
      return "polls";
    case Shed::kSubmits:
      return "new submits and uploads";
  }
  return "";
}

Duration ShedRetryAfter(double random) {
  return std::chrono::duration_cast<Duration>(limits::kShedRetryAfter * (1 + 2 * random));
}

absl::Status UnderPressure(const Domain& domain, Shed what) {
  if (domain.shedding == nullptr || !domain.shedding->Refuses(what)) return absl::OkStatus();
  return errors::Overloaded(WordsFor(what), ShedRetryAfter(domain.random.Uniform()));
}

}  // namespace gateway::rpc
