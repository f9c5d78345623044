// Whatever a message holds, writing and reading it gives it back; and broken text never does harm.
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "json/check.h"
#include "json/proto_plan.h"
#include "json/proto_reader.h"
#include "json/proto_writer.h"
#include "pictory/jobs/v1/job.pb.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "pictory/jobs/v1/storyboard.pb.h"

namespace gateway::json {
namespace {

namespace pb = ::google::protobuf;
namespace v1 = ::pictory::jobs::v1;

class Filler {
 public:
  explicit Filler(unsigned seed) : random_(seed) {}

  void Fill(pb::Message& message, int depth) {
    const MessagePlan& plan = PlanOf(message.GetDescriptor());
    for (const FieldPlan& field : plan.fields()) {
      const bool items = field.role == v1::FIELD_ROLE_ITEMS;
      if (!field.IsMember() && !items) continue;
      if (field.free != FreeKind::kNone) continue;  // is written only
      // Of two arms with one key the first is read.
      if (!items) {
        const auto entry = static_cast<std::size_t>(plan.Find(field.key));
        if (plan.entries()[entry].field != &field) continue;
      }
      if (Chance(3)) Set(message, field, depth);
    }
  }

  std::string Text() {
    static const char* const kPieces[] = {"a",    "Z", " ",     "\"", "\\", "\n",           "\x01",
                                          "\x7f", "é", "€",     "😀", "힣", "\xED\x9F\xBF", "/",
                                          "{",    "]", "plain "};
    std::string text;
    for (unsigned n = Below(12); n > 0; --n) text += kPieces[Below(std::size(kPieces))];
    return text;
  }

  unsigned Below(std::size_t n) { return static_cast<unsigned>(random_() % n); }

 private:
  bool Chance(unsigned in) { return Below(in) == 0; }

  double Number() {
    for (;;) {
      const std::uint64_t bits = random_();
      double value;
      std::memcpy(&value, &bits, sizeof value);
      if (Chance(2)) value = static_cast<double>(static_cast<std::int64_t>(bits) >> Below(64));
      if (std::isfinite(value)) return value;
    }
  }

  std::string RawJson(int depth) {
    switch (Below(depth > 3 ? 4 : 6)) {
      case 0:
        return "18446744073709551616";
      case 1:
        return "0.12345678901234567";
      case 2:
        return "\"\\u0041\\/\"";
      case 3:
        return "false";
      case 4:
        return "[ " + RawJson(depth + 1) + " ,\t" + RawJson(depth + 1) + "]";
      default:
        return "{\"k\" : " + RawJson(depth + 1) + "\n}";
    }
  }

  void Set(pb::Message& message, const FieldPlan& field, int depth) {
    const pb::Reflection& r = *message.GetReflection();
    for (unsigned n = field.repeated || field.map ? Below(4) : 1; n > 0; --n) {
      if (field.map) {
        pb::Message* entry = r.AddMessage(&message, field.field);
        const pb::Descriptor* types = entry->GetDescriptor();
        entry->GetReflection()->SetString(entry, types->map_key(), Text() + std::to_string(n));
        entry->GetReflection()->SetString(entry, types->map_value(), Text());
        continue;
      }
      switch (field.type) {
        case pb::FieldDescriptor::CPPTYPE_STRING: {
          std::string text = field.role == v1::FIELD_ROLE_RAW_JSON ? RawJson(0) : Text();
          field.repeated ? r.AddString(&message, field.field, std::move(text))
                         : r.SetString(&message, field.field, std::move(text));
          break;
        }
        case pb::FieldDescriptor::CPPTYPE_DOUBLE:
          field.repeated ? r.AddDouble(&message, field.field, Number())
                         : r.SetDouble(&message, field.field, Number());
          break;
        case pb::FieldDescriptor::CPPTYPE_INT32: {
          const auto value = static_cast<std::int32_t>(random_() >> Below(64));
          field.repeated ? r.AddInt32(&message, field.field, value)
                         : r.SetInt32(&message, field.field, value);
          break;
        }
        case pb::FieldDescriptor::CPPTYPE_BOOL:
          field.repeated ? r.AddBool(&message, field.field, Chance(2))
                         : r.SetBool(&message, field.field, Chance(2));
          break;
        default:
          if (depth > 5) break;
          Fill(*(field.repeated ? r.AddMessage(&message, field.field)
                                : r.MutableMessage(&message, field.field)),
               depth + 1);
      }
    }
  }

