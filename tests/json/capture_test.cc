// Values picked out of a reply while its result is read.
#include <gtest/gtest.h>

#include "json/proto_reader.h"
#include "pictory/jobs/v1/job.pb.h"

namespace gateway::json {
namespace {

namespace v1 = ::pictory::jobs::v1;

class Capture : public testing::Test {
 protected:
  const Captured& Get(std::string_view path) {
    const int index = table_.IndexOf(path);
    EXPECT_GE(index, 0) << path;
    return stats_.captured[static_cast<std::size_t>(index)];
  }
  void ReadText(std::string_view text, google::protobuf::Message* message) {
    ReadOptions options;
    options.message_at = "data";
    options.capture = &table_;
    const auto stats = Read(text, message, options);
    ASSERT_TRUE(stats.ok()) << stats.status();
    stats_ = *stats;
    ASSERT_EQ(stats_.captured.size(), table_.size());
  }

  const PathTable table_{{"success", "job_id", "data", "data.status", "data.renderProgress",
                          "data.renderParams", "data.transcript", "data.txt", "data.error_code",
                          "data.error.deep", "error.error_code", "error", "fields", "code"}};
  ReadStats stats_;
};

TEST_F(Capture, EnvelopeAndMessageInOnePass) {
  const std::string data =
      R"({ "status" : "comp\u006ceted", "renderProgress": "99.50",)"
      R"( "renderParams" : { "a": [ 18446744073709551616 ] } ,"preview":"p","error_code":890})";
  v1::PreviewResult message;
  const std::string text = R"({"job_id":"j","success":true,"data": )" + data + R"( ,"code":null})";
  ReadText(text, &message);
  EXPECT_EQ(message.preview_url(), "p");
  EXPECT_EQ(message.render_params_json(), R"({ "a": [ 18446744073709551616 ] })");
  EXPECT_EQ(Get("job_id").text, "j");
  EXPECT_EQ(Get("job_id").raw, "\"j\"");
  EXPECT_EQ(Get("success").type, Type::kBool);
  EXPECT_EQ(Get("success").text, "true");
  EXPECT_EQ(Get("data").raw, data);
  EXPECT_EQ(Get("data").type, Type::kObject);
  EXPECT_EQ(Get("data.status").text, "completed");
  EXPECT_EQ(Get("data.status").raw, R"("comp\u006ceted")");
  EXPECT_EQ(Get("data.renderProgress").text, "99.50");
  EXPECT_EQ(Get("data.renderProgress").type, Type::kString);
  EXPECT_EQ(Get("data.renderParams").raw, R"({ "a": [ 18446744073709551616 ] })");
  EXPECT_EQ(Get("data.error_code").type, Type::kNumber);
  EXPECT_EQ(Get("data.error_code").text, "890");
  EXPECT_EQ(Get("code").type, Type::kNull);
  EXPECT_FALSE(Get("code").scalar());
  EXPECT_FALSE(Get("error").present());
  EXPECT_FALSE(Get("data.transcript").present());
  // What was wanted is not unknown.
  EXPECT_EQ(stats_.unknown, 0u);
}

TEST_F(Capture, WithoutAMessage) {
  ReadText(R"({"error":{"error_code":"5000","error_message":"x"},"fields":[{"name":"scenes"}],
               "data":{"transcript":[ {"words":[]} ],"txt":"t","error":{"deep":[ ]}}})",
           nullptr);
  EXPECT_EQ(Get("error.error_code").text, "5000");
  EXPECT_EQ(Get("error").raw, R"({"error_code":"5000","error_message":"x"})");
  EXPECT_EQ(Get("fields").raw, R"([{"name":"scenes"}])");
  EXPECT_EQ(Get("data.transcript").raw, R"([ {"words":[]} ])");
  EXPECT_EQ(Get("data.transcript").type, Type::kArray);
  EXPECT_EQ(Get("data.error.deep").raw, "[ ]");
  EXPECT_EQ(Get("data.txt").text, "t");
  EXPECT_EQ(stats_.message_type, Type::kObject);
}

TEST_F(Capture, WhatTheMessageStoresOrSkipsIsStillCaptured) {
  v1::TranscriptionResult message;
  ReadOptions options;
  options.message_at = "data";
  options.capture = &table_;
  options.skip = {v1::TranscriptionResult::descriptor()->FindFieldByName("transcript")};
  options.string_max_bytes = 2;
  const std::string text = R"({"data":{"transcript":[{"words":[{"word":"a"}]}],"txt":"long"}})";
  const auto stats = Read(text, &message, options);
  ASSERT_TRUE(stats.ok());
  stats_ = *stats;
  EXPECT_EQ(message.transcript_size(), 0);
  EXPECT_EQ(message.txt(), "");
  EXPECT_EQ(Get("data.transcript").raw, R"([{"words":[{"word":"a"}]}])");
  EXPECT_EQ(Get("data.txt").text, "long");
}

TEST_F(Capture, OnlyAtTheirPlace) {
  v1::TranscriptionResult message;
  ReadText(R"({"status":"no","txt":"no","x":{"data":{"status":"no"},"success":true},
               "data":{"data":{"status":"no"},"transcript":[{"status":"no","txt":"no"}]},
               "error":[{"error_code":1}]})",
           &message);
  EXPECT_FALSE(Get("data.status").present());
  EXPECT_FALSE(Get("success").present());
  EXPECT_FALSE(Get("data.txt").present());
  EXPECT_FALSE(Get("error.error_code").present());
  EXPECT_EQ(Get("error").type, Type::kArray);
}

TEST_F(Capture, OddRoots) {
  v1::TranscriptionResult message;
  for (const char* text : {"[]", "null", "7", "\"data\"", "{}", R"([{"success":true}])"}) {
    ReadText(text, &message);
    EXPECT_FALSE(Get("success").present()) << text;
  }
  const PathTable whole{{""}};
  ReadOptions options;
  options.capture = &whole;
  for (const std::string value : {"[ 1 ]", "{ }", "7", "\"a\\\"\""}) {
    const std::string text = " " + value + "\n";
    const auto stats = Read(text, nullptr, options);
    ASSERT_TRUE(stats.ok());
    EXPECT_EQ(stats->captured[0].raw, value);
  }
}

TEST(PathTable, FindsPaths) {
  const PathTable table{{"a.b", "a", "c.d.e"}};
  EXPECT_EQ(table.IndexOf("a"), 1);
  EXPECT_EQ(table.IndexOf("c.d"), -1);
  EXPECT_EQ(table.path(2), "c.d.e");
}

}  // namespace
}  // namespace gateway::json
