#include "rpc/wire_bounds.h"

#include <gmock/gmock.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/library_lines.h"
#include "base/limits.h"
#include "google/protobuf/message.h"
#include "json/free_value.h"
#include "pictory/jobs/v1/annotations.pb.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "rpc/wire_bytes.h"

namespace gateway::rpc {
namespace {

namespace v1 = ::pictory::jobs::v1;
using bytes::Field;
using bytes::Tag;
using bytes::Times;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

WireFindings CheckBytes(const std::string& bytes, const Descriptor* type, int block = -1) {
  google::protobuf::io::ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()),
                                                block);
  return CheckWire(stream, bytes.size(), *type);
}

template <class Message>
WireFindings CheckMessage(const Message& message) {
  return CheckBytes(message.SerializeAsString(), Message::descriptor());
}

// Every field of every request, each message type once, with how to put it into the request.
struct Place {
  const Descriptor* request;
  const FieldDescriptor* field;
  std::string path;  // of the message around it
  std::function<std::string(const std::string& bytes)>
      wrap;  // a message's bytes into the request's
};

bool IsFree(const FieldDescriptor* field) {
  return json::FreeKindOf(*field) != json::FreeKind::kNone;
}

void Collect(const Place& around, const Descriptor* type, std::set<const Descriptor*>& seen,
             std::vector<Place>& out) {
  if (!seen.insert(type).second) return;
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor* const field = type->field(i);
    Place place = around;
    place.field = field;
    out.push_back(place);
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || field->is_map()) continue;
    if (IsFree(field)) continue;
    absl::StrAppend(&place.path, field->name(), field->is_repeated() ? "[0]." : ".");
    place.wrap = [wrap = around.wrap, number = field->number()](const std::string& bytes) {
      return wrap(Field(number, bytes));
    };
    Collect(place, field->message_type(), seen, out);
  }
}

std::vector<Place> AllFields() {
  std::vector<Place> all;
  const auto* service = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
      "pictory.jobs.v1.PictoryJobs");
  std::set<const Descriptor*> seen;
  for (int i = 0; i < service->method_count(); ++i) {
    const Descriptor* const request = service->method(i)->input_type();
    Collect({request, nullptr, "", [](const std::string& bytes) { return bytes; }}, request, seen,
            all);
  }
  return all;
}

bool IsText(const FieldDescriptor* field) {
  return field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
}

bool EndsWith(const std::string& text, const std::string& tail) {
  return text.size() >= tail.size() &&
         text.compare(text.size() - tail.size(), tail.size(), tail) == 0;
}

TEST(Bounds, EveryListMapAndTextOfEveryRequestDeclaresOne) {
  const std::vector<Place> all = AllFields();
  ASSERT_GT(all.size(), 150u);
  for (const Place& place : all) {
    const FieldDescriptor* const field = place.field;
    const v1::FieldBound& bound = field->options().GetExtension(v1::bound);
    const std::string name(field->full_name());
    EXPECT_EQ(field->is_repeated() || IsFree(field), bound.max_items() > 0) << name;
    EXPECT_EQ(IsText(field) || field->is_map() || IsFree(field), bound.max_bytes() > 0) << name;
    EXPECT_EQ(field->is_map(), bound.max_key_bytes() > 0) << name;
    if (!field->is_map()) continue;
    // The walk knows no others.
    EXPECT_EQ(field->message_type()->map_key()->type(), FieldDescriptor::TYPE_STRING) << name;
    EXPECT_EQ(field->message_type()->map_value()->type(), FieldDescriptor::TYPE_STRING) << name;
  }
}

