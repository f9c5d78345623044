// These functions make the message of a method from what came over HTTP: the path, the query, the
// body and some headers. Pure.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/errors.h"
#include "face/routes.h"
#include "face/url_text.h"
#include "google/protobuf/message.h"
#include "http/server_message.h"

namespace gateway::face {

// A new message of a type that is linked into the program.
std::unique_ptr<google::protobuf::Message> NewMessage(const google::protobuf::Descriptor& type);

struct RequestTexts {
  const Route& route;
  PathTemplate::Captures captures;
  QueryPairs query;
  std::string_view body;       // "" is an empty object
  std::string resume_after{};  // Last-Event-ID; the query goes before it
};

// Everything that is wrong is told. A field may stand in one place only.
std::vector<errors::Violation> ReadRequest(const RequestTexts& texts,
                                           google::protobuf::Message& request);

// What the headers say in the words of gRPC: metadata, and the deadline.
struct HeadFacts {
  std::vector<std::pair<std::string, std::string>> metadata;
  std::optional<Duration> deadline{};
};
// `tenant_header` is one more that proxies set; "" if there is none. INVALID_REQUEST if one cannot
// be understood.
absl::StatusOr<HeadFacts> ReadHead(const std::vector<http::Header>& headers,
                                   std::string_view tenant_header);

// OK for JSON as it is, and for no body at all if the method reads or deletes. Whatever else may be
// paid must be called JSON even if it is empty: a page can send what it likes to anybody, but that
// name only where it was allowed to.
absl::Status CheckBodyType(const http::ServerRequest& head);

}  // namespace gateway::face
