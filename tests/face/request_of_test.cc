#include "face/request_of.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pictory/jobs/v1/pictory_jobs.pb.h"

namespace gateway::face {
namespace {

namespace v1 = ::pictory::jobs::v1;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

const Routes& KnownRoutes() {
  static const auto* const routes =
      new Routes(*v1::ListJobsRequest::descriptor()->file()->FindServiceByName("PictoryJobs"));
  return *routes;
}

template <class Request>
struct Read {
  Request request;
  std::vector<errors::Violation> wrong;
  std::string Wrong() const {
    std::string text;
    for (const auto& one : wrong) text += one.field + ": " + one.description + "\n";
    return text;
  }
};

template <class Request>
Read<Request> ReadAt(const char* method, const char* path, std::string_view query,
                     std::string_view body = "", const std::string& resume = "") {
  Routes::Found found = KnownRoutes().Find(method, path);
  EXPECT_NE(found.route, nullptr) << path;
  Read<Request> read;
  read.wrong = ReadRequest({.route = *found.route,
                            .captures = found.captures,
                            .query = *ReadQuery(query),
                            .body = body,
                            .resume_after = resume},
                           read.request);
  return read;
}

TEST(RequestOfTest, ReadsQueriesInBothSpellings) {
  const auto read = ReadAt<v1::ListJobsRequest>(
      "GET", "/v1/jobs",
      "states=JOB_STATE_QUEUED&states=JOB_STATE_RUNNING&pageSize=7&page_token=x&labels.team=a%20b"
      "&created_from=2026-11-30T09:00:00Z");
  EXPECT_EQ(read.Wrong(), "");
  EXPECT_THAT(read.request.states(), ElementsAre(v1::JOB_STATE_QUEUED, v1::JOB_STATE_RUNNING));
  EXPECT_EQ(read.request.page_size(), 7);
  EXPECT_EQ(read.request.page_token(), "x");
  EXPECT_THAT(read.request.labels(), ElementsAre(Pair("team", "a b")));
  EXPECT_EQ(read.request.created_from().seconds(), 1796029200);
}

TEST(RequestOfTest, SaysWhatIsWrongWithEachParameter) {
  const auto read = ReadAt<v1::ListJobsRequest>(
      "GET", "/v1/jobs",
      "pagesizes=1&states=QUEUED&pageSize=1&page_size=2&labels=x&createdFrom=now&kinds=7x");
  EXPECT_EQ(read.Wrong(),
            "pagesizes: is not known here; did you mean pageSize?\n"
            "states: is no value of JobState; did you mean JOB_STATE_QUEUED?\n"
            "page_size: is there twice\n"
            "labels: is given entry by entry, such as labels.key=value\n"
            "createdFrom: must be a time such as 2026-11-30T09:00:00Z\n"
            "kinds: is no value of JobKind\n");
}

TEST(RequestOfTest, TakesTheIdFromThePathOnly) {
  const auto read = ReadAt<v1::GetJobRequest>("GET", "/v1/jobs/j1", "view=JOB_VIEW_FULL");
  EXPECT_EQ(read.Wrong(), "");
  EXPECT_EQ(read.request.job_id(), "j1");
  EXPECT_EQ(read.request.view(), v1::JOB_VIEW_FULL);
  EXPECT_EQ(ReadAt<v1::GetJobRequest>("GET", "/v1/jobs/j1", "jobId=j2").Wrong(),
            "jobId: must not be there, because the path gives jobId\n");
  // Setting one arm would clear the other without a word.
  EXPECT_EQ(
      ReadAt<v1::RenderRequest>("POST", "/v1/previews/p1:render", "", R"({"storyboardJson":"{}"})")
          .Wrong(),
      "storyboardJson: must not be there, because the path gives previewJobId\n");
}

TEST(RequestOfTest, ReadsBodies) {
  const auto read =
      ReadAt<v1::RenderRequest>("POST", "/v1/previews/p1:render", "",
                                R"({"requestId":"r1","wait_for_preview":true,"labels":{"a":"b"}})");
  EXPECT_EQ(read.Wrong(), "");
  EXPECT_EQ(read.request.preview_job_id(), "p1");
  EXPECT_EQ(read.request.request_id(), "r1");
  EXPECT_TRUE(read.request.wait_for_preview());
  EXPECT_EQ(ReadAt<v1::ListJobsRequest>("GET", "/v1/jobs", "", R"({"pageSize":1})").Wrong(),
            ": a GET has no body here; what it asks for stands in the query\n");
  EXPECT_EQ(ReadAt<v1::RenderRequest>("POST", "/v1/renders", "requestId=r1").Wrong(),
            "requestId: belongs into the body of this request\n");
}

TEST(RequestOfTest, GoesOnWhereTheCallerWas) {
  EXPECT_EQ(
      ReadAt<v1::WatchJobRequest>("GET", "/v1/jobs/j1:watch", "", "", "7").request.after_revision(),
      7);
  EXPECT_EQ(ReadAt<v1::WatchJobRequest>("GET", "/v1/jobs/j1:watch", "afterRevision=3", "", "7")
                .request.after_revision(),
            3);
  EXPECT_EQ(ReadAt<v1::WatchJobRequest>("GET", "/v1/jobs/j1:watch", "", "", "x").Wrong(),
            "Last-Event-ID: must be a whole number\n");
}

TEST(RequestOfTest, TakesHeadersAsMetadata) {
  const auto facts = ReadHead({{"host", "h"},
                               {"authorization", "Bearer k"},
                               {"idempotency-key", "\"r1\""},
                               {"x-tenant", "acme"},
                               {"cookie", "c"},
                               {"grpc-timeout", "1S"},
                               {"pictory-inside", "guess"},
                               {"request-timeout", "2.5"}},
                              "x-tenant");
  ASSERT_TRUE(facts.ok());
  EXPECT_THAT(facts->metadata,
              ElementsAre(Pair("authorization", "Bearer k"), Pair("idempotency-key", "r1"),
                          Pair("x-tenant", "acme")));
  EXPECT_EQ(facts->deadline, std::chrono::milliseconds(2500));
  // Two of one name are for whoever reads them to refuse.
  EXPECT_EQ(ReadHead({{"authorization", "a"}, {"authorization", "b"}}, "")->metadata.size(), 2u);
  EXPECT_THAT(ReadHead({{"x-tenant", "acme"}}, "")->metadata, IsEmpty());
}

TEST(RequestOfTest, RefusesHeadersThatAreNoMetadata) {
  EXPECT_FALSE(ReadHead({{"authorization", "Bearer \xC3\xA9"}}, "").ok());
  EXPECT_FALSE(ReadHead({{"idempotency-key", "a\tb"}}, "").ok());
  EXPECT_FALSE(ReadHead({{"idempotency-key", "a"}, {"idempotency-key", "b"}}, "").ok());
  EXPECT_FALSE(ReadHead({{"idempotency-key", "a"}, {"idempotency-key", "a"}}, "").ok());
  EXPECT_FALSE(ReadHead({{"idempotency-key", ""}}, "").ok());
  EXPECT_FALSE(ReadHead({{"idempotency-key", "\"\""}}, "").ok());
  for (const char* const time : {"", "x", "-1", "0", "nan", "inf", "1e9", "1s"}) {
    EXPECT_FALSE(ReadHead({{"request-timeout", time}}, "").ok()) << time;
  }
  EXPECT_FALSE(ReadHead({{"request-timeout", "1"}, {"request-timeout", "1"}}, "").ok());
}

TEST(RequestOfTest, TakesBodiesOfJsonOnly) {
  const auto check = [](std::vector<http::Header> headers, const char* method = "POST") {
    http::ServerRequest head;
    head.method = method;
    head.headers = std::move(headers);
    return CheckBodyType(head);
  };
  const http::Header some{"content-length", "2"};
  for (const char* const method : {"GET", "HEAD", "DELETE"}) {
    EXPECT_TRUE(check({}, method).ok());
    EXPECT_TRUE(check({{"content-length", "0"}, {"content-type", "text/plain"}}, method).ok());
    EXPECT_EQ(errors::Reason(check({some}, method)), "NOT_JSON");
  }
  // Without a body too.
  for (const char* const method : {"POST", "PUT", "PATCH"}) {
    EXPECT_TRUE(check({{"content-type", "application/json"}}, method).ok());
    EXPECT_EQ(errors::Reason(check({}, method)), "NOT_JSON");
    EXPECT_EQ(errors::Reason(check({{"content-length", "0"}}, method)), "NOT_JSON");
    EXPECT_EQ(
        errors::Reason(check({{"content-length", "00"}, {"content-type", "text/plain"}}, method)),
        "NOT_JSON");
  }
  EXPECT_TRUE(check({some, {"content-type", "application/json"}}).ok());
  EXPECT_TRUE(check({some, {"content-type", "Application/JSON; charset=\"UTF-8\""}}).ok());
  for (const char* const other :
       {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
        "application/jsonp", "application/json; charset=utf-16", "text/plain, application/json",
        ""}) {
    EXPECT_EQ(errors::Reason(check({some, {"content-type", other}})), "NOT_JSON") << other;
  }
  EXPECT_EQ(errors::Reason(check({some})), "NOT_JSON");
  EXPECT_EQ(errors::Reason(check({{"transfer-encoding", "chunked"}})), "NOT_JSON");
  EXPECT_EQ(errors::Reason(
                check({some, {"content-type", "application/json"}, {"content-encoding", "gzip"}})),
            "REQUEST_COMPRESSED");
}

}  // namespace
}  // namespace gateway::face