TEST(Bounds, TheDeclaredOnesAreThoseOfTheProgram) {
  const std::map<std::string, std::size_t> by_name = {
      {"request_id", limits::kRequestIdMaxBytes},
      {"job_id", limits::kUpstreamIdMaxBytes},
      {"preview_job_id", limits::kUpstreamIdMaxBytes},
      {"transcription_job_id", limits::kUpstreamIdMaxBytes},
      {"adopt_pictory_job_id", limits::kUpstreamIdMaxBytes},
      {"project_id", limits::kUpstreamIdMaxBytes},
      {"file_name", limits::kFileNameMaxBytes},
      {"content_type", limits::kContentTypeMaxBytes},
      {"notify_url", limits::kNotifyUrlMaxBytes},
  };
  for (const Place& place : AllFields()) {
    const FieldDescriptor* const field = place.field;
    const FieldBounds bounds = BoundsOf(*field);
    const std::string name(field->name());
    if (const auto found = by_name.find(name); found != by_name.end()) {
      EXPECT_EQ(bounds.max_bytes, found->second) << field->full_name();
    } else if (name == "labels") {
      EXPECT_EQ(bounds.max_items, limits::kLabelsMax) << field->full_name();
      EXPECT_EQ(bounds.max_key_bytes, limits::kLabelKeyMaxBytes) << field->full_name();
      EXPECT_EQ(bounds.max_bytes, limits::kLabelValueMaxBytes) << field->full_name();
    } else if (name == "url" || EndsWith(name, "_url") || EndsWith(name, "_urls")) {
      EXPECT_EQ(bounds.max_bytes, limits::kUrlMaxBytes) << field->full_name();
    } else if (EndsWith(name, "_json")) {
      EXPECT_EQ(bounds.max_bytes, limits::kRequestMaxBytes) << field->full_name();
    }
    EXPECT_LE(bounds.max_items,
              IsFree(field) ? limits::kRequestFreeValuesMax : limits::kRequestMessagesMax)
        << field->full_name();
    EXPECT_LE(bounds.max_bytes, limits::kRequestMaxBytes) << field->full_name();
  }
}

TEST(Bounds, EachIsKeptToTheLastByteAndElement) {
  for (const Place& place : AllFields()) {
    const FieldDescriptor* const field = place.field;
    if (IsFree(field)) continue;  // see wire_free_test.cc
    const FieldBounds bounds = BoundsOf(*field);
    const int number = field->number();
    const std::string path = absl::StrCat(place.path, field->name());
    const auto check = [&](const std::string& bytes) {
      return CheckBytes(place.wrap(bytes), place.request).violations;
    };
    if (bounds.max_bytes > 0) {
      const auto sized = [&](std::size_t size) {
        const std::string text(size, 'x');
        return Field(number, field->is_map() ? Field(1, "k") + Field(2, text) : text);
      };
      EXPECT_THAT(check(sized(bounds.max_bytes)), IsEmpty()) << path;
      const auto found = check(sized(bounds.max_bytes + 1));
      ASSERT_THAT(found, SizeIs(1)) << path;
      EXPECT_EQ(found[0].field, path + (field->is_map()        ? "[k]"
                                        : field->is_repeated() ? "[0]"
                                                               : ""));
      EXPECT_THAT(found[0].description, AllOf(HasSubstr(std::to_string(bounds.max_bytes + 1)),
                                              HasSubstr(std::to_string(bounds.max_bytes))));
    }
    if (bounds.max_key_bytes > 0) {
      const auto keyed = [&](std::size_t size) {
        return Field(number, Field(1, std::string(size, 'x')) + Field(2, "v"));
      };
      EXPECT_THAT(check(keyed(bounds.max_key_bytes)), IsEmpty()) << path;
      const auto found = check(keyed(bounds.max_key_bytes + 1));
      ASSERT_THAT(found, SizeIs(1)) << path;
      EXPECT_EQ(found[0].field, path + ".key");
    }
    if (bounds.max_items > 0) {
      const bool whole = IsText(field) || field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
      const std::string one = whole ? Field(number, "") : Tag(number, 0) + "\1";
      const auto found = check(Times(bounds.max_items + 2, one));
      ASSERT_THAT(found, SizeIs(1)) << path;
      // Of longer lists, empty elements are too many for so few bytes.
      if (bounds.max_items >= limits::kRequestMessagesFree) continue;
      EXPECT_EQ(found[0].field, path);
      EXPECT_THAT(found[0].description, AllOf(HasSubstr(std::to_string(bounds.max_items + 2)),
                                              HasSubstr(std::to_string(bounds.max_items))));
      EXPECT_THAT(check(Times(bounds.max_items, one)), IsEmpty()) << path;
    }
  }
}

