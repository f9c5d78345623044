// Free values are written as the JSON that they were made of.
#include "json/free_value.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "json/proto_writer.h"
#include "pictory/jobs/v1/storyboard.pb.h"

namespace gateway::json {
namespace {

namespace v1 = ::pictory::jobs::v1;

TEST(FreeValue, NumbersAreWrittenAsPictoryWritesThem) {
  const std::pair<double, const char*> cases[] = {
      {0, "0"},
      {-0.0, "-0"},
      {3108, "3108"},
      {-1, "-1"},
      {1e6, "1000000"},
      {9007199254740991, "9007199254740991"},
      {-9007199254740991, "-9007199254740991"},
      {0.1, "0.1"},
      {0.48, "0.48"},
      {1.0 / 3, "0.3333333333333333"},
      {0.1 + 0.2, "0.30000000000000004"},
      {1e-7, "1e-07"},
      {std::numeric_limits<double>::denorm_min(), "5e-324"},
  };
  for (const auto& [number, text] : cases) {
    v1::AiVoice voice;
    voice.mutable_speaker()->set_number_value(number);
    EXPECT_EQ(*ToJson(voice), std::string("{\"speaker\":") + text + "}");
    EXPECT_EQ(std::strtod(text, nullptr), number);
  }
}

TEST(FreeValue, EverySortIsWritten) {
  v1::Scene scene;
  auto& list = *scene.mutable_background_brolls();
  list.add_values()->set_null_value(google::protobuf::NULL_VALUE);
  list.add_values()->set_bool_value(true);
  list.add_values()->set_bool_value(false);
  list.add_values()->set_string_value("\"é\n");
  list.add_values()->set_string_value("");
  list.add_values()->mutable_list_value();
  auto& fields = *list.add_values()->mutable_struct_value()->mutable_fields();
  for (const char* key : {"b", "a", "", "é", "B"}) fields[key].set_number_value(1);
  list.add_values()->mutable_struct_value();
  scene.mutable_media_repurpose_settings();
  EXPECT_EQ(*ToJson(scene),
            R"({"mediaRepurposeSettings":{},"backgroundBrolls":[null,true,false,"\"é\n","",[],)"
            R"({"":1,"B":1,"a":1,"b":1,"é":1},{}]})");
}

// Made-up JSON of every shape, by way of protobuf's own reader of JSON.
class Texts {
 public:
  explicit Texts(unsigned seed) : random_(seed) {}

  std::string Any(int depth) {
    switch (Below(depth > 4 ? 5 : 7)) {
      case 0:
        return "null";
      case 1:
        return Below(2) == 0 ? "true" : "false";
      case 2:
        return std::to_string(static_cast<std::int64_t>(random_()) >> (11 + Below(50)));
      case 3:
        return std::to_string(Below(1000)) + "." + std::to_string(1 + Below(99999));
      case 4:
        return "\"" + std::string(Below(4), 'x') + "\\u00e9\\n\\\"\"";
      case 5: {
        std::string list = "[";
        for (unsigned n = Below(4); n > 0; --n) list += Any(depth + 1) + (n > 1 ? "," : "");
        return list + "]";
      }
      default:
        return Object(depth + 1);
    }
  }

  std::string Object(int depth) {
    std::string object = "{";
    for (unsigned n = Below(4); n > 0; --n) {
      object += "\"key " + std::to_string(n) + "\":" + Any(depth) + (n > 1 ? "," : "");
    }
    return object + "}";
  }

 private:
  unsigned Below(unsigned n) { return static_cast<unsigned>(random_() % n); }

  std::mt19937_64 random_;
};

TEST(FreeValue, WhatIsReadIsWrittenAgain) {
  for (unsigned seed = 0; seed < 2'000; ++seed) {
    const std::string text = Texts(seed).Object(0);
    v1::Background background;
    ASSERT_TRUE(
        google::protobuf::util::JsonStringToMessage(text, background.mutable_motion_graphics())
            .ok())
        << text;
    const std::string written = *ToJson(background);
    v1::Background back;
    ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(written, &back).ok()) << written;
    ASSERT_TRUE(google::protobuf::util::MessageDifferencer::Equals(background, back))
        << text << "\n"
        << written;
    EXPECT_EQ(written, *ToJson(background)) << "the order is the same each time";
  }
}

}  // namespace
}  // namespace gateway::json
