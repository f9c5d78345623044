// Writes the list of tools: `pictory-mcp-tools DESCRIPTOR_SET OUT`. It runs when the gateway is
// built.
#include <google/protobuf/descriptor.h>

#include <fstream>
#include <iostream>
#include <string>

#include "face/openapi/described_service.h"
#include "face/openapi/schemas.h"
#include "json/writer.h"
#include "mcp/tool_table.h"

namespace gateway::mcp {
namespace {

void Hint(json::Writer& out, std::string_view name, bool value) {
  out.Key(name);
  out.Bool(value);
}

std::string DescriptionOf(const Tool& tool, const google::protobuf::MethodDescriptor& method) {
  std::string text = face::CommentOf(method) + "\n\n" + std::string(tool.words);
  if (tool.kind == ToolKind::kSubmit) text += " " + std::string(kSubmitWords);
  return text;
}

void WriteTool(const Tool& tool, const google::protobuf::MethodDescriptor& method,
               json::Writer& out) {
  out.StartObject();
  out.Key("name");
  out.String(tool.name);
  out.Key("description");
  out.String(DescriptionOf(tool, method));
  out.Key("inputSchema");
  out.StartObject();
  face::Schemas schemas("#/$defs/");
  schemas.Object(*method.input_type(), {}, out);
  out.Key("$defs");
  out.StartObject();
  schemas.WriteAll(out);
  out.EndObject();
  out.EndObject();
  const bool writes = tool.kind == ToolKind::kSubmit || tool.kind == ToolKind::kDelete;
  out.Key("annotations");
  out.StartObject();
  Hint(out, "readOnlyHint", !writes);
  Hint(out, "destructiveHint", tool.kind == ToolKind::kDelete);
  Hint(out, "idempotentHint", true);
  Hint(out, "openWorldHint", writes);
  out.EndObject();
  out.EndObject();
}

}  // namespace
}  // namespace gateway::mcp

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: pictory-mcp-tools DESCRIPTOR_SET OUT\n";
    return 2;
  }
  const gateway::face::DescribedService service(argv[1]);
  if (service.get() == nullptr) return 1;
  std::string text;
  gateway::json::Writer out(text);
  out.StartArray();
  for (const gateway::mcp::Tool& tool : gateway::mcp::kTools) {
    const auto* const method = service.get()->FindMethodByName(std::string(tool.method));
    if (method == nullptr) return 1;
    gateway::mcp::WriteTool(tool, *method, out);
  }
  out.EndArray();
  std::ofstream file(argv[2], std::ios::binary);
  file << text;
  return out.ok() && file.good() ? 0 : 1;
}