TEST(Bounds, WhatPictoryTakesIsTaken) {
  v1::CreatePreviewRequest request;
  v1::Storyboard& board = *request.mutable_storyboard();
  const auto characters = [](int count) {
    return Times(static_cast<std::size_t>(count), "\xF0\x9F\x8E\xAC");
  };
  board.set_video_name(characters(150));
  for (int i = 0; i < 50; ++i) {
    v1::Scene& scene = *board.add_scenes();
    scene.set_story(characters(15'000));
    scene.mutable_story_co_pilot()->set_prompt(characters(5'000));
    scene.mutable_background()->mutable_ai_visual()->set_prompt(characters(500));
    scene.mutable_background()->mutable_search_filter()->add_keywords(characters(100));
    for (int k = 0; k < 20; ++k) scene.add_elements()->set_text(characters(2'000));
  }
  EXPECT_THAT(CheckMessage(request).violations, IsEmpty());
}

TEST(Bounds, ADayOfSpokenWordsIsNotButTenHoursAre) {
  v1::SummarizeRequest request;
  for (int i = 0; i < 9'000; ++i) {
    v1::Sentence& sentence = *request.mutable_typed_transcript()->add_sentences();
    for (int k = 0; k < 10; ++k) {
      v1::Word& word = *sentence.add_words();
      word.set_word("I");
      word.set_start_time(i);
      word.set_end_time(i);
    }
  }
  EXPECT_THAT(CheckMessage(request).violations, IsEmpty());
  for (int i = 0; i < 1'000; ++i) request.mutable_typed_transcript()->add_sentences()->add_words();
  EXPECT_THAT(CheckMessage(request).violations, SizeIs(1));
}

TEST(Bounds, ListsOfNumbersAreCountedInOnePieceAndInMany) {
  v1::ListJobsRequest request;
  for (int i = 0; i < 65; ++i) request.add_states(v1::JOB_STATE_QUEUED);
  const auto packed = CheckMessage(request).violations;
  ASSERT_THAT(packed, SizeIs(1));
  EXPECT_EQ(packed[0].field, "states");
  EXPECT_THAT(packed[0].description, HasSubstr("has 65 elements; at most 64"));
  const std::string mixed = Field(1, std::string(40, '\1')) + Times(25, Tag(1, 0) + "\1");
  EXPECT_THAT(CheckBytes(mixed, v1::ListJobsRequest::descriptor()).violations, SizeIs(1));
}

TEST(Bounds, EveryTextThatIsTooLongIsNamed) {
  v1::TranscribeRequest request;
  request.set_file_url(std::string(limits::kUrlMaxBytes + 1, 'u'));
  request.set_language(std::string(300, 'l'));
  (*request.mutable_labels())["team"] = std::string(256, 'v');
  std::vector<std::string> fields;
  for (const auto& violation : CheckMessage(request).violations) fields.push_back(violation.field);
  EXPECT_THAT(fields, ::testing::UnorderedElementsAre("file_url", "language", "labels[team]"));
}

TEST(Bounds, EmptyMessagesAreTooManyForTheirBytes) {
  const std::string words = Times(30'000, Field(3, ""));
  const auto found = CheckBytes(Field(11, Field(1, words)), v1::SummarizeRequest::descriptor());
  ASSERT_THAT(found.violations, SizeIs(1));
  EXPECT_THAT(found.violations[0].field, HasSubstr("typed_transcript.sentences[0].words["));
  EXPECT_THAT(found.violations[0].description, HasSubstr("at any depth"));
}

TEST(Bounds, AFieldThatCountsOnceDoesNotComeAThousandTimes) {
  const Descriptor* const render = v1::RenderRequest::descriptor();
  for (const std::string& piece :
       {Field(10, "a"), Field(10, "a") + Field(11, "b"), Tag(3, 0) + "\1"}) {
    EXPECT_THAT(CheckBytes(Times(limits::kRequestFieldRepeatsMax, piece), render).violations,
                IsEmpty());
    EXPECT_THAT(CheckBytes(Times(limits::kRequestFieldRepeatsMax + 1, piece), render).violations,
                SizeIs(1));
  }
  EXPECT_THAT(CheckBytes(Field(12, "") + Field(12, ""), render).violations, SizeIs(1))
      << "it may hold free values";
  const std::string entry = Field(2, Times(10'000, Field(1, "k")));
  EXPECT_THAT(CheckBytes(entry, render).violations, SizeIs(1));
}

TEST(Bounds, FieldsNobodyKnowsAreFew) {
  const std::vector<std::string> kinds = {
      Tag(50, 0) + "\1",   Tag(50, 1) + "12345678", Field(50, "text"), Tag(50, 3) + Tag(50, 4),
      Tag(50, 5) + "1234", Tag(1, 0) + "\1"};  // of the wrong wire type
  for (const std::string& one : kinds) {
    const auto few =
        CheckBytes(Times(limits::kRequestUnknownFieldsMax, one), v1::GetJobRequest::descriptor());
    EXPECT_TRUE(few.readable);
    EXPECT_THAT(few.violations, IsEmpty());
    const auto many = CheckBytes(Times(limits::kRequestUnknownFieldsMax + 1, one),
                                 v1::GetJobRequest::descriptor());
    ASSERT_THAT(many.violations, SizeIs(1));
    EXPECT_THAT(many.violations[0].description, HasSubstr("older than yours"));
  }
  const std::string nested = Times(100'000, Tag(50, 3)) + Times(100'000, Tag(50, 4));
  EXPECT_THAT(CheckBytes(nested, v1::GetJobRequest::descriptor()).violations, SizeIs(1));
}

TEST(Bounds, BrokenBytesAreNoMessage) {
  for (const std::string& bytes :
       {std::string("\x0a\x05"
                    "abc"),
        std::string("\x00", 1), std::string("\x0a"), std::string("\xff"), Tag(50, 3), Tag(50, 4),
        Tag(50, 3) + Tag(51, 4), Tag(50, 7), Tag(50, 1) + "123", Field(12, "\x0a\x05")}) {
    EXPECT_FALSE(CheckBytes(bytes, v1::RenderRequest::descriptor()).readable);
    EXPECT_FALSE(v1::RenderRequest().ParseFromString(bytes));
  }
}

// In small pieces, as bytes come from the network.
TEST(Bounds, WhatTheParserTakesIsReadAlikeWhateverTheBytes) {
  v1::RenderRequest sample;
  (*sample.mutable_labels())["key"] = "value";
  v1::Scene& scene = *sample.mutable_storyboard()->add_scenes();
  scene.set_story("story");
  scene.add_elements()->set_text("text");
  scene.mutable_background()->add_clips()->set_start(1);
  (*sample.mutable_storyboard()->mutable_variables())["name"] = "text";
  auto& input = *sample.mutable_storyboard()->mutable_webhook_input()->mutable_fields();
  input["list"].mutable_list_value()->add_values()->set_bool_value(true);
  input["object"].mutable_struct_value()->mutable_fields()->insert({"a", {}});
  const std::string good = sample.SerializeAsString();
  std::mt19937 random(1);
  TakeLibraryLines([](const LibraryLine&) {});  // of texts that are not UTF-8
  int taken = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::string bytes = good;
    for (int k = 0; k < 3; ++k) bytes[random() % bytes.size()] = static_cast<char>(random());
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    const WireFindings found = CheckBytes(bytes, v1::RenderRequest::descriptor(), 7);
    v1::RenderRequest parsed;
    if (!parsed.ParseFromString(bytes)) continue;
    ++taken;
    EXPECT_TRUE(found.readable) << testing::PrintToString(bytes);
  }
  TakeLibraryLines(nullptr);
  EXPECT_GT(taken, 1000);
}

TEST(Bounds, WhatAMessageWillTakeIsKnownBefore) {
  v1::RenderRequest request;
  for (int i = 0; i < 1000; ++i)
    request.mutable_storyboard()->add_scenes()->add_elements()->set_text("A text of some bytes");
  v1::RenderRequest parsed;
  ASSERT_TRUE(parsed.ParseFromString(request.SerializeAsString()));
  const double memory = static_cast<double>(parsed.SpaceUsedLong());
  const double expected = static_cast<double>(CheckMessage(request).memory_bytes);
  EXPECT_GT(expected, 0.5 * memory);
  EXPECT_LT(expected, 2 * memory);
}

}  // namespace
}  // namespace gateway::rpc
