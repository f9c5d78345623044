#include "rpc/reflection_answers.h"

#include <utility>

#include "grpcpp/support/status.h"

namespace gateway::rpc {
namespace {

using google::protobuf::FileDescriptor;
using Response = grpc::reflection::v1::ServerReflectionResponse;

void NotFound(const std::string& what, Response& response) {
  response.mutable_error_response()->set_error_code(grpc::StatusCode::NOT_FOUND);
  response.mutable_error_response()->set_error_message("Not found: " + what);
}

}  // namespace

ReflectionAnswers::ReflectionAnswers(std::vector<std::string> services,
                                     const ReflectionFiles& files)
    : services_(std::move(services)), files_(files), pool_(files.pool()) {}

void ReflectionAnswers::Add(const FileDescriptor* file, bool asked, std::set<std::string>& sent,
                            Response& response) const {
  if (!sent.emplace(file->name()).second && !asked) return;
  response.mutable_file_descriptor_response()->add_file_descriptor_proto(files_.Serialised(*file));
  for (int i = 0; i < file->dependency_count(); ++i) {
    Add(file->dependency(i), /*asked=*/false, sent, response);
  }
}

void ReflectionAnswers::Describe(const FileDescriptor* file, const std::string& what,
                                 std::set<std::string>& sent, Response& response) const {
  if (file == nullptr) return NotFound(what, response);
  Add(file, /*asked=*/true, sent, response);
}

void ReflectionAnswers::ListExtensions(const std::string& type, Response& response) const {
  const google::protobuf::Descriptor* message = pool_.FindMessageTypeByName(type);
  if (message == nullptr) return NotFound(type, response);
  std::vector<const google::protobuf::FieldDescriptor*> extensions;
  pool_.FindAllExtensions(message, &extensions);
  auto* numbers = response.mutable_all_extension_numbers_response();
  numbers->set_base_type_name(type);
  for (const auto* extension : extensions) numbers->add_extension_number(extension->number());
}

Response ReflectionAnswers::Answer(const grpc::reflection::v1::ServerReflectionRequest& request,
                                   std::set<std::string>& sent) const {
  using Request = grpc::reflection::v1::ServerReflectionRequest;
  Response response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  switch (request.message_request_case()) {
    case Request::kFileByFilename: {
      const std::string& name = request.file_by_filename();
      Describe(pool_.FindFileByName(name), name, sent, response);
      break;
    }
    case Request::kFileContainingSymbol: {
      const std::string& symbol = request.file_containing_symbol();
      Describe(pool_.FindFileContainingSymbol(symbol), symbol, sent, response);
      break;
    }
    case Request::kFileContainingExtension: {
      const auto& wanted = request.file_containing_extension();
      const auto* message = pool_.FindMessageTypeByName(wanted.containing_type());
      const auto* extension = message == nullptr
                                  ? nullptr
                                  : pool_.FindExtensionByNumber(message, wanted.extension_number());
      Describe(extension == nullptr ? nullptr : extension->file(),
               "extension " + std::to_string(wanted.extension_number()) + " of " +
                   wanted.containing_type(),
               sent, response);
      break;
    }
    case Request::kAllExtensionNumbersOfType:
      ListExtensions(request.all_extension_numbers_of_type(), response);
      break;
    case Request::kListServices:
      for (const std::string& service : services_) {
        response.mutable_list_services_response()->add_service()->set_name(service);
      }
      break;
    case Request::MESSAGE_REQUEST_NOT_SET:
      response.mutable_error_response()->set_error_code(grpc::StatusCode::INVALID_ARGUMENT);
      response.mutable_error_response()->set_error_message("The request asks for nothing");
      break;
  }
  return response;
}

}  // namespace gateway::rpc
