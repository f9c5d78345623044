#include "pictory/result_links.h"

#include "json/wire_reader.h"
#include "pictory/bindings.h"
#include "pictory/url_rules.h"

namespace gateway::pictory {

bool ClearBadLinks(google::protobuf::Message& result, bool allow_loopback) {
  const auto* const descriptor = result.GetDescriptor();
  const auto* const reflection = result.GetReflection();
  bool cleared = false;
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const auto* const field = descriptor->field(i);
    if (!HoldsUrl(field) || !reflection->HasField(result, field)) continue;
    if (IsLink(reflection->GetString(result, field), allow_loopback)) continue;
    reflection->ClearField(&result, field);
    cleared = true;
  }
  return cleared;
}

bool HasBadLink(std::string_view wire, const google::protobuf::Descriptor* result,
                bool allow_loopback) {
  json::WireReader reader(wire);
  while (reader.Next()) {
    const auto* const field = result->FindFieldByNumber(static_cast<int>(reader.number()));
    if (field != nullptr && HoldsUrl(field) && !IsLink(reader.bytes(), allow_loopback)) return true;
  }
  return false;
}

}  // namespace gateway::pictory
