// These functions keep the labels of a job as bytes, in every store: those of a serialised v1.Job
// that holds nothing else; empty for none.
#pragma once

#include <map>
#include <string>

namespace gateway::store {

std::string EncodeLabels(const std::map<std::string, std::string>& labels);
std::map<std::string, std::string> DecodeLabels(const std::string& bytes);

}  // namespace gateway::store