  std::mt19937_64 random_;
};

template <typename M>
class RoundTrip : public testing::Test {};

using Messages = testing::Types<v1::Storyboard, v1::CreatePreviewRequest, v1::RenderRequest,
                                v1::TranscribeRequest, v1::SummarizeRequest, v1::Transcript,
                                v1::PreviewResult, v1::RenderResult, v1::TranscriptionResult,
                                v1::SummaryResult, v1::GenerateImageRequest,
                                v1::GenerateVideoRequest, v1::ImageResult, v1::VideoResult>;
TYPED_TEST_SUITE(RoundTrip, Messages);

TYPED_TEST(RoundTrip, WritingAndReadingGivesTheMessageBack) {
  ReadOptions options;
  options.skip = {v1::Summary::descriptor()->FindFieldByName("raw_json")};
  options.max_problems = 1;
  for (unsigned seed = 0; seed < 300; ++seed) {
    TypeParam message;
    Filler(seed).Fill(message, 0);
    const auto text = ToJson(message);
    ASSERT_TRUE(text.ok()) << text.status();
    ASSERT_EQ(Check(*text), absl::OkStatus()) << *text;
    TypeParam back;
    const auto stats = Read(*text, &back, options);
    ASSERT_TRUE(stats.ok()) << stats.status();
    EXPECT_EQ(stats->skipped(), 0u) << *text;
    std::string difference;
    pb::util::MessageDifferencer differencer;
    differencer.ReportDifferencesToString(&difference);
    ASSERT_TRUE(differencer.Compare(message, back)) << difference << "\n" << *text;
    EXPECT_EQ(*ToJson(back), *text);
  }
}

// Bytes changed, removed and doubled at random: Check and Read agree on every text, and neither
// crashes.
TYPED_TEST(RoundTrip, BrokenTextIsRefusedOrReadNeverWorse) {
  const PathTable table{{"data", "scenes", "txt", "transcript"}};
  int refused = 0;
  for (unsigned seed = 0; seed < 400; ++seed) {
    Filler filler(seed);
    TypeParam message;
    filler.Fill(message, 0);
    std::string text = *ToJson(message);
    static constexpr char kBytes[] = "{}[]\",:\\u0dc\x80\xFF-e. \nt";
    for (unsigned n = 1 + filler.Below(3); n > 0 && !text.empty(); --n) {
      const std::size_t at = filler.Below(text.size());
      switch (filler.Below(3)) {
        case 0:
          text[at] = kBytes[filler.Below(sizeof kBytes)];
          break;
        case 1:
          text.erase(at, 1 + filler.Below(4));
          break;
        default:
          text.insert(at, text.substr(at, 1 + filler.Below(8)));
      }
    }
    TypeParam back;
    ReadOptions options;
    options.capture = &table;
    options.max_problems = 2;
    options.string_max_bytes = 20;
    const absl::Status checked = Check(text);
    EXPECT_EQ(Read(text, &back, options).status(), checked) << text;
    if (!checked.ok()) ++refused;
    // Cut anywhere, it must not read beyond its end (the sanitizers would tell).
    const std::string cut(text.data(), filler.Below(text.size() + 1));
    EXPECT_EQ(Read(cut, &back, options).status(), Check(cut));
  }
  EXPECT_GT(refused, 20);
}

}  // namespace
}  // namespace gateway::json
