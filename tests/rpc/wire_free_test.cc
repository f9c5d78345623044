// Free values on the wire, up to their bounds and beyond, and such as no library writes.
#include <gmock/gmock.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/struct.pb.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/limits.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "rpc/wire_bounds.h"
#include "rpc/wire_bytes.h"

namespace gateway::rpc {
namespace {

namespace v1 = ::pictory::jobs::v1;
using bytes::Field;
using bytes::Tag;
using bytes::Times;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Values, and members of objects, as bytes.
const std::string kNullBytes = Tag(1, 0) + std::string(1, '\0');
std::string TextBytes(const std::string& text) { return Field(3, text); }
std::string ObjectBytes(const std::string& members) { return Field(5, members); }
std::string ListBytes(const std::string& elements) { return Field(6, elements); }
std::string ElementBytes(const std::string& value) { return Field(1, value); }
std::string MemberBytes(const std::string& key, const std::string& value) {
  return Field(1, Field(1, key) + Field(2, value));
}

int NumberOf(const google::protobuf::Descriptor* type, const char* name) {
  return type->FindFieldByName(name)->number();
}

WireFindings CheckPreview(const std::string& storyboard) {
  const std::string request =
      Field(NumberOf(v1::CreatePreviewRequest::descriptor(), "storyboard"), storyboard);
  google::protobuf::io::ArrayInputStream stream(request.data(), static_cast<int>(request.size()),
                                                7);
  return CheckWire(stream, request.size(), *v1::CreatePreviewRequest::descriptor());
}

// With these bytes of a google.protobuf.Struct as its webhook_input.
WireFindings CheckInput(const std::string& members) {
  return CheckPreview(Field(NumberOf(v1::Storyboard::descriptor(), "webhook_input"), members));
}

WireFindings CheckBrolls(const std::string& elements) {
  const std::string scene = Field(NumberOf(v1::Scene::descriptor(), "background_brolls"), elements);
  return CheckPreview(Field(NumberOf(v1::Storyboard::descriptor(), "scenes"), scene));
}

void ExpectRefused(const WireFindings& found, const std::string& field,
                   const std::string& description) {
  EXPECT_TRUE(found.readable);
  ASSERT_THAT(found.violations, SizeIs(1)) << field;
  EXPECT_EQ(found.violations[0].field, field);
  EXPECT_THAT(found.violations[0].description, HasSubstr(description));
}

// The parser merges messages that come twice, and of two equal keys keeps one.
TEST(FreeValues, ComeOnceThroughEveryMessageAroundThem) {
  const auto* const request = v1::CreatePreviewRequest::descriptor();
  const auto* const board = v1::Storyboard::descriptor();
  const auto* const scene = v1::Scene::descriptor();
  const std::string input = Field(NumberOf(board, "webhook_input"), MemberBytes("k", kNullBytes));
  const std::string storyboard = Field(NumberOf(request, "storyboard"), input);
  const auto check = [request](const std::string& bytes) {
    google::protobuf::io::ArrayInputStream stream(bytes.data(), static_cast<int>(bytes.size()));
    return CheckWire(stream, bytes.size(), *request);
  };
  EXPECT_THAT(check(storyboard).violations, IsEmpty());
  ExpectRefused(check(storyboard + storyboard), "storyboard", "has 2 values; at most 1");
  ExpectRefused(CheckPreview(input + input), "storyboard.webhook_input", "has 2 values; at most 1");
  const std::string scenes =
      Field(NumberOf(board, "scenes"), Field(NumberOf(scene, "background_brolls"), ""));
  EXPECT_THAT(CheckPreview(scenes + scenes).violations, IsEmpty()) << "elements do not merge";
}

TEST(FreeValues, AreTakenTwentyDeepAndNotOneDeeper) {
  const auto objects = [](int levels) {  // the field itself is one
    std::string members = MemberBytes("k", kNullBytes);
    for (int i = 1; i < levels; ++i) members = MemberBytes("k", ObjectBytes(members));
    return members;
  };
  const auto lists = [](int levels) {
    std::string elements;
    for (int i = 1; i < levels; ++i) elements = ElementBytes(ListBytes(elements));
    return elements;
  };
  EXPECT_THAT(CheckInput(objects(20)).violations, IsEmpty());
  EXPECT_THAT(CheckBrolls(lists(20)).violations, IsEmpty());
  std::string path = "storyboard.webhook_input";
  for (int i = 0; i < 20; ++i) path += ".k";
  ExpectRefused(CheckInput(objects(21)), path, "deeper than 20");
  path = "storyboard.scenes[0].background_brolls";
  for (int i = 0; i < 20; ++i) path += "[0]";
  ExpectRefused(CheckBrolls(lists(21)), path, "deeper than 20");
  EXPECT_THAT(CheckBrolls(lists(3'000)).violations, SizeIs(1));
  v1::CreatePreviewRequest parsed;
  EXPECT_TRUE(parsed.ParseFromString(
      Field(10, Field(NumberOf(v1::Storyboard::descriptor(), "webhook_input"), objects(20)))))
      << "the parser goes as deep as we do";
}

TEST(FreeValues, AreCountedAtAnyDepth) {
  const FieldBounds bounds =
      BoundsOf(*v1::Scene::descriptor()->FindFieldByName("background_brolls"));
  const std::string element = ElementBytes(TextBytes("a short text"));
  EXPECT_THAT(CheckBrolls(Times(bounds.max_items, element)).violations, IsEmpty());
  ExpectRefused(CheckBrolls(Times(bounds.max_items + 1, element)),
                "storyboard.scenes[0].background_brolls[10000]", "the 10000");
  ExpectRefused(CheckBrolls(ElementBytes(ListBytes(Times(bounds.max_items, element)))),
                "storyboard.scenes[0].background_brolls[0][9999]", "at any depth");
  EXPECT_THAT(CheckBrolls(Times(1'000'000, element)).violations, SizeIs(2));  // and in bytes
}

TEST(FreeValues, MayBeFewInFewBytes) {
  const auto nulls = [](std::size_t count) {
    return Field(NumberOf(v1::Storyboard::descriptor(), "scenes"),
                 Field(NumberOf(v1::Scene::descriptor(), "transcript"),
                       Times(count, ElementBytes(kNullBytes))));
  };
  EXPECT_THAT(CheckPreview(nulls(10'000)).violations, IsEmpty());
  ExpectRefused(CheckPreview(nulls(20'000)), "storyboard.scenes[0].transcript[15001]",
                "of 80013 bytes may hold 15001");
}

TEST(FreeValues, AnObjectHasAsManyMembersAsOneInJsonText) {
  const auto members = [](std::size_t count) {
    std::string object;
    for (std::size_t i = 0; i < count; ++i) {
      object += MemberBytes("key" + std::to_string(i), kNullBytes);
    }
    return Field(
        NumberOf(v1::Storyboard::descriptor(), "scenes"),
        Field(NumberOf(v1::Scene::descriptor(), "transcript"), ElementBytes(ObjectBytes(object))));
  };
  EXPECT_THAT(CheckPreview(members(limits::kJsonMembersMax)).violations, IsEmpty());
  ExpectRefused(CheckPreview(members(limits::kJsonMembersMax + 1)),
                "storyboard.scenes[0].transcript[0]", "more than 10000 members");
}

TEST(FreeValues, OfAllFieldsAreBoundedTogether) {
  const std::string brolls = Field(NumberOf(v1::Scene::descriptor(), "background_brolls"),
                                   Times(10'000, ElementBytes(TextBytes("a short text"))));
  const std::string scene = Field(NumberOf(v1::Storyboard::descriptor(), "scenes"), brolls);
  EXPECT_THAT(CheckPreview(Times(20, scene)).violations, IsEmpty());
  ExpectRefused(CheckPreview(Times(21, scene)), "storyboard.scenes[20].background_brolls[0]",
                "may hold 200000");
}

TEST(FreeValues, AreBoundedInBytes) {
  const FieldBounds bounds =
      BoundsOf(*v1::Storyboard::descriptor()->FindFieldByName("webhook_input"));
  const std::size_t around =
      MemberBytes("k", TextBytes(std::string(1'000'000, 'x'))).size() - 1'000'000;
  const auto sized = [&](std::size_t size) {
    return MemberBytes("k", TextBytes(std::string(size - around, 'x')));
  };
  ASSERT_EQ(sized(bounds.max_bytes).size(), bounds.max_bytes);
  EXPECT_THAT(CheckInput(sized(bounds.max_bytes)).violations, IsEmpty());
  ExpectRefused(CheckInput(sized(bounds.max_bytes + 1)), "storyboard.webhook_input",
                "is 1048577 bytes long; at most 1048576");
}

TEST(FreeValues, AKeyIsThereOnce) {
  const std::string one = MemberBytes("a", kNullBytes);
  EXPECT_THAT(CheckInput(one + MemberBytes("b", ObjectBytes(one)) + MemberBytes("A", kNullBytes))
                  .violations,
              IsEmpty());
  ExpectRefused(CheckInput(one + MemberBytes("b", kNullBytes) + one), "storyboard.webhook_input.a",
                "twice");
  ExpectRefused(CheckInput(MemberBytes("o", ListBytes(ElementBytes(ObjectBytes(one + one))))),
                "storyboard.webhook_input.o[0].a", "twice");
  // An empty key may be left out.
  const std::string empty = Field(1, Field(2, kNullBytes));
  EXPECT_THAT(CheckInput(empty).violations, IsEmpty());
  ExpectRefused(CheckInput(empty + MemberBytes("", kNullBytes)), "storyboard.webhook_input",
                "twice");
  std::string many;
  for (int i = 0; i < 9'000; ++i) many += MemberBytes("key" + std::to_string(i), kNullBytes);
  EXPECT_THAT(CheckInput(many).violations, IsEmpty());
  ExpectRefused(CheckInput(many + MemberBytes("key77", kNullBytes)),
                "storyboard.webhook_input.key77", "twice");
}

TEST(FreeValues, AKeyHasABoundAndIsShownClean) {
  EXPECT_THAT(CheckInput(MemberBytes(std::string(256, 'k'), kNullBytes)).violations, IsEmpty());
  ExpectRefused(CheckInput(MemberBytes(std::string(257, 'k'), kNullBytes)),
                "storyboard.webhook_input", "a key of 257 bytes; at most 256");
  ExpectRefused(CheckInput(MemberBytes("a\x1b[31m\nb", "")), "storyboard.webhook_input.a [31m b",
                "says nothing");
  std::string deep = "";
  for (int i = 0; i < 19; ++i) deep = MemberBytes(std::string(256, 'k'), ObjectBytes(deep));
  const auto found = CheckInput(deep + MemberBytes("x", ""));
  ASSERT_THAT(found.violations, SizeIs(1));
  EXPECT_LT(found.violations[0].field.size(), 600u);
}

TEST(FreeValues, WhatNoLibraryWritesIsRefused) {
  const std::string path = "storyboard.webhook_input.k";
  ExpectRefused(CheckInput(MemberBytes("k", "")), path, "says nothing");
  ExpectRefused(CheckInput(MemberBytes("k", kNullBytes + TextBytes("t"))), path, "two things");
  const std::string object = ObjectBytes(MemberBytes("a", kNullBytes));
  ExpectRefused(CheckInput(MemberBytes("k", object + object)), path, "two things");
  ExpectRefused(CheckInput(MemberBytes("k", Field(9, "x"))), path, "number 9");
  ExpectRefused(CheckInput(MemberBytes("k", Tag(2, 0) + "\1")), path, "number 2");
  ExpectRefused(CheckInput(MemberBytes("k", Tag(9, 3) + Tag(9, 4))), path, "number 9");
  ExpectRefused(CheckInput(Field(1, Field(1, "k"))), path, "says nothing");
  ExpectRefused(CheckInput(Field(1, Field(1, "k") + Field(2, kNullBytes) + Field(2, kNullBytes))),
                path, "two things");
  ExpectRefused(CheckInput(Field(1, Field(1, "k") + Field(1, "k"))), "storyboard.webhook_input",
                "two keys");
  ExpectRefused(CheckInput(Field(1, Field(3, "k"))), "storyboard.webhook_input", "number 3");
  ExpectRefused(CheckInput(Field(2, "k")), "storyboard.webhook_input", "number 2");
  ExpectRefused(CheckBrolls(Field(2, "k")), "storyboard.scenes[0].background_brolls", "number 2");
}

TEST(FreeValues, AFieldOfThemComesOnce) {
  const int number = NumberOf(v1::Storyboard::descriptor(), "webhook_input");
  const std::string input = Field(number, MemberBytes("a", kNullBytes));
  EXPECT_THAT(CheckPreview(input).violations, IsEmpty());
  ExpectRefused(CheckPreview(input + input), "storyboard.webhook_input", "has 2 values; at most 1");
}

TEST(FreeValues, BrokenBytesAreNone) {
  for (const std::string& broken :
       {Field(1, Field(1, "k") + Field(2, Tag(2, 1) + "1234")), Field(1, Field(1, "k") + Tag(2, 2)),
        Field(1, Field(1, "k") + Field(2, Tag(3, 2) + "\x7f")), std::string("\x0a\x05"),
        Field(1, Field(1, "k") + Field(2, std::string(1, '\0'))),
        Field(1, Field(1, "k") + "\xff")}) {
    EXPECT_FALSE(CheckInput(broken).readable) << testing::PrintToString(broken);
    EXPECT_FALSE(google::protobuf::Struct().ParseFromString(broken));
  }
}

TEST(FreeValues, WhatTheyWillTakeIsKnownBefore) {
  google::protobuf::Struct objects;
  google::protobuf::Struct texts;
  google::protobuf::Struct numbers;
  for (int i = 0; i < 3'000; ++i) {
    const std::string key = "key" + std::to_string(i);
    (*(*objects.mutable_fields())[key].mutable_struct_value()->mutable_fields())["a"]
        .set_bool_value(true);
    (*texts.mutable_fields())[key].set_string_value("A text of some thirty bytes, all told");
    auto& list = *(*numbers.mutable_fields())["k"].mutable_list_value();
    list.add_values()->set_number_value(i);
  }
  for (const google::protobuf::Struct& made : {objects, texts, numbers}) {
    google::protobuf::Struct parsed;
    const std::string bytes = made.SerializeAsString();
    ASSERT_TRUE(parsed.ParseFromString(bytes));
    const double memory = static_cast<double>(parsed.SpaceUsedLong());
    const double expected = static_cast<double>(CheckInput(bytes).memory_bytes);
    EXPECT_GT(expected, 0.5 * memory);
    EXPECT_LT(expected, 2 * memory);
  }
}

}  // namespace
}  // namespace gateway::rpc
