// What stands in the OpenAPI document, against what the face does.
#include <gmock/gmock.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <string>

#include "face/openapi_document.h"

namespace gateway::face {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;

const Struct& ObjectAt(const Struct& object, const std::string& key) {
  const auto found = object.fields().find(key);
  EXPECT_TRUE(found != object.fields().end()) << key;
  return found == object.fields().end() ? object : found->second.struct_value();
}

bool Takes(const Struct& operation, const std::string& header) {
  for (const Value& one : operation.fields().at("parameters").list_value().values()) {
    if (one.struct_value().fields().at("name").string_value() == header) return true;
  }
  return false;
}

TEST(OpenApiTest, WhatHasATagSaysSo) {
  Struct document;
  ASSERT_TRUE(
      google::protobuf::util::JsonStringToMessage(std::string(OpenApiDocument()), &document).ok());
  const Struct& paths = ObjectAt(document, "paths");
  const auto get = [&](const std::string& path) -> const Struct& {
    return ObjectAt(ObjectAt(paths, path), "get");
  };
  for (const char* const path : {"/v1/jobs/{job_id}", "/v1/jobs/{job_id}:file"}) {
    const Struct& responses = ObjectAt(get(path), "responses");
    EXPECT_EQ(responses.fields().count("304"), 1u) << path;
    EXPECT_EQ(ObjectAt(ObjectAt(responses, "200"), "headers").fields().count("ETag"), 1u) << path;
    EXPECT_TRUE(Takes(get(path), "If-None-Match")) << path;
  }
  EXPECT_EQ(ObjectAt(get("/v1/jobs"), "responses").fields().count("304"), 0u);
  EXPECT_FALSE(Takes(get("/v1/jobs"), "If-None-Match"));
}

}  // namespace
}  // namespace gateway::face
