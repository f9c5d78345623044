#include "contract/facts.h"

namespace gateway::contract {

std::string_view Word(Certainty certainty) {
  return certainty == Certainty::kDocumented ? "documented" : "open";
}

std::string_view Word(Needs needs) {
  switch (needs) {
    case Needs::kNothing:
      return "nothing";
    case Needs::kKey:
      return "a key";
    case Needs::kTokens:
      return "tokens";
    case Needs::kSpend:
      return "--spend";
  }
  return "";
}

}  // namespace gateway::contract
