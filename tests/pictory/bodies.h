// The complete bodies that Pictory publishes, in words of our own: testdata/bodies/KIND/NAME.json.
// What a body is shaped like is Pictory's; tests/e2e/bodies_test.py sends the same files.
#pragma once

#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "json/proto_reader.h"
#include "pictory/jobs/v1/template.pb.h"

namespace gateway::pictory {

struct PublishedBody {
  std::string kind;  // storyboard, transcribe, summarize, image, video, template or elements
  std::string name;
  std::string text;
};

inline std::vector<PublishedBody> PublishedBodies() {
  std::vector<PublishedBody> bodies;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(PICTORY_BODIES)) {
    if (entry.path().extension() != ".json") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    bodies.push_back(
        {entry.path().parent_path().filename().string(), entry.path().stem().string(), text.str()});
  }
  std::sort(bodies.begin(), bodies.end(),
            [](const auto& a, const auto& b) { return a.kind + a.name < b.kind + b.name; });
  return bodies;
}

// A request from its proto JSON, as grpcurl and every library read it.
template <class Request>
Request FromJson(const std::string& json) {
  Request request;
  const auto read = google::protobuf::util::JsonStringToMessage(json, &request);
  EXPECT_TRUE(read.ok()) << read.ToString() << "\n" << json;
  return request;
}

// A template's body from Pictory's own JSON. Proto JSON has its scenes as text.
inline ::pictory::jobs::v1::TemplateVideo TemplateFromJson(const std::string& json) {
  ::pictory::jobs::v1::TemplateVideo body;
  const auto read = json::Read(json, &body);
  EXPECT_TRUE(read.ok() && read->skipped() == 0) << json;
  return body;
}

}  // namespace gateway::pictory
