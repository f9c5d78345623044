// Bodies and replies, byte for byte: testdata/requests/<Message>.<case>.txtpb is written as the
// .json beside it, testdata/results/<Message>.<case>.json is read as the .txtpb beside it.
//
// PICTORY_UPDATE_GOLDEN=1 writes the expected files anew; read the diff before committing it.
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>

#include "json/check.h"
#include "json/proto_plan.h"
#include "json/proto_reader.h"
#include "json/proto_writer.h"
#include "pictory/jobs/v1/job.pb.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "pictory/jobs/v1/storyboard.pb.h"

namespace gateway::json {
namespace {

namespace fs = std::filesystem;
namespace pb = ::google::protobuf;
namespace v1 = ::pictory::jobs::v1;

std::string Load(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<fs::path> Files(const std::string& folder, const std::string& extension) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(fs::path(PICTORY_TESTDATA) / folder)) {
    if (entry.path().extension() == extension) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Of the type that the file's name begins with.
std::unique_ptr<pb::Message> MessageFor(const fs::path& file) {
  const std::string name = file.filename().string();
  const pb::Descriptor* type = v1::Job::descriptor()->file()->pool()->FindMessageTypeByName(
      "pictory.jobs.v1." + name.substr(0, name.find('.')));
  EXPECT_NE(type, nullptr) << name;
  return std::unique_ptr<pb::Message>(
      pb::MessageFactory::generated_factory()->GetPrototype(type)->New());
}

void ExpectGolden(const fs::path& file, const std::string& actual) {
  const char* const update = std::getenv("PICTORY_UPDATE_GOLDEN");
  if (update != nullptr && *update == '1') {
    std::ofstream(file, std::ios::binary) << actual;
    return;
  }
  ASSERT_TRUE(fs::exists(file)) << file << " is missing; PICTORY_UPDATE_GOLDEN=1 writes it";
  EXPECT_EQ(Load(file), actual) << file;
}

std::string TextOf(const pb::Message& message) {
  pb::TextFormat::Printer printer;
  printer.SetUseUtf8StringEscaping(true);
  std::string text;
  EXPECT_TRUE(printer.PrintToString(message, &text));
  return text;
}

std::string Name(const testing::TestParamInfo<fs::path>& info) {
  std::string name = info.param.stem().string();
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
}

class GoldenRequest : public testing::TestWithParam<fs::path> {};

TEST_P(GoldenRequest, IsWrittenByteForByte) {
  const std::unique_ptr<pb::Message> message = MessageFor(GetParam());
  ASSERT_TRUE(pb::TextFormat::ParseFromString(Load(GetParam()), message.get()));
  const auto text = ToJson(*message);
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_EQ(Check(*text), absl::OkStatus());
  fs::path expected = GetParam();
  ExpectGolden(expected.replace_extension(".json"), *text + "\n");
}
INSTANTIATE_TEST_SUITE_P(All, GoldenRequest, testing::ValuesIn(Files("requests", ".txtpb")), Name);

class GoldenResult : public testing::TestWithParam<fs::path> {};

TEST_P(GoldenResult, IsRead) {
  const std::string text = Load(GetParam());
  const std::unique_ptr<pb::Message> message = MessageFor(GetParam());
  ReadOptions options;
  options.max_problems = 32;
  options.message_at = "data";
  const auto stats = Read(text, message.get(), options);
  ASSERT_TRUE(stats.ok()) << stats.status();
  std::string actual = TextOf(*message);
  for (const Problem& problem : stats->problems) {
    actual += "# left out: " + problem.path + "\n";
  }
  fs::path expected = GetParam();
  ExpectGolden(expected.replace_extension(".txtpb"), actual);
  // Raw JSON is in the text as it stands.
  for (const FieldPlan& field : PlanOf(message->GetDescriptor()).fields()) {
    if (field.role != v1::FIELD_ROLE_RAW_JSON) continue;
    EXPECT_NE(text.find(message->GetReflection()->GetString(*message, field.field)),
              std::string::npos);
  }
}
INSTANTIATE_TEST_SUITE_P(All, GoldenResult, testing::ValuesIn(Files("results", ".json")), Name);

// Which fields of which messages the golden files set.
void Collect(const pb::Message& message, std::set<std::string>& set) {
  std::vector<const pb::FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const pb::FieldDescriptor* field : fields) {
    set.emplace(field->full_name());
    if (field->cpp_type() != pb::FieldDescriptor::CPPTYPE_MESSAGE || field->is_map()) continue;
    const int size = field->is_repeated() ? message.GetReflection()->FieldSize(message, field) : 1;
    for (int i = 0; i < size; ++i) {
      Collect(field->is_repeated() ? message.GetReflection()->GetRepeatedMessage(message, field, i)
                                   : message.GetReflection()->GetMessage(message, field),
              set);
    }
  }
}

void Mapped(const pb::Descriptor* type, std::set<std::string>& all) {
  for (const FieldPlan& field : PlanOf(type).fields()) {
    if (field.role == v1::FIELD_ROLE_CONTROL) continue;
    if (!all.emplace(field.field->full_name()).second) continue;
    if (field.message != nullptr) Mapped(field.message->descriptor(), all);
  }
}

void ExpectAllSet(const std::string& folder, const std::set<std::string>& all) {
  std::set<std::string> set;
  for (const fs::path& file : Files(folder, ".txtpb")) {
    const std::unique_ptr<pb::Message> message = MessageFor(file);
    ASSERT_TRUE(pb::TextFormat::ParseFromString(Load(file), message.get())) << file;
    Collect(*message, set);
  }
  for (const std::string& field : all) {
    EXPECT_TRUE(set.count(field) > 0) << field << " is in no file of testdata/" << folder;
  }
}

TEST(Golden, EveryFieldOfEveryRequestIsInOne) {
  std::set<std::string> all;
  const auto* const service =
      v1::RenderRequest::descriptor()->file()->FindServiceByName("PictoryJobs");
  for (int i = 0; i < service->method_count(); ++i) {
    const pb::MethodDescriptor* const method = service->method(i);
    if (method->options().HasExtension(v1::job_method)) Mapped(method->input_type(), all);
  }
  ExpectAllSet("requests", all);
}

TEST(Golden, EveryFieldOfEveryResultIsInOne) {
  std::set<std::string> all;
  const pb::OneofDescriptor* const results = v1::Job::descriptor()->FindOneofByName("result");
  for (int i = 0; i < results->field_count(); ++i) Mapped(results->field(i)->message_type(), all);
  ExpectAllSet("results", all);
}

}  // namespace
}  // namespace gateway::json
