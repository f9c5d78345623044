#include "rpc/reflection_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "google/protobuf/descriptor.pb.h"
#include "pictory/jobs/internal/v1/error_details.pb.h"
#include "pictory/jobs/v1/pictory_jobs.pb.h"
#include "rpc/descriptor_set.h"

namespace gateway::rpc {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;
using google::protobuf::FileDescriptorSet;
using google::protobuf::SourceCodeInfo;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

FileDescriptorProto Served(const ReflectionFiles& files, const FileDescriptor& file) {
  FileDescriptorProto served;
  EXPECT_TRUE(served.ParseFromString(files.Serialised(file)));
  return served;
}

const FileDescriptor* Api(const ReflectionFiles& files) {
  return files.pool().FindFileByName("pictory/jobs/v1/pictory_jobs.proto");
}

TEST(ReflectionFilesTest, DescribeTheWholeApi) {
  const ReflectionFiles files(DescriptorSet());
  const auto* linked = ::pictory::jobs::v1::Job::descriptor()->file()->pool();
  for (const char* name : {"job", "pictory_jobs", "storyboard"}) {
    const std::string path = std::string("pictory/jobs/v1/") + name + ".proto";
    const FileDescriptor* described = files.pool().FindFileByName(path);
    const FileDescriptor* file = linked->FindFileByName(path);
    ASSERT_NE(described, nullptr) << path;
    ASSERT_NE(file, nullptr) << path;
    ASSERT_EQ(described->message_type_count(), file->message_type_count());
    for (int i = 0; i < file->message_type_count(); ++i) {
      const Descriptor& message = *file->message_type(i);
      for (int j = 0; j < message.field_count(); ++j) {
        EXPECT_EQ(described->message_type(i)->field(j)->json_name(), message.field(j)->json_name());
      }
    }
  }
}

TEST(ReflectionFilesTest, CarryComments) {
  const ReflectionFiles files(DescriptorSet());
  std::map<std::vector<int>, std::string> comments;
  const FileDescriptorProto served = Served(files, *Api(files));
  for (const SourceCodeInfo::Location& location : served.source_code_info().location()) {
    comments[{location.path().begin(), location.path().end()}] = location.leading_comments();
    EXPECT_FALSE(location.leading_comments().empty() && location.trailing_comments().empty() &&
                 location.leading_detached_comments().empty());
  }
  const auto* jobs = files.pool().FindServiceByName("pictory.jobs.v1.PictoryJobs");
  ASSERT_NE(jobs, nullptr);
  for (int i = 0; i < jobs->method_count(); ++i) {
    const std::vector<int> path{FileDescriptorProto::kServiceFieldNumber, jobs->index(),
                                google::protobuf::ServiceDescriptorProto::kMethodFieldNumber, i};
    EXPECT_THAT(comments, Contains(::testing::Key(path))) << jobs->method(i)->name();
  }
}

TEST(ReflectionFilesTest, LeaveOutDeclaredOptionsAndTheFileThatDeclaresThem) {
  FileDescriptorSet set;
  FileDescriptorProto& descriptor = *set.add_file();
  google::protobuf::FileDescriptorProto::descriptor()->file()->CopyTo(&descriptor);
  FileDescriptorProto& options = *set.add_file();
  options.set_name("options.proto");
  options.add_dependency(descriptor.name());
  auto& extension = *options.add_extension();
  extension.set_name("unit");
  extension.set_number(60000);
  extension.set_label(google::protobuf::FieldDescriptorProto::LABEL_OPTIONAL);
  extension.set_type(google::protobuf::FieldDescriptorProto::TYPE_STRING);
  extension.set_extendee(".google.protobuf.FieldOptions");
  FileDescriptorProto& user = *set.add_file();
  user.set_name("user.proto");
  user.add_dependency("options.proto");
  user.add_dependency(descriptor.name());
  auto& field = *user.add_message_type()->add_field();
  user.mutable_message_type(0)->set_name("Length");
  field.set_name("metres");
  field.set_number(1);
  field.set_label(google::protobuf::FieldDescriptorProto::LABEL_OPTIONAL);
  field.set_type(google::protobuf::FieldDescriptorProto::TYPE_DOUBLE);
  field.mutable_options()->set_deprecated(true);
  field.mutable_options()->mutable_unknown_fields()->AddLengthDelimited(60000, "m");
  for (int dependency : {0, 1}) {
    auto& location = *user.mutable_source_code_info()->add_location();
    location.add_path(FileDescriptorProto::kDependencyFieldNumber);
    location.add_path(dependency);
    location.set_leading_comments("of an import");
  }

  const ReflectionFiles files(set.SerializeAsString());
  EXPECT_EQ(files.pool().FindFileByName("options.proto"), nullptr);
  const FileDescriptorProto served = Served(files, *files.pool().FindFileByName("user.proto"));
  EXPECT_THAT(served.dependency(), ElementsAre(descriptor.name()));
  EXPECT_EQ(served.source_code_info().location_size(), 0);
  const auto& kept = served.message_type(0).field(0).options();
  EXPECT_TRUE(kept.deprecated());
  EXPECT_TRUE(kept.unknown_fields().empty());
}

TEST(ReflectionFilesTest, TheApiItselfHasNoneLeft) {
  const ReflectionFiles files(DescriptorSet());
  EXPECT_EQ(files.pool().FindFileByName("pictory/jobs/v1/annotations.proto"), nullptr);
  for (const char* name : {"job", "pictory_jobs", "storyboard"}) {
    const auto* file =
        files.pool().FindFileByName(std::string("pictory/jobs/v1/") + name + ".proto");
    const FileDescriptorProto served = Served(files, *file);
    EXPECT_THAT(served.dependency(), Not(Contains("pictory/jobs/v1/annotations.proto")));
    EXPECT_THAT(served.dependency(), Not(Contains("google/protobuf/descriptor.proto")));
    for (const auto& message : served.message_type()) {
      for (const auto& field : message.field()) {
        EXPECT_EQ(field.options().ByteSizeLong(), 0u) << message.name() << "." << field.name();
      }
    }
  }
}

// Two texts of one thing: the gateway writes details by one file, and reflection describes the
// other.
TEST(ReflectionFilesTest, TheErrorDetailsAreThoseThatTheGatewaySends) {
  const ReflectionFiles files(DescriptorSet());
  const auto* details = ::pictory::jobs::internal::v1::ErrorInfo::descriptor()->file();
  int compared = 0;
  const auto compare = [&](const auto& self, const Descriptor& ours) -> void {
    const std::string name =
        "google.rpc" + std::string(ours.full_name().substr(details->package().size()));
    const Descriptor* described = files.pool().FindMessageTypeByName(name);
    ASSERT_NE(described, nullptr) << name;
    ASSERT_EQ(described->field_count(), ours.field_count()) << name;
    for (int i = 0; i < ours.field_count(); ++i) {
      const FieldDescriptor* field = described->FindFieldByNumber(ours.field(i)->number());
      ASSERT_NE(field, nullptr) << ours.field(i)->full_name();
      EXPECT_EQ(field->name(), ours.field(i)->name());
      EXPECT_EQ(field->type(), ours.field(i)->type());
      EXPECT_EQ(field->is_repeated(), ours.field(i)->is_repeated());
      ++compared;
    }
    for (int i = 0; i < ours.nested_type_count(); ++i) self(self, *ours.nested_type(i));
  };
  for (int i = 0; i < details->message_type_count(); ++i) {
    const Descriptor& message = *details->message_type(i);
    // Google has these two elsewhere: google.protobuf.Duration, and the status around the details.
    if (message.name() != "Delay" && message.name() != "Status") compare(compare, message);
  }
  EXPECT_GE(compared, 13);
}

TEST(ReflectionFilesDeathTest, ABrokenSetEndsTheProgram) {
  EXPECT_DEATH(ReflectionFiles("no set"), "it is no FileDescriptorSet");
  FileDescriptorSet set;
  set.add_file()->set_name("a.proto");
  set.mutable_file(0)->add_dependency("missing.proto");
  EXPECT_DEATH(ReflectionFiles(set.SerializeAsString()), "a.proto");
}

}  // namespace
}  // namespace gateway::rpc
