// These functions are about files and directories in which nobody else may have a say: the state
// directory, and the files of secrets.
//
// Whoever can put files into the state directory can have the gateway forget what was paid for, or
// write through a link to a file of theirs choosing. So a directory that everybody may write to, a
// file or directory of another user, and a link in the place of a file are refused. Root has a say
// everywhere. A group may write to the directory, because Kubernetes gives a volume to a pod by its
// group.
//
// Errors are FAILED_PRECONDITION, unless said otherwise, and name the file and what to do.
#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace gateway {

// Whether the directory, or the one to which a link of that name leads, is fit. OK if there is none
// yet.
absl::Status CheckOwnDirectory(const std::string& path);

// Whether what has this name in such a directory is fit: a regular file. OK if there is none.
absl::Status CheckOwnFile(const std::string& path);

// Opens the file, or creates it (O_CREAT) for this user alone, and checks it before anything is
// read or written. It never opens what a link leads to. FileError's errors for what fails.
absl::StatusOr<int> OpenOwnFile(const std::string& path, int flags);

// Creates the file anew for this user alone; what had its name before is removed, and not opened.
absl::StatusOr<int> CreateOwnFile(const std::string& path);

// Writes the file, in such a directory, so that whenever the power fails it is whole under its
// name, as it was or as it is to be. What this has made beside it is removed by the next time.
absl::Status ReplaceOwnFile(const std::string& path, std::string_view text);

// Makes durable which names the directory holds.
absl::Status FlushDirectory(const std::string& path);

// Whether a file can be read, or written, by anybody but its owner. A secret that Kubernetes mounts
// for a user other than root belongs to root, and is shown to that user by its group.
bool OthersMayRead(const struct stat& info);

}  // namespace gateway
