// The table of members in server/pictory/API.md says what the .proto says, and each member that it
// calls typed is in the body that it names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "json/proto_plan.h"
#include "pictory/bodies.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"

namespace gateway::pictory {
namespace {

namespace v1 = ::pictory::jobs::v1;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// `Scene.story`: the message, and the key of the JSON.
std::string MemberOf(const Descriptor& type, const json::FieldPlan& field) {
  return type.name() + "." + field.key;
}

void CollectDeclared(const Descriptor* type, std::set<std::string>& all) {
  const json::MessagePlan& plan = json::PlanOf(type);
  if (plan.items() != nullptr) return;  // an array in JSON, such as a transcript
  for (const json::FieldPlan& field : plan.fields()) {
    if (!field.IsMember() || !all.insert(MemberOf(*type, field)).second) continue;
    if (field.message != nullptr) CollectDeclared(field.message->descriptor(), all);
  }
}

std::set<std::string> Declared() {
  std::set<std::string> all;
  for (const Descriptor* type :
       {v1::Storyboard::descriptor(), v1::TranscribeRequest::descriptor(),
        v1::SummarizeRequest::descriptor(), v1::GenerateImageRequest::descriptor(),
        v1::GenerateVideoRequest::descriptor(), v1::TemplateVideo::descriptor(),
        v1::PreviewElement::descriptor()}) {
    CollectDeclared(type, all);
  }
  return all;
}

void CollectSet(const Message& message, std::set<std::string>& all) {
  const json::MessagePlan& plan = json::PlanOf(message.GetDescriptor());
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* set : fields) {
    const json::FieldPlan& field = *plan.Numbered(static_cast<std::uint32_t>(set->number()));
    if (!field.IsMember()) continue;
    all.insert(MemberOf(*message.GetDescriptor(), field));
    if (field.message == nullptr) continue;
    const int size = field.repeated ? message.GetReflection()->FieldSize(message, set) : 1;
    for (int i = 0; i < size; ++i) {
      CollectSet(field.repeated ? message.GetReflection()->GetRepeatedMessage(message, set, i)
                                : message.GetReflection()->GetMessage(message, set),
                 all);
    }
  }
}

// By body, the members that it has.
std::map<std::string, std::set<std::string>> Shown() {
  std::map<std::string, std::set<std::string>> shown;
  for (const PublishedBody& body : PublishedBodies()) {
    std::set<std::string>& members = shown[body.kind + "/" + body.name];
    if (body.kind == "storyboard") {
      CollectSet(FromJson<v1::Storyboard>(body.text), members);
    } else if (body.kind == "transcribe") {
      CollectSet(FromJson<v1::TranscribeRequest>(body.text), members);
    } else if (body.kind == "summarize") {
      CollectSet(FromJson<v1::SummarizeRequest>(body.text), members);
    } else if (body.kind == "image") {
      CollectSet(FromJson<v1::GenerateImageRequest>(body.text), members);
    } else if (body.kind == "video") {
      CollectSet(FromJson<v1::GenerateVideoRequest>(body.text), members);
    } else if (body.kind == "template") {
      CollectSet(TemplateFromJson(body.text), members);
    } else {
      const auto update = FromJson<v1::UpdatePreviewRequest>(R"({"elements":)" + body.text + "}");
      for (const v1::PreviewElement& element : update.elements()) CollectSet(element, members);
    }
  }
  return shown;
}

struct Row {
  std::string member;
  std::string typed;  // yes, refused or no
  std::string test;   // a body, or nothing
};

// | `Scene.story` | text | yes | R, S | `storyboard/first_video` |
std::vector<Row> Rows() {
  std::ifstream page(PICTORY_API_PAGE);
  std::vector<Row> rows;
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line.rfind("## ", 0) == 0) inside = line == "## Members of the bodies";
    if (!inside || line.rfind("| `", 0) != 0) continue;
    std::vector<std::string> cells = absl::StrSplit(line, '|');
    EXPECT_EQ(cells.size(), 7u) << line;
    if (cells.size() != 7) continue;
    for (std::string& cell : cells) {
      cell.erase(std::remove(cell.begin(), cell.end(), '`'), cell.end());
      absl::StripAsciiWhitespace(&cell);
    }
    rows.push_back({cells[1], cells[3].substr(0, cells[3].find_first_of(" :")), cells[5]});
  }
  return rows;
}

// The bodies that the list below the table names, in the last cell of each row:
// | N `text_to_video_v2/bulletin_style` | `storyboard/bulletin` |
std::set<std::string> Listed() {
  std::ifstream page(PICTORY_API_PAGE);
  std::set<std::string> names;
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line == "| Published | Ours |") inside = true;
    if (line.empty()) inside = false;
    const std::vector<std::string> cells = absl::StrSplit(line, '|');
    if (!inside || cells.size() != 4) continue;
    const std::vector<std::string> words = absl::StrSplit(cells[2], '`');
    for (std::size_t i = 1; i < words.size(); i += 2) names.insert(words[i]);
  }
  return names;
}

TEST(ApiTable, ListsEveryBody) {
  std::set<std::string> bodies;
  for (const PublishedBody& body : PublishedBodies()) bodies.insert(body.kind + "/" + body.name);
  EXPECT_EQ(Listed(), bodies);
}

TEST(ApiTable, HasEveryMemberOnce) {
  std::set<std::string> rows;
  for (const Row& row : Rows()) EXPECT_TRUE(rows.insert(row.member).second) << row.member;
  for (const std::string& member : Declared()) {
    EXPECT_TRUE(rows.contains(member)) << member << " is in no row";
  }
}

TEST(ApiTable, SaysWhatTheProtoSays) {
  const std::set<std::string> declared = Declared();
  const auto shown = Shown();
  ASSERT_GT(Rows().size(), 100u);
  for (const auto& [member, typed, test] : Rows()) {
    EXPECT_EQ(declared.contains(member), typed == "yes" || typed == "refused") << member;
    if (typed != "yes") continue;
    const auto body = shown.find(test);
    if (body != shown.end() && body->second.contains(member)) continue;
    std::vector<std::string> would;
    for (const auto& [name, members] : shown) {
      if (members.contains(member)) would.push_back(name);
    }
    ADD_FAILURE() << member << " is not in the body '" << test << "', but in "
                  << absl::StrJoin(would, ", ");
  }
}

}  // namespace
}  // namespace gateway::pictory
