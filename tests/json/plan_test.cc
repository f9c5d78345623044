#include <gmock/gmock.h>
#include <google/protobuf/compiler/parser.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>

#include <memory>

#include "json/proto_plan.h"
#include "pictory/jobs/v1/job.pb.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "pictory/jobs/v1/storyboard.pb.h"

namespace gateway::json {
namespace {

namespace pb = ::google::protobuf;
namespace v1 = ::pictory::jobs::v1;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

const pb::ServiceDescriptor* RealService() {
  return v1::CreatePreviewRequest::descriptor()->file()->FindServiceByName("PictoryJobs");
}

TEST(Plan, TheRealServiceIsWhole) {
  ASSERT_NE(RealService(), nullptr);
  EXPECT_EQ(CheckPlans(RealService()), absl::OkStatus());
}

TEST(Plan, KnowsKeysAndAliases) {
  const MessagePlan& plan = PlanOf(v1::RenderResult::descriptor());
  const auto field = [&](std::string_view key) {
    const int index = plan.Find(key);
    return index < 0 ? std::string("-")
                     : plan.entries()[static_cast<std::size_t>(index)].field->field->name();
  };
  EXPECT_EQ(field("videoURL"), "video_url");
  EXPECT_EQ(field("videoShareURL"), "share_url");
  EXPECT_EQ(field("shareVideoURL"), "share_url");
  EXPECT_EQ(field("video_url"), "-");
  EXPECT_EQ(field(""), "-");
  EXPECT_EQ(&plan, &PlanOf(v1::RenderResult::descriptor()));
}

TEST(Plan, EveryKeyOfEveryMessageIsFound) {
  for (const auto* file : {v1::Storyboard::descriptor()->file(), v1::Job::descriptor()->file(),
                           v1::RenderRequest::descriptor()->file()}) {
    for (int i = 0; i < file->message_type_count(); ++i) {
      const MessagePlan& plan = PlanOf(file->message_type(i));
      for (std::size_t e = 0; e < plan.entries().size(); ++e) {
        EXPECT_EQ(plan.Find(plan.entries()[e].key), static_cast<int>(e));
      }
      EXPECT_EQ(plan.Find("no such key"), -1);
    }
  }
}

TEST(Plan, KnownKeysAreThoseOfTheBody) {
  EXPECT_THAT(KnownKeys(v1::Storyboard::descriptor()),
              AllOf(Contains("videoName"), Contains("webhookInput"), Not(Contains("extraJson"))));
  EXPECT_THAT(KnownKeys(v1::SummarizeRequest::descriptor()),
              testing::UnorderedElementsAre("transcript", "highlight_duration", "duration",
                                            "language", "webhook"));
}

// A proto file of a test, built at run time, with the real annotations below it.
class BrokenPlan : public testing::Test {
 protected:
  const pb::FileDescriptor* Build(const std::string& body) {
    const std::string source =
        "syntax = \"proto3\";\npackage broken;\n"
        "import \"google/protobuf/struct.proto\";\n"
        "import \"pictory/jobs/v1/annotations.proto\";\n" +
        body;
    struct Collector : pb::io::ErrorCollector, pb::DescriptorPool::ErrorCollector {
      // protobuf calls the first two up to 3.21, and the others since.
      void AddError(int line, int column, const std::string& message) {
        RecordError(line, column, message);
      }
      void AddError(const std::string& file, const std::string& element,
                    const pb::Message* descriptor, ErrorLocation location,
                    const std::string& message) {
        RecordError(file, element, descriptor, location, message);
      }
      void RecordError(int line, int column, absl::string_view message) {
        ADD_FAILURE() << line << ":" << column << ": " << message;
      }
      void RecordError(absl::string_view, absl::string_view element, const pb::Message*,
                       ErrorLocation, absl::string_view message) {
        ADD_FAILURE() << element << ": " << message;
      }
    } errors;
    pb::io::ArrayInputStream input(source.data(), static_cast<int>(source.size()));
    pb::io::Tokenizer tokenizer(&input, &errors);
    pb::compiler::Parser parser;
    parser.RecordErrorsTo(&errors);
    pb::FileDescriptorProto file;
    EXPECT_TRUE(parser.Parse(&tokenizer, &file));
    file.set_name("broken.proto");
    pool_ = std::make_unique<pb::DescriptorPool>(pb::DescriptorPool::generated_pool());
    return pool_->BuildFileCollectingErrors(file, &errors);
  }

