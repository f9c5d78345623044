#include "app/secret_watch.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "obs/log.h"

namespace gateway::app {

bool IsPipe(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_fifo(path, ignored);
}

WatchedFiles WatchedSecret(SecretOrigin file, std::function<absl::Status(Secret)> replaced) {
  WatchedFiles files{
      .name = "secret",
      .file = file.path,
      .advice =
          "the secret read before stays in use; put the file right, it is read again every "
          "few seconds"};
  files.read = [file]() -> absl::StatusOr<FileTexts> {
    if (IsPipe(file.path)) {
      return absl::InvalidArgumentError(
          absl::StrCat(file.flag, ": ", file.path, " is a pipe, which is read at a start only"));
    }
    absl::StatusOr<Secret> secret = ReadSecretFile(file.flag, file.path);
    if (!secret.ok()) return secret.status();
    return FileTexts{secret->Reveal()};
  };
  files.make = [file, replaced = std::move(replaced)](
                   const FileTexts& texts) -> absl::StatusOr<WatchedFiles::Use> {
    return [file, replaced, secret = Secret(texts.front())] {
      absl::Status taken = replaced(secret);
      if (taken.ok()) {
        obs::Log(obs::Level::kInfo, "secret_replaced", {{"flag", file.flag}, {"file", file.path}});
      }
      return taken;
    };
  };
  return files;
}

}  // namespace gateway::app
