#include "json/path_table.h"

#include <algorithm>
#include <utility>

namespace gateway::json {

std::vector<std::string_view> SplitPath(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    parts.push_back(path.substr(0, dot));
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return parts;
}

PathTable::PathTable(std::vector<std::string> paths) : paths_(std::move(paths)) {
  nodes_.emplace_back();
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    int node = 0;
    for (const std::string_view part : SplitPath(paths_[i])) {
      int child = Child(node, part);
      if (child < 0) {
        child = static_cast<int>(nodes_.size());
        nodes_.push_back(
            {std::string(part), -1, nodes_[static_cast<std::size_t>(node)].first_child, -1});
        nodes_[static_cast<std::size_t>(node)].first_child = child;
      }
      node = child;
    }
    nodes_[static_cast<std::size_t>(node)].index = static_cast<int>(i);
  }
}

int PathTable::IndexOf(std::string_view path) const {
  const auto found = std::find(paths_.begin(), paths_.end(), path);
  return found == paths_.end() ? -1 : static_cast<int>(found - paths_.begin());
}

int PathTable::Child(int parent, std::string_view key) const {
  for (int child = node(parent).first_child; child >= 0; child = node(child).next_sibling) {
    if (node(child).key == key) return child;
  }
  return -1;
}

}  // namespace gateway::json
