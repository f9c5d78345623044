// Every kind of job that is declared is wired; and a kind that only the tests have goes the whole
// way by what its .proto declares, with a row of its own for what it answers.
#include "pictory/kinds.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "base/ids.h"
#include "fifth_kind.pb.h"
#include "json/proto_plan.h"
#include "pictory/bindings.h"
#include "pictory/job_reply.h"
#include "pictory/job_result.h"
#include "pictory/translate.h"
#include "support/fake_transport.h"

namespace gateway::pictory {
namespace {

namespace fs = std::filesystem;
namespace pb = ::google::protobuf;
namespace v1 = ::pictory::jobs::v1;
using ::pictory::jobs::fifth::DrawRequest;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const pb::EnumDescriptor& KindsDeclared() { return *v1::JobKind_descriptor(); }

TEST(Kinds, EachOneHasAMethodARowAndAResult) {
  std::set<std::string_view> words;
  for (int i = 0; i < KindsDeclared().value_count(); ++i) {
    const auto kind = static_cast<v1::JobKind>(KindsDeclared().value(i)->number());
    if (kind == v1::JOB_KIND_UNSPECIFIED) continue;
    const std::string name(KindsDeclared().value(i)->name());
    EXPECT_NE(SubmitMaking(kind), nullptr) << name << " is made by no method";
    EXPECT_EQ(FactsOf(kind).kind, kind) << name << " has no row";
    EXPECT_TRUE(words.insert(FactsOf(kind).word).second) << name << " has the word of another";
    v1::Job job;
    const pb::Message* const result = MutableResult(job, kind);
    ASSERT_NE(result, nullptr) << name << " has no result of that name in Job";
    const std::string lacks(FactsOf(kind).basic_lacks);
    EXPECT_TRUE(lacks.empty() || result->GetDescriptor()->FindFieldByName(lacks) != nullptr)
        << name;
  }
}

TEST(Kinds, EachResultIsOfAKind) {
  std::set<std::string> made;
  for (const KindFacts& kind : Kinds()) {
    v1::Job job;
    made.emplace(MutableResult(job, kind.kind)->GetTypeName());
  }
  const pb::OneofDescriptor* const results = v1::Job::descriptor()->FindOneofByName("result");
  for (int i = 0; i < results->field_count(); ++i) {
    EXPECT_EQ(made.count(std::string(results->field(i)->message_type()->full_name())), 1u)
        << results->field(i)->full_name();
  }
}

void ExpectWhole(const pb::ServiceDescriptor* service) {
  EXPECT_EQ(json::CheckPlans(service), absl::OkStatus());
  for (const pb::MethodDescriptor* submit : SubmitsOf(service)) {
    const std::string name(submit->full_name());
    const SubmitFields fields = FieldsOf(submit->input_type());
    ASSERT_NE(fields.request_id, nullptr) << name;
    EXPECT_EQ(fields.request_id->type(), pb::FieldDescriptor::TYPE_STRING) << name;
    ASSERT_NE(fields.labels, nullptr) << name;
    EXPECT_TRUE(fields.labels->is_map()) << name;
    ASSERT_NE(fields.allow_unknown_fields, nullptr) << name;
    EXPECT_EQ(fields.allow_unknown_fields->type(), pb::FieldDescriptor::TYPE_BOOL) << name;
    // All answers that hold a job are the same bytes.
    const pb::FieldDescriptor* const job =
        submit->output_type()->FindFieldByNumber(v1::GetJobResponse::kJobFieldNumber);
    ASSERT_NE(job, nullptr) << name;
    EXPECT_EQ(job->message_type(), v1::Job::descriptor()) << name;
  }
}

TEST(Kinds, EachSubmitTakesAndAnswersWhatAllDo) { ExpectWhole(JobsService()); }

// ---- A kind that only the tests have ----

constexpr auto kDrawing = static_cast<v1::JobKind>(99);

std::string Load(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

DrawRequest ParseDraw(const std::string& text) {
  DrawRequest request;
  EXPECT_TRUE(pb::TextFormat::ParseFromString(text, &request)) << text;
  return request;
}

std::vector<std::string> Faults(const std::string& text) {
  std::vector<std::string> faults;
  for (const errors::Violation& fault : Validate(ParseDraw(text), {})) {
    faults.push_back(fault.field + ": " + fault.description);
  }
  return faults;
}

TEST(FifthKind, IsDeclaredWhole) {
  ExpectWhole(DrawRequest::descriptor()->file()->FindServiceByName("FifthJobs"));
}

TEST(FifthKind, IsSentAsItsGoldenFilesSay) {
  int cases = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(PICTORY_TESTDATA) / "fifth_kind")) {
    if (entry.path().extension() != ".txtpb") continue;
    ++cases;
    const DrawRequest request = ParseDraw(Load(entry.path()));
    EXPECT_THAT(Validate(request, {}), IsEmpty()) << entry.path();
    // Configured for the other generation, which it does not have.
    const TranslateOptions options{.versions = {{kDrawing, v1::PATH_VERSION_V2}}};
    const auto submission = Translate(request, "p/i?", "https://gw/hook", options);
    ASSERT_TRUE(submission.ok()) << entry.path() << submission.status();
    EXPECT_EQ(submission->kind, kDrawing);
    fs::path expected = entry.path();
    EXPECT_EQ(submission->method + " " + submission->path + "\n" + *submission->body + "\n",
              Load(expected.replace_extension(".http")));
  }
  EXPECT_EQ(cases, 3);
}

TEST(FifthKind, NamesTheJobItNeeds) {
  const Reference reference = ReferencedJob(ParseDraw(R"(preview_job_id: "ours" album_id: "12")"));
  EXPECT_EQ(reference.field, "preview_job_id");
  EXPECT_EQ(reference.job_id, "ours");
  EXPECT_EQ(reference.kind, v1::JOB_KIND_PREVIEW);
  EXPECT_EQ(ReferencedJob(ParseDraw(R"(image_json: "{}" album_id: "12")")).job_id, "");
}

TEST(FifthKind, IsValidatedByItsDeclaration) {
  EXPECT_THAT(Faults(R"(album_id: "a" prompt: "p")"),
              ElementsAre("source: is required: set one of preview_job_id, image, image_json"));
  EXPECT_THAT(
      Faults(R"(request_id: "a b" preview_job_id: "j" album_id: "..")"),
      UnorderedElementsAre("request_id: must be 1 to 64 characters of A-Z, a-z, 0-9, _ and -",
                           std::string("album_id: ") + kUpstreamIdRule, "prompt: is required"));
  EXPECT_THAT(Faults(R"(image { palette_json: "{}" } album_id: "a" prompt: "p")"),
              ElementsAre("image.palette_json: must be an array, not an object"));
  EXPECT_THAT(Faults(R"(image_json: "[]" album_id: "a" prompt: "p")"),
              ElementsAre("image_json: must be an object, not an array"));
  EXPECT_THAT(Faults(R"(image_json: "{\"webhook\":\"x\"}" album_id: "a" prompt: "p"
                allow_unknown_fields: true)"),
              ElementsAre("image_json.webhook: is the gateway's own: remove it, and watch the job "
                          "instead (WatchJob, pictory watch)"));
  EXPECT_THAT(Faults(R"(image_json: "{\"mediastyle\":\"x\"}" album_id: "a" prompt: "p")"),
              ElementsAre("image_json.mediastyle: is not a member Pictory knows here, and would be "
                          "dropped silently; did you mean mediaStyle? (allow_unknown_fields sends "
                          "it all the same)"));
  EXPECT_THAT(Faults(R"(image_json: "{\"mediastyle\":\"x\"}" album_id: "a" prompt: "p"
                        allow_unknown_fields: true)"),
              IsEmpty());
  for (const char* body :
       {R"(image { media_style: "ink" })", R"(image_json: "{\"mediaStyle\":\"ink\"}")"}) {
    EXPECT_THAT(
        Faults(std::string(body) +
               R"( album_id: "a" prompt: "p" extra_json: "{\"mediaStyle\":\"oil\"}")"),
        ElementsAre("extra_json.mediaStyle: has its own place in this request: set it there"))
        << body;
  }
}

// A row for it: a picture is made when its URL is there.
constexpr KindFacts kRow{
    .kind = kDrawing,
    .word = "draw",
    .makes = "url",
    .shown = [](const Envelope& envelope) { return envelope.HasResult("url"); },
    .ended = [](const Envelope& envelope) { return envelope.HasResult("url"); }};

JobReply Read(const std::string& data) {
  return ReadJobReply(test::Reply(200, R"({"success":true,"data":)" + data + "}"), kRow, 0,
                      WallTime{});
}

TEST(FifthKind, IsReadByItsRow) {
  const JobReply done = Read(R"({"status":"completed","url":"https://x/a.png","width":640})");
  ASSERT_EQ(done.kind, JobReply::Kind::kSucceeded);
  EXPECT_EQ(done.shown_kind, kDrawing);
  ASSERT_EQ(done.result->parts.size(), 1u);
  EXPECT_EQ(done.result->parts[0].part, v1::RESULT_PART_RESULT_JSON);
  EXPECT_EQ(Read(R"({"url":"https://x/a.png"})").kind, JobReply::Kind::kSucceeded);
  EXPECT_EQ(Read(R"({"status":"in-progress"})").kind, JobReply::Kind::kRunning);
  const JobReply without = Read(R"({"status":"completed","width":640})");
  EXPECT_EQ(without.kind, JobReply::Kind::kIncomplete);
  EXPECT_THAT(without.message, testing::StartsWith("Pictory says completed, but gives no url"));
}

}  // namespace
}  // namespace gateway::pictory
