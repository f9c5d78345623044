// JSON as one would do it by hand with plain RapidJSON, for one message and with no care for the
// rest.
#pragma once

#include <string>

#include "pictory/jobs/v1/storyboard.pb.h"

namespace bench {

// The fields that a typical storyboard sets, by the names they have at Pictory.
std::string WriteByHand(const pictory::jobs::v1::Storyboard& story);

// Parses with the flags of the gateway's reader and drops every event. The number of values, so
// that nothing can be optimised away; 0 if the text is broken.
std::size_t ParseBare(const std::string& text);

}  // namespace bench
