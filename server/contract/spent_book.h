// SpentBook remembers in a file what a run has paid for, so that one that was killed is not paid
// for twice: the next run goes on with the jobs that are named there.
//
// A line is on the disk before a paid request is sent, and another one when Pictory has answered.
// The book of a run that has come to its end, and all of whose jobs have, is thrown away.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/own_lock.h"

namespace gateway::contract {

class SpentBook {
 public:
  // `service` is the base URL; a book of another one is an error, and so is one that another run
  // has open.
  static absl::StatusOr<SpentBook> Open(std::filesystem::path file, std::string service);

  // What is known of a kind of job that was sent: its id, or "" if no answer came. Nullopt: nothing
  // was sent.
  std::optional<std::string> Left(const std::string& kind) const;
  const std::map<std::string, std::string>& left() const { return left_; }
  const std::filesystem::path& file() const { return file_; }

  // Notes that a request is about to be sent, durably. Nothing may be sent if that fails.
  absl::Status Sending(const std::string& kind);
  absl::Status Made(const std::string& kind, const std::string& job_id);
  absl::Status Refused(const std::string& kind);
  // Notes, for Close, that the job of this kind has ended, or that Pictory has it no more.
  void Ended(const std::string& kind) { ended_.insert(kind); }

  // The run has come to its end. The book stays if there is a job of which no end was seen: the
  // next run goes on with it.
  void Close();

 private:
  SpentBook(std::filesystem::path file, std::string service)
      : file_(std::move(file)), service_(std::move(service)) {}
  absl::Status Read();
  absl::Status Write();

  std::filesystem::path file_;
  std::string service_;
  std::optional<OwnLock> lock_;              // until the last copy of the book goes
  std::map<std::string, std::string> left_;  // by kind
  std::set<std::string> ended_;              // kinds
};

}  // namespace gateway::contract
