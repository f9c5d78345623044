#include "rpc/reflection_files.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <vector>

#include "google/protobuf/descriptor.pb.h"

namespace gateway::rpc {
namespace {

using google::protobuf::FileDescriptorProto;
using google::protobuf::SourceCodeInfo;

[[noreturn]] void Broken(const std::string& what) {
  std::fprintf(stderr, "the descriptor set of this program is broken: %s\n", what.c_str());
  std::abort();
}

bool DeclaresOptions(const FileDescriptorProto& file) {
  return std::any_of(file.extension().begin(), file.extension().end(), [](const auto& extension) {
    return extension.extendee().ends_with("Options") &&
           extension.extendee().starts_with(".google.protobuf.");
  });
}

// Options that another file declares: extensions if that file's code is linked in, else unknown
// fields.
void DropDeclaredOptions(google::protobuf::Message& message) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  reflection.MutableUnknownFields(&message)->Clear();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const auto* field : fields) {
    if (field->is_extension()) {
      reflection.ClearField(&message, field);
    } else if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) {
      continue;
    } else if (field->is_repeated()) {
      for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
        DropDeclaredOptions(*reflection.MutableRepeatedMessage(&message, field, i));
      }
    } else {
      DropDeclaredOptions(*reflection.MutableMessage(&message, field));
    }
  }
}

// Public and weak imports are named elsewhere by their places in this list; there are none, and the
// pool would refuse them.
void DropImports(const std::set<std::string>& dropped, FileDescriptorProto& file) {
  auto& imports = *file.mutable_dependency();
  imports.erase(std::remove_if(imports.begin(), imports.end(),
                               [&](const std::string& name) { return dropped.contains(name); }),
                imports.end());
}

// Most locations say only where in the text something stood; those are left out. So are those of
// imports, whose places in the list have changed.
void KeepComments(SourceCodeInfo& info) {
  SourceCodeInfo kept;
  for (auto& location : *info.mutable_location()) {
    const bool import =
        location.path_size() > 0 && location.path(0) == FileDescriptorProto::kDependencyFieldNumber;
    const bool commented = location.has_leading_comments() || location.has_trailing_comments() ||
                           location.leading_detached_comments_size() > 0;
    if (commented && !import) kept.add_location()->Swap(&location);
  }
  info.Swap(&kept);
}

}  // namespace

ReflectionFiles::ReflectionFiles(std::string_view descriptor_set) {
  google::protobuf::FileDescriptorSet set;
  if (!set.ParseFromArray(descriptor_set.data(), static_cast<int>(descriptor_set.size()))) {
    Broken("it is no FileDescriptorSet");
  }
  std::set<std::string> dropped;
  for (FileDescriptorProto& file : *set.mutable_file()) {
    if (DeclaresOptions(file)) {
      dropped.insert(file.name());
      continue;
    }
    DropDeclaredOptions(file);
    DropImports(dropped, file);
    KeepComments(*file.mutable_source_code_info());
    serialised_[file.name()] = file.SerializeAsString();
    file.clear_source_code_info();
    if (pool_.BuildFile(file) == nullptr) Broken(file.name());
  }
}

const std::string& ReflectionFiles::Serialised(const google::protobuf::FileDescriptor& file) const {
  return serialised_.find(file.name())->second;
}

}  // namespace gateway::rpc
