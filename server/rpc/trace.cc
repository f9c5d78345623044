#include "rpc/trace.h"

#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace gateway::rpc {
namespace {

using Metadata = std::multimap<grpc::string_ref, grpc::string_ref>;

// nullopt if there is none, or more than one.
std::optional<std::string_view> TheOnly(const Metadata& metadata, const char* name) {
  const auto found = metadata.find(name);
  if (found == metadata.end()) return std::nullopt;
  const auto next = std::next(found);
  if (next != metadata.end() && next->first == found->first) return std::nullopt;
  return std::string_view(found->second.data(), found->second.size());
}

std::string Joined(const Metadata& metadata, const char* name) {
  std::string joined;
  const auto [begin, end] = metadata.equal_range(name);
  for (auto entry = begin; entry != end; ++entry) {
    if (!joined.empty()) joined += ',';
    joined.append(entry->second.data(), entry->second.size());
  }
  return joined;
}

}  // namespace

TraceContext TraceSent(const grpc::ServerContextBase& context) {
  const Metadata& metadata = context.client_metadata();
  TraceHeaders headers;
  headers.traceparent = TheOnly(metadata, "traceparent");
  headers.b3 = TheOnly(metadata, "b3");
  headers.b3_trace_id = TheOnly(metadata, "x-b3-traceid");
  // Most calls bring none of these.
  if (!headers.traceparent && !headers.b3 && !headers.b3_trace_id) return {};
  headers.tracestate = Joined(metadata, "tracestate");
  headers.b3_span_id = TheOnly(metadata, "x-b3-spanid");
  headers.b3_sampled = TheOnly(metadata, "x-b3-sampled");
  headers.b3_flags = TheOnly(metadata, "x-b3-flags");
  return ReadTraceContext(headers);
}

TraceContext TraceOf(const grpc::ServerContextBase& context, bool begins, const Domain& domain) {
  TraceContext sent = TraceSent(context);
  if (!domain.spans || (!sent && !begins)) return sent;
  return ChildOf(sent, domain.random);
}

}  // namespace gateway::rpc
