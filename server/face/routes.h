// Routes says which method of the API a request over HTTP is for, as the .proto declares it. Pure
// once it is made.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "google/protobuf/descriptor.h"

namespace gateway::face {

// A path such as `/v1/jobs/{job_id}:watch`, taken apart.
class PathTemplate {
 public:
  using Captures = std::vector<std::pair<std::string, std::string>>;  // field, text

  // A path that is not well-formed is the mistake of who wrote the .proto, and ends the process.
  explicit PathTemplate(std::string_view path);

  // Whether a path, still percent-encoded, is of this form; then adds what its fields stand for,
  // decoded. A colon within a field is written %3A and a slash %2F. Empty segments and `..` match
  // nothing, encoded or not.
  bool Match(std::string_view path, Captures& captures) const;
  std::vector<std::string> fields() const;

 private:
  struct Segment {
    std::string text;  // a literal, or the name of a field
    bool field = false;
  };
  std::vector<Segment> segments_;
  std::string verb_;  // after the colon; "" if there is none
};

struct Route {
  const google::protobuf::MethodDescriptor* method;
  std::string http_method;
  std::string path;
  PathTemplate path_template;

  bool takes_body() const { return http_method != "GET" && http_method != "DELETE"; }
};

class Routes {
 public:
  explicit Routes(const google::protobuf::ServiceDescriptor& service);

  struct Found {
    const Route* route = nullptr;  // null: nothing is there
    PathTemplate::Captures captures{};
    std::vector<std::string> allowed{};  // if it is null: by which methods something is there
  };
  // HEAD is looked up as GET.
  Found Find(std::string_view http_method, std::string_view path) const;
  const std::vector<Route>& all() const { return routes_; }

 private:
  std::vector<Route> routes_;
};

}  // namespace gateway::face
