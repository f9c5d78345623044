// These functions keep what the caller has called a job, its labels and its name, as bytes, in
// every store: those of a serialised v1.Job that holds nothing else; empty for none. The column is
// called `labels`, because the name came later.
#pragma once

#include <map>
#include <string>

#include "jobs/job.h"

namespace gateway::store {

std::string EncodeGiven(const jobs::Job& job);
void DecodeGiven(const std::string& bytes, jobs::Job& job);
// The labels alone.
std::map<std::string, std::string> DecodeLabels(const std::string& bytes);

}  // namespace gateway::store
