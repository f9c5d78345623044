// A PathTable holds paths into a JSON text, such as `data.status`, whose values json/proto_reader.h
// picks out on the way.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace gateway::json {

// The parts of a path between its dots; views into it.
std::vector<std::string_view> SplitPath(std::string_view path);

// The paths of values to pick out of objects: `data.status`, `error.error_code`. Keys with dots in
// them cannot be named; paths lead through objects only. A table is immutable: make it once, share
// it.
class PathTable {
 public:
  explicit PathTable(std::vector<std::string> paths);

  std::size_t size() const { return paths_.size(); }
  const std::string& path(std::size_t index) const { return paths_[index]; }
  // The index of a path; -1 if it is not in the table.
  int IndexOf(std::string_view path) const;

  // The paths as a tree of keys, for the reader. Node 0 is the root.
  struct Node {
    std::string key;
    int first_child = -1;
    int next_sibling = -1;
    int index = -1;  // of the path that ends here
  };
  int Child(int node, std::string_view key) const;
  const Node& node(int index) const { return nodes_[static_cast<std::size_t>(index)]; }

 private:
  std::vector<std::string> paths_;
  std::vector<Node> nodes_;
};

}  // namespace gateway::json
