#include "face/routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "face/url_text.h"
#include "pictory/jobs/v1/annotations.pb.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"

namespace gateway::face {
namespace {

namespace v1 = ::pictory::jobs::v1;
using google::protobuf::FieldDescriptor;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

const google::protobuf::ServiceDescriptor& Service() {
  return *v1::ListJobsRequest::descriptor()->file()->FindServiceByName("PictoryJobs");
}

const Routes& TheRoutes() {
  static const auto* const routes = new Routes(Service());
  return *routes;
}

std::string MethodAt(const char* http_method, const std::string& path) {
  const Routes::Found found = TheRoutes().Find(http_method, path);
  return found.route == nullptr ? "" : std::string(found.route->method->name());
}

struct PathRow {
  const char* http_method;
  const char* path;
  const char* method;
};

TEST(RoutesTest, FindsEachMethodAtItsPlaces) {
  for (const PathRow& row :
       {PathRow{"POST", "/v1/previews", "CreatePreview"}, PathRow{"POST", "/v1/renders", "Render"},
        PathRow{"POST", "/v1/previews/p1:render", "Render"},
        PathRow{"POST", "/v1/projects/p1:render", "Render"},
        PathRow{"POST", "/v1/transcriptions", "Transcribe"},
        PathRow{"POST", "/v1/summaries", "Summarize"},
        PathRow{"POST", "/v1/transcriptions/t1:summarize", "Summarize"},
        PathRow{"GET", "/v1/jobs/j1", "GetJob"}, PathRow{"HEAD", "/v1/jobs/j1", "GetJob"},
        PathRow{"DELETE", "/v1/jobs/j1", "DeleteJob"}, PathRow{"GET", "/v1/jobs", "ListJobs"},
        PathRow{"POST", "/v1/jobs:search", "ListJobs"},
        PathRow{"GET", "/v1/jobs/j1:watch", "WatchJob"},
        PathRow{"GET", "/v1/jobs/j1:read", "ReadJobResult"},
        PathRow{"GET", "/v1/jobs/j1/files/video.mp4", "ReadArchivedFile"},
        PathRow{"GET", "/v1/jobs/j1:file", "ReadArchivedFile"},
        PathRow{"POST", "/v1/jobs/j1:resolve", "ResolveJob"},
        PathRow{"PATCH", "/v1/previews/j1", "UpdatePreview"}}) {
    EXPECT_EQ(MethodAt(row.http_method, row.path), row.method) << row.path;
  }
}

TEST(RoutesTest, DecodesIds) {
  EXPECT_THAT(TheRoutes().Find("GET", "/v1/jobs/a%3Ab%2Fc").captures,
              ElementsAre(Pair("job_id", "a:b/c")));
  EXPECT_THAT(TheRoutes().Find("GET", "/v1/jobs/a%3Awatch:watch").captures,
              ElementsAre(Pair("job_id", "a:watch")));
}

TEST(RoutesTest, FindsNothingAtStrangePlaces) {
  for (const char* const path : {"",
                                 "/",
                                 "/v1",
                                 "/v1/",
                                 "/v1/jobs/",
                                 "//v1/jobs",
                                 "/v1//jobs",
                                 "/v1/jobs/j1/",
                                 "/v1/jobs/.",
                                 "/v1/jobs/..",
                                 "/v1/jobs/%2e%2E",
                                 "/v1/jobs/%2e",
                                 "/v1/jobs/a:b",
                                 "/v1/jobs/a%00b",
                                 "/v1/jobs/a%0d%0ab",
                                 "/v1/jobs/a%",
                                 "/v1/jobs/%ff",
                                 "/v1/jobs/a b\x01",
                                 "/v1/jobs/:watch",
                                 "/v1/jobs/../jobs",
                                 "/V1/jobs",
                                 "v1/jobs",
                                 "/v1/jobs/a:watch:watch",
                                 "/v1/jobs/a:Watch"}) {
    const Routes::Found found = TheRoutes().Find("GET", path);
    EXPECT_EQ(found.route, nullptr) << path;
    EXPECT_THAT(found.captures, IsEmpty()) << path;
  }
}

TEST(RoutesTest, KnowsTheOtherMethods) {
  EXPECT_THAT(TheRoutes().Find("PUT", "/v1/jobs/j1").allowed, ElementsAre("GET", "DELETE"));
  EXPECT_THAT(TheRoutes().Find("get", "/v1/jobs/j1").allowed, ElementsAre("GET", "DELETE"));
}

// The engine knows no method by its name, so what the .proto says must be all it needs.
TEST(RoutesTest, EveryMethodIsDeclaredWell) {
  std::set<std::string> places;
  for (int i = 0; i < Service().method_count(); ++i) {
    const auto& method = *Service().method(i);
    const v1::HttpMethod& http = method.options().GetExtension(v1::http);
    EXPECT_GT(http.rules_size(), 0) << method.name();
    for (const v1::HttpRule& rule : http.rules()) {
      EXPECT_THAT((std::set<std::string>{"GET", "POST", "PUT", "PATCH", "DELETE"}),
                  testing::Contains(rule.method()));
      EXPECT_TRUE(places.insert(rule.method() + " " + rule.path()).second) << rule.path();
      EXPECT_TRUE(rule.path().starts_with("/v1/")) << rule.path();
      for (const std::string& field : PathTemplate(rule.path()).fields()) {
        const FieldDescriptor* const found = method.input_type()->FindFieldByName(field);
        ASSERT_NE(found, nullptr) << rule.path();
        EXPECT_EQ(found->type(), FieldDescriptor::TYPE_STRING) << rule.path();
      }
    }
    EXPECT_EQ(method.server_streaming(), !http.resume().empty()) << method.name();
    if (!http.resume().empty()) {
      EXPECT_NE(method.input_type()->FindFieldByName(http.resume()), nullptr) << method.name();
    }
  }
}

// No path is of two forms, so the order of the rules means nothing.
TEST(RoutesTest, NoTwoRulesTakeTheSamePath) {
  for (const Route& route : TheRoutes().all()) {
    std::string path = route.path;
    for (std::size_t at; (at = path.find('{')) != std::string::npos;) {
      path.replace(at, path.find('}') - at + 1, "x1");
    }
    int takers = 0;
    for (const Route& other : TheRoutes().all()) {
      PathTemplate::Captures captures;
      if (other.http_method == route.http_method && other.path_template.Match(path, captures)) {
        ++takers;
      }
    }
    EXPECT_EQ(takers, 1) << route.path;
  }
}

}  // namespace
}  // namespace gateway::face