  std::string MessageFault(const std::string& fields, const std::string& more = "") {
    const pb::FileDescriptor* file = Build(more + "\nmessage M {\n" + fields + "\n}");
    if (file == nullptr) return "did not build";
    return std::string(CheckPlans(file->FindMessageTypeByName("M")).message());
  }

  // `bindings` is the inside of job_method.
  std::string ServiceFault(const std::string& request_fields, const std::string& bindings,
                           const std::string& more = "") {
    const pb::FileDescriptor* file =
        Build(more + "\nmessage Request {\n" + request_fields +
              "\n}\nmessage Response {}\nservice S { rpc Call(Request) returns (Response) {\n" +
              "option (pictory.jobs.v1.job_method) = {" + bindings + "};\n} }");
    if (file == nullptr) return "did not build";
    return std::string(CheckPlans(file->FindServiceByName("S")).message());
  }

  std::unique_ptr<pb::DescriptorPool> pool_;
};

#define REST "(pictory.jobs.v1.rest)"

TEST_F(BrokenPlan, FreeValuesAreWrittenAndNeverRead) {
  EXPECT_EQ(MessageFault("google.protobuf.Struct a = 1; google.protobuf.ListValue b = 2;"), "");
  EXPECT_THAT(MessageFault("repeated google.protobuf.Struct a = 1;"),
              HasSubstr("a type that the mapping does not write"));
  constexpr char kBinding[] =
      "kind: 1 bindings: {version: PATH_VERSION_V1 method: \"POST\" path: \"/a\"}";
  const auto fault = [&](const std::string& inner) {
    const pb::FileDescriptor* const file = Build(
        "enum JobKind { JOB_KIND_NONE = 0; JOB_KIND_A = 1; }\n"
        "message Request {}\nmessage Inner {" +
        inner +
        "}\n"
        "message Result { Inner inner = 1; }\n"
        "message Job { oneof result { Result a = 1; } }\n"
        "message Response { Job job = 1; }\n"
        "service S { rpc Call(Request) returns (Response) {\n"
        "option (pictory.jobs.v1.job_method) = {" +
        std::string(kBinding) + "};\n} }");
    return file == nullptr ? std::string("did not build")
                           : std::string(CheckPlans(file->FindServiceByName("S")).message());
  };
  EXPECT_EQ(fault("string text = 1;"), "");
  EXPECT_THAT(fault("google.protobuf.Value free = 1;"),
              HasSubstr("broken.Inner.free: is a free value in a result"));
}

TEST_F(BrokenPlan, AWholeMessagePasses) {
  EXPECT_EQ(MessageFault("optional string a = 1 [" REST ".aliases = \"b\"];\n"
                         "N n = 2 [" REST ".string_as = \"text\"];\n"
                         "map<string, string> m = 3;\n"
                         "oneof o { string x = 4 [" REST ".key = \"k\"];"
                         " string k = 5; }",
                         "message N { string text = 1; }"),
            "");
}

TEST_F(BrokenPlan, ClashingKeysAndAliases) {
  EXPECT_THAT(MessageFault("string a = 1 [" REST ".key = \"k\"]; string k = 2;"),
              HasSubstr("has the key `k` of a"));
  EXPECT_THAT(MessageFault("string a = 1 [" REST ".aliases = \"b\"]; string b = 2;"),
              HasSubstr("has the alias `b`, taken by b"));
  EXPECT_THAT(MessageFault("string a = 1 [" REST ".aliases = \"c\"];"
                           "string b = 2 [" REST ".aliases = \"c\"];"),
              HasSubstr("has the alias `c`, taken by a"));
  EXPECT_THAT(MessageFault("string a = 1 [" REST ".aliases = \"a\"];"), HasSubstr("alias `a`"));
  EXPECT_THAT(MessageFault("string a = 1 [" REST ".aliases = \"\"];"), HasSubstr("empty alias"));
  // `optional` makes a oneof of its own; that is no excuse for sharing a key.
  EXPECT_THAT(MessageFault("optional string a = 1 [" REST ".key = \"k\"];"
                           "optional string k = 2;"),
              HasSubstr("has the key `k` of a"));
  EXPECT_THAT(MessageFault("oneof o { string a = 1 [" REST ".key = \"k\"]; }"
                           "oneof p { string k = 2; }"),
              HasSubstr("has the key `k` of a"));
}

TEST_F(BrokenPlan, RolesThatDoNotFitTheirType) {
  for (const char* role : {"RAW_JSON", "SPLICE", "RAW_SELF"}) {
    for (const char* type : {"int32", "bytes", "repeated string", "bool"}) {
      EXPECT_THAT(
          MessageFault(std::string(type) + " a = 1 [" REST ".role = FIELD_ROLE_" + role + "];"),
          HasSubstr("holds JSON text"))
          << role << " " << type;
    }
  }
  EXPECT_THAT(MessageFault("N a = 1 [" REST ".role = FIELD_ROLE_ITEMS];", "message N {}"),
              HasSubstr("ITEMS but not repeated"));
  EXPECT_THAT(
      MessageFault("repeated string a = 1 [" REST ".role = FIELD_ROLE_ITEMS]; string b = 2;"),
      HasSubstr("has members too"));
  EXPECT_THAT(MessageFault("string a = 1 [" REST ".role = FIELD_ROLE_SPLICE];"
                           "string b = 2 [" REST ".role = FIELD_ROLE_SPLICE];"),
              HasSubstr("two fields of role SPLICE"));
  EXPECT_THAT(MessageFault("string a = 1 [" REST ".role = FIELD_ROLE_PATH];"),
              HasSubstr("outside of a submit's request"));
  EXPECT_THAT(MessageFault("string a = 1 [" REST ".role = FIELD_ROLE_BODY];"),
              HasSubstr("outside of a submit's request"));
  EXPECT_THAT(
      MessageFault("string a = 1 [" REST ".role = FIELD_ROLE_CONTROL," REST ".aliases = \"b\"];"),
      HasSubstr("not in the JSON by key"));
}

TEST_F(BrokenPlan, TypesTheMappingDoesNotKnow) {
  for (const char* type :
       {"int64", "uint64", "uint32", "float", "bytes", "E", "fixed64", "repeated int32",
        "repeated double", "repeated bool", "map<string, int32>", "map<int32, string>"}) {
    EXPECT_NE(MessageFault(std::string(type) + " a = 1;", "enum E { E_NONE = 0; }"), "") << type;
    EXPECT_NE(MessageFault("N n = 1;",
                           "enum E { E_NONE = 0; } message N { " + std::string(type) + " a = 1; }"),
              "")
        << type;
  }
}

TEST_F(BrokenPlan, OneMessageUnderTwoKeysWouldBeMerged) {
  EXPECT_THAT(MessageFault("N n = 1 [" REST ".aliases = \"m\"];", "message N { string a = 1; }"),
              HasSubstr("cannot have aliases"));
  EXPECT_EQ(
      MessageFault("repeated N n = 1 [" REST ".aliases = \"m\"];", "message N { string a = 1; }"),
      "");
}

TEST_F(BrokenPlan, OptionsThatDoNotFitTheirField) {
  const std::string binding =
      "kind: 1 bindings: {version: PATH_VERSION_V1 method: \"POST\" path: \"/a\"}";
  EXPECT_EQ(ServiceFault("string a = 1 [" REST ".required = true];", binding), "");
  EXPECT_THAT(ServiceFault("int32 a = 1 [" REST ".required = true];", binding),
              HasSubstr("is required, but not one string"));
  EXPECT_THAT(MessageFault("string a = 1 [" REST ".required = true];"),
              HasSubstr("is required, but not one string of a submit's request"));
  EXPECT_THAT(MessageFault("string a = 1 [" REST ".json_type = JSON_TYPE_ARRAY];"),
              HasSubstr("neither RAW_JSON nor"));
  EXPECT_THAT(MessageFault("google.protobuf.Struct a = 1 [" REST ".json_type = JSON_TYPE_ARRAY];"),
              HasSubstr("neither RAW_JSON nor"));
  EXPECT_EQ(
      MessageFault("google.protobuf.Value a = 1 [" REST ".json_type = JSON_TYPE_TEXT_OR_NUMBER];"),
      "");
  EXPECT_THAT(MessageFault("string a = 1 [" REST ".job_kind = 1];"), HasSubstr("is no PATH"));
  constexpr char kEnums[] =
      "enum JobKind { JOB_KIND_NONE = 0; JOB_KIND_A = 1; }"
      "enum ResultPart { RESULT_PART_NONE = 0; RESULT_PART_A = 1; }";
  EXPECT_EQ(MessageFault("string a = 1 [" REST ".part = 1];", kEnums), "");
  EXPECT_THAT(MessageFault("string a = 1 [" REST ".part = 2];", kEnums),
              HasSubstr("a part that is none: 2"));
  EXPECT_THAT(MessageFault("string a = 1 [" REST ".job_kind = 2];", kEnums),
              HasSubstr("a job_kind that is none: 2"));
}

TEST_F(BrokenPlan, StringAs) {
  EXPECT_THAT(MessageFault("N n = 1 [" REST ".string_as = \"text\"];", "message N {}"),
              HasSubstr("missing field `text`"));
  EXPECT_THAT(
      MessageFault("N n = 1 [" REST ".string_as = \"text\"];", "message N { int32 text = 1; }"),
      HasSubstr("no plain string"));
  EXPECT_THAT(MessageFault("string n = 1 [" REST ".string_as = \"text\"];"),
              HasSubstr("is no message"));
}

constexpr char kSource[] = "oneof source { string body_json = 1 [" REST
                           ".role = FIELD_ROLE_BODY];"
                           " string job_id = 2 [" REST ".role = FIELD_ROLE_PATH]; }";
constexpr char kBody[] =
    "bindings: {version: PATH_VERSION_V2 arm: \"body_json\" method: \"POST\" path: \"/b\"}";
constexpr char kJob[] =
    "bindings: {version: PATH_VERSION_V2 arm: \"job_id\" method: \"PUT\" path: \"/j/{job_id}/x\"}";

TEST_F(BrokenPlan, AWholeServicePasses) {
  EXPECT_EQ(ServiceFault(kSource, std::string("kind: 1 ") + kBody + kJob), "");
  EXPECT_EQ(
      ServiceFault("string a = 1;",
                   "kind: 1 bindings: {version: PATH_VERSION_V1 method: \"POST\" path: \"/a\"}"),
      "");
}

TEST_F(BrokenPlan, Bindings) {
  const std::string both = std::string(kBody) + kJob;
  EXPECT_THAT(ServiceFault("string a = 1;", "kind: 1"), HasSubstr("has no bindings"));
  EXPECT_THAT(
      ServiceFault(
          "string a = 1;",
          "kind: 0 " +
              std::string("bindings: {version: PATH_VERSION_V1 method: \"POST\" path: \"/a\"}")),
      HasSubstr("kind that is none"));
  EXPECT_THAT(ServiceFault(kSource, std::string("kind: 1 ") + kBody),
              HasSubstr("job_id: is an arm of the source without a binding"));
  EXPECT_THAT(ServiceFault(kSource, "kind: 1 " + both + kJob), HasSubstr("twice"));
  const auto with = [&](const std::string& binding) {
    return ServiceFault(kSource, "kind: 1 " + both + "bindings: {" + binding + "}");
  };
  EXPECT_THAT(with("version: PATH_VERSION_V1 arm: \"other\" method: \"POST\" path: \"/b\""),
              HasSubstr("`other`, no arm"));
  EXPECT_THAT(with("version: PATH_VERSION_V1 method: \"POST\" path: \"/b\""), HasSubstr("no arm"));
  EXPECT_THAT(with("arm: \"body_json\" method: \"POST\" path: \"/b\""),
              HasSubstr("without a version"));
  EXPECT_THAT(with("version: PATH_VERSION_V1 arm: \"body_json\" method: \"FETCH\" path: \"/b\""),
              HasSubstr("HTTP method"));
  EXPECT_THAT(with("version: PATH_VERSION_V1 arm: \"body_json\" method: \"POST\" path: \"b\""),
              HasSubstr("has the path"));
  EXPECT_THAT(with("version: PATH_VERSION_V1 arm: \"job_id\" method: \"POST\" path: \"/b\""),
              HasSubstr("does not use job_id"));
  EXPECT_THAT(
      with("version: PATH_VERSION_V1 arm: \"body_json\" method: \"POST\" path: \"/{body_json}\""),
      HasSubstr("no field of role PATH"));
  EXPECT_THAT(
      with("version: PATH_VERSION_V1 arm: \"body_json\" method: \"POST\" path: \"/{nothing}\""),
      HasSubstr("no field of role PATH"));
  EXPECT_THAT(
      with("version: PATH_VERSION_V1 arm: \"body_json\" method: \"POST\" path: \"/{job_id}\""),
      HasSubstr("of another arm"));
  EXPECT_THAT(with("version: PATH_VERSION_V1 arm: \"body_json\" method: \"POST\" path: \"/{b\""),
              HasSubstr("unpaired braces"));
  EXPECT_THAT(ServiceFault("string a = 1;",
                           "kind: 1 bindings: {version: PATH_VERSION_V1 arm: \"a\""
                           " method: \"POST\" path: \"/a\"}"),
              HasSubstr("has no `source`"));
}

TEST_F(BrokenPlan, InlineAs) {
  constexpr char kArms[] =
      "oneof source { string job_id = 1 [" REST
      ".role = FIELD_ROLE_PATH];"
      " string body_json = 2 [" REST ".role = FIELD_ROLE_RAW_JSON]; string word = 3; }";
  constexpr char kOthers[] =
      "kind: 1 bindings: {version: PATH_VERSION_V2 arm: \"body_json\" method: \"POST\" path: "
      "\"/b\"}"
      "bindings: {version: PATH_VERSION_V2 arm: \"word\" method: \"POST\" path: \"/b\"}";
  const auto with = [&](const std::string& binding, const std::string& more = "") {
    return ServiceFault(kArms,
                        std::string(kOthers) +
                            "bindings: {version: PATH_VERSION_V1 method: \"POST\" " + binding +
                            "} bindings: {version: PATH_VERSION_V2 arm: \"job_id\" " +
                            "method: \"POST\" path: \"/j/{job_id}\"}",
                        more);
  };
  EXPECT_EQ(with("arm: \"job_id\" path: \"/b\" inline_as: \"body_json\""), "");
  EXPECT_THAT(with("arm: \"job_id\" path: \"/b\" inline_as: \"word\""),
              HasSubstr("no arm of JSON text"));
  EXPECT_THAT(with("arm: \"job_id\" path: \"/b\" inline_as: \"other\""),
              HasSubstr("no arm of JSON text"));
  EXPECT_THAT(with("arm: \"word\" path: \"/b\" inline_as: \"body_json\""),
              HasSubstr("for an arm that names no job"));
  EXPECT_THAT(with("arm: \"job_id\" path: \"/{job_id}\" inline_as: \"body_json\""),
              HasSubstr("in the path and in the body"));
  EXPECT_THAT(with("arm: \"job_id\" path: \"/b\" inline_as: \"body_json\"",
                   "enum ResultPart { RESULT_PART_UNSPECIFIED = 0; }"),
              HasSubstr("results have no RESULT_PART_BODY_JSON"));
}

TEST_F(BrokenPlan, KindsAndResults) {
  const std::string binding = " bindings: {version: PATH_VERSION_V1 method: \"POST\" path: \"/a\"}";
  const std::string rpc = "option (pictory.jobs.v1.job_method) = {kind: ";
  const auto fault = [&](const std::string& first, const std::string& second) {
    const pb::FileDescriptor* file = Build(
        "enum JobKind { JOB_KIND_NONE = 0; JOB_KIND_A = 1; JOB_KIND_B = 2; }\n"
        "message A { string x = 1; } message Job { oneof result { A a = 1; } }\n"
        "message Request {} message Response { Job job = 1; }\n"
        "service S { rpc One(Request) returns (Response) {" +
        rpc + first + binding +
        "}; }"
        "rpc Two(Request) returns (Response) {" +
        rpc + second + binding + "}; } }");
    return file == nullptr ? "did not build"
                           : std::string(CheckPlans(file->FindServiceByName("S")).message());
  };
  EXPECT_THAT(fault("1", "1"), HasSubstr("JOB_KIND_B: is a kind of job that no method makes"));
  EXPECT_THAT(fault("1", "2"), HasSubstr("Two: answers with no result `b`"));
  EXPECT_THAT(fault("1", "3"), HasSubstr("Two: has a kind that is none: 3"));
}

TEST_F(BrokenPlan, WhatNothingLeadsTo) {
  EXPECT_THAT(
      ServiceFault("string a = 1;",
                   "kind: 1 bindings: {version: PATH_VERSION_V1 method: \"POST\" path: \"/a\"}",
                   "message Lost { string x = 1 [" REST ".aliases = \"y\"]; }"),
      HasSubstr("broken.Lost.x: is mapped, but no submit or result leads to it"));
  // A call that makes no job leads to what its messages hold.
  const pb::FileDescriptor* held =
      Build("message Held { int64 x = 1 [" REST
            ".aliases = \"y\"]; }\n"
            "message Around { repeated Held held = 1; }\nmessage M {}\n"
            "service S { rpc Call(Around) returns (M); }");
  ASSERT_NE(held, nullptr);
  const std::string faults(CheckPlans(held->FindServiceByName("S")).message());
  EXPECT_THAT(faults, HasSubstr("broken.Held.x: "));
  EXPECT_THAT(faults, Not(HasSubstr("leads to it")));
  const pb::FileDescriptor* file = Build("message M {}\nservice S { rpc Call(M) returns (M); }");
  ASSERT_NE(file, nullptr);
  EXPECT_THAT(std::string(CheckPlans(file->FindServiceByName("S")).message()),
              HasSubstr("no method with job_method"));
}

}  // namespace
}  // namespace gateway::json
