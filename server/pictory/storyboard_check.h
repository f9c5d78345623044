// This check finds what Pictory is known to refuse late, ignore silently or bill in vain in a typed
// storyboard. Pure.
#pragma once

#include <string>

#include "pictory/jobs/v1/storyboard.pb.h"
#include "pictory/violations.h"

namespace gateway::pictory {

void CheckStoryboard(const ::pictory::jobs::v1::Storyboard& storyboard, const Path& path,
                     Violations& violations);

}  // namespace gateway::pictory
