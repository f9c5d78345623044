#include "archive/detail.h"

#include <cerrno>
#include <cstring>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"

namespace gateway::archive {
namespace {

constexpr char kDetail[] = "archive/detail";

absl::Status DiskIsFull() { return absl::ResourceExhaustedError("The archive's disk is full"); }

absl::Status DiskFails(const std::string& what) {
  return absl::InternalError(
      absl::StrCat("The gateway cannot ", what, " its archive; its log says why"));
}

}  // namespace

absl::Status WithDetail(absl::Status trouble, const std::string& detail) {
  if (!trouble.ok()) trouble.SetPayload(kDetail, absl::Cord(detail));
  return trouble;
}

std::string DetailOf(const absl::Status& trouble) {
  const auto detail = trouble.GetPayload(kDetail);
  return detail.has_value() ? std::string(*detail) : std::string(trouble.message());
}

absl::Status DiskTrouble(int error, const std::string& what, const std::string& path) {
  return WithDetail(error == ENOSPC || error == EDQUOT ? DiskIsFull() : DiskFails(what),
                    absl::StrCat("Cannot ", what, " ", path, ": ", std::strerror(error)));
}

absl::Status DiskTrouble(const absl::Status& error) {
  return WithDetail(absl::IsResourceExhausted(error) ? DiskIsFull() : DiskFails("write"),
                    std::string(error.message()));
}

bool IsOfTheDisk(const absl::Status& trouble) {
  return absl::IsInternal(trouble) || absl::IsResourceExhausted(trouble);
}

}  // namespace gateway::archive
