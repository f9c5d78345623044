#include "app/address.h"

#include "absl/strings/str_cat.h"
#include "app/text.h"
#include "base/errors.h"

namespace gateway::app {
namespace {

constexpr std::string_view kUnix = "unix:";

absl::StatusOr<std::string> ParseUnixPath(std::string_view path) {
  TakePrefix(path, "//");  // unix:///run/x.sock, as gRPC writes it
  if (path.empty() || path.front() != '/') {
    return absl::InvalidArgumentError("the path of a unix socket begins with /");
  }
  if (path.find_first_of(" \t\r\n") != path.npos) {
    return absl::InvalidArgumentError("there is a blank in the path");
  }
  return std::string(path);
}

absl::StatusOr<ListenAddress> Parse(std::string_view text) {
  ListenAddress listen;
  if (TakePrefix(text, kUnix)) {
    absl::StatusOr<std::string> path = ParseUnixPath(text);
    if (!path.ok()) return path.status();
    listen.unix_path = *std::move(path);
    return listen;
  }
  if (TakePrefix(text, "tls:")) {
    listen.security = rpc::Security::kTls;
  } else if (TakePrefix(text, "mtls:")) {
    listen.security = rpc::Security::kMutualTls;
  }
  absl::StatusOr<Address> address = ParseHostPort(text);
  if (!address.ok()) return address.status();
  listen.address = *std::move(address);
  return listen;
}

}  // namespace

absl::StatusOr<Address> ParseAddress(std::string_view text) {
  absl::StatusOr<Address> address = ParseHostPort(text);
  if (address.ok()) return address;
  return absl::InvalidArgumentError(absl::StrCat(
      "'", errors::Clean(text), "' is not an address: ", std::string(address.status().message()),
      " (write host:port, such as 127.0.0.1:50051 or [::1]:50051; 0.0.0.0 is every "
      "interface)"));
}

std::string ListenAddress::ToString() const {
  return unix_path.empty() ? address.ToString() : absl::StrCat(std::string(kUnix), unix_path);
}

std::string ListenAddress::Target() const {
  return absl::StrCat(security == rpc::Security::kPlain ? "" : "https://", ToString());
}

absl::StatusOr<ListenAddress> ParseListenAddress(std::string_view text) {
  absl::StatusOr<ListenAddress> listen = Parse(text);
  if (listen.ok()) return listen;
  return absl::InvalidArgumentError(absl::StrCat(
      "'", errors::Clean(text), "' is not an address: ", std::string(listen.status().message()),
      " (write host:port, such as 127.0.0.1:50051 or [::1]:50051; 0.0.0.0 is every "
      "interface; or tls:host:port, mtls:host:port, unix:/path)"));
}

}  // namespace gateway::app
