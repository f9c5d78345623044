// What agents are told of the tools.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "json/check.h"
#include "mcp/message.h"
#include "mcp/tool_table.h"
#include "mcp/tools_document.h"
#include "pictory/jobs/v1/annotations.pb.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"

namespace gateway::mcp {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

json::Outline Document() {
  json::Outline outline;
  json::Limits limits;
  limits.max_string_bytes = ToolsDocument().size();
  EXPECT_TRUE(json::Check(ToolsDocument(), limits, &outline).ok());
  return outline;
}

TEST(Tools, EachIsListedWithASchemaOfItsOwn) {
  const json::Outline document = Document();
  ASSERT_THAT(document.members, SizeIs(kTools.size()));
  for (std::size_t i = 0; i < kTools.size(); ++i) {
    const std::string text(document.members[i].value);
    EXPECT_THAT(text, AllOf(HasSubstr("\"name\":\"" + std::string(kTools[i].name) + "\""),
                            HasSubstr("\"inputSchema\":{\"type\":\"object\""),
                            HasSubstr("\"$defs\":{"), HasSubstr("\"additionalProperties\":false")));
    EXPECT_EQ(text.find("#/components/"), std::string::npos);
  }
}

TEST(Tools, EverySubmitOfTheApiIsOne) {
  const auto& service =
      *::pictory::jobs::v1::ListJobsRequest::descriptor()->file()->FindServiceByName("PictoryJobs");
  int submits = 0;
  for (int i = 0; i < service.method_count(); ++i) {
    if (!service.method(i)->options().HasExtension(::pictory::jobs::v1::job_method)) continue;
    ++submits;
    const auto found =
        std::ranges::find(kTools, std::string_view(service.method(i)->name()), &Tool::method);
    ASSERT_NE(found, kTools.end()) << service.method(i)->name();
    EXPECT_EQ(found->kind, ToolKind::kSubmit);
  }
  EXPECT_EQ(submits, std::ranges::count(kTools, ToolKind::kSubmit, &Tool::kind));
}

TEST(Tools, SubmitsSayWhatTheyCost) {
  const json::Outline document = Document();
  for (std::size_t i = 0; i < kTools.size(); ++i) {
    if (kTools[i].kind != ToolKind::kSubmit) continue;
    EXPECT_THAT(std::string(document.members[i].value),
                AllOf(HasSubstr("credits"), HasSubstr("nothing is paid again")));
  }
}

}  // namespace
}  // namespace gateway::mcp
