#include "face/routes.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "face/url_text.h"
#include "pictory/jobs/v1/annotations.pb.h"

namespace gateway::face {

namespace v1 = ::pictory::jobs::v1;

PathTemplate::PathTemplate(std::string_view path) {
  const std::size_t last = path.rfind('/');
  const std::size_t colon = path.find(':', last == std::string_view::npos ? 0 : last);
  if (colon != std::string_view::npos) {
    verb_ = path.substr(colon + 1);
    path = path.substr(0, colon);
  }
  while (!path.empty()) {
    if (path.front() != '/') std::abort();
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    std::string_view text = path.substr(0, end);
    path.remove_prefix(end);
    const bool field = text.starts_with('{') && text.ends_with('}');
    if (field) text = text.substr(1, text.size() - 2);
    if (text.empty()) std::abort();
    segments_.push_back({std::string(text), field});
  }
}

bool PathTemplate::Match(std::string_view path, Captures& captures) const {
  if (!verb_.empty()) {
    const std::size_t colon = path.rfind(':');
    if (colon == std::string_view::npos || path.substr(colon + 1) != verb_) return false;
    path = path.substr(0, colon);
  }
  Captures found;
  for (const Segment& segment : segments_) {
    if (!path.starts_with('/')) return false;
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view text = path.substr(0, end);
    path.remove_prefix(end);
    if (!segment.field) {
      if (text != segment.text) return false;
      continue;
    }
    std::optional<std::string> decoded = PercentDecoded(text);
    if (text.find(':') != std::string_view::npos || !decoded || decoded->empty() ||
        *decoded == "." || *decoded == "..") {
      return false;
    }
    found.emplace_back(segment.text, *std::move(decoded));
  }
  if (!path.empty()) return false;
  captures.insert(captures.end(), std::make_move_iterator(found.begin()),
                  std::make_move_iterator(found.end()));
  return true;
}

std::vector<std::string> PathTemplate::fields() const {
  std::vector<std::string> names;
  for (const Segment& segment : segments_) {
    if (segment.field) names.push_back(segment.text);
  }
  return names;
}

Routes::Routes(const google::protobuf::ServiceDescriptor& service) {
  for (int i = 0; i < service.method_count(); ++i) {
    const auto* const method = service.method(i);
    for (const v1::HttpRule& rule : method->options().GetExtension(v1::http).rules()) {
      routes_.push_back({method, rule.method(), rule.path(), PathTemplate(rule.path())});
    }
  }
}

Routes::Found Routes::Find(std::string_view http_method, std::string_view path) const {
  if (http_method == "HEAD") http_method = "GET";
  Found found;
  for (const Route& route : routes_) {
    PathTemplate::Captures captures;
    if (!route.path_template.Match(path, captures)) continue;
    if (route.http_method == http_method) return {&route, std::move(captures), {}};
    found.allowed.push_back(route.http_method);
  }
  return found;
}

}  // namespace gateway::face
