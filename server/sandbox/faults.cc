#include "sandbox/faults.h"

#include <algorithm>
#include <initializer_list>

#include "sandbox/gzip_bomb.h"

namespace gateway::sandbox {
namespace {

using Type = Fault::Type;

constexpr std::int64_t kMaxNumber = std::int64_t{16} << 30;

struct TypeRow {
  std::string_view name;
  Type type;
  bool acts;
  const char* number_key;  // nullptr: none
  std::int64_t number;
  int status;
  bool webhook = false;  // about the call to it, not about an answer
};

constexpr TypeRow kTypes[] = {
    {"delay", Type::kDelay, true, "ms", 1000, 200},
    {"reset", Type::kReset, true, "after_bytes", 0, 200},
    {"close_after_read", Type::kCloseAfterRead, true, nullptr, 0, 200},
    {"trickle", Type::kTrickle, true, "bytes", 1, 200},
    {"wrong_length", Type::kWrongLength, true, "extra", 100, 200},
    {"never_answer", Type::kNeverAnswer, true, nullptr, 0, 200},
    {"bad_json", Type::kBadJson, true, nullptr, 0, 200},
    {"gzip_bomb", Type::kGzipBomb, true, "bytes", std::int64_t{256} << 20, 200},
    {"restatus", Type::kRestatus, true, nullptr, 0, 200},
    {"cut_upload", Type::kCutUpload, true, "after_bytes", 0, 200},
    {"no_resume", Type::kNoResume, true, nullptr, 0, 200},
    {"strict_content_type", Type::kStrictContentType, true, nullptr, 0, 200},
    {"status", Type::kStatus, false, nullptr, 0, 503},
    {"body", Type::kBody, false, nullptr, 0, 200},
    {"redirect", Type::kRedirect, false, nullptr, 0, 302},
    {"huge_body", Type::kHugeBody, false, "bytes", std::int64_t{100} << 20, 200},
    {"webhook_lost", Type::kWebhookLost, true, nullptr, 0, 200, true},
    {"webhook_twice", Type::kWebhookTwice, true, "calls", 2, 200, true},
    {"webhook_late", Type::kWebhookLate, true, "ms", 1000, 200, true},
    {"webhook_after_next", Type::kWebhookAfterNext, true, nullptr, 0, 200, true},
    {"webhook_early", Type::kWebhookEarly, true, nullptr, 0, 200, true},
};

const TypeRow& RowOf(Type type) {
  return *std::find_if(std::begin(kTypes), std::end(kTypes),
                       [&](const TypeRow& row) { return row.type == type; });
}

// "" or the first key of `object` that is not among `known`.
std::string UnknownKey(const Value& object, std::initializer_list<std::string_view> known) {
  for (const auto& member : object.GetObject()) {
    const std::string_view key = Text(member.name);
    if (std::find(known.begin(), known.end(), key) == known.end()) return std::string(key);
  }
  return "";
}

absl::Status Wrong(const std::string& why) { return absl::InvalidArgumentError(why); }

absl::StatusOr<Fault> ReadFault(const Value& json) {
  const std::string_view name = FindText(json, "type");
  const auto* row = std::find_if(std::begin(kTypes), std::end(kTypes),
                                 [&](const TypeRow& one) { return one.name == name; });
  if (row == std::end(kTypes)) {
    std::string names;
    for (const TypeRow& one : kTypes) names += " " + std::string(one.name);
    return Wrong("fault.type must be one of:" + names);
  }
  const std::string unknown =
      UnknownKey(json, {"type", "status", "body", "content_type", "location", "retry_after",
                        "interval_ms", row->number_key != nullptr ? row->number_key : "type"});
  if (!unknown.empty()) return Wrong("fault." + unknown + " means nothing here");
  Fault fault;
  fault.type = row->type;
  fault.act = row->acts;
  const auto number = [&](const char* key, double otherwise) {
    return std::clamp<std::int64_t>(static_cast<std::int64_t>(FindNumber(json, key, otherwise)),
                                    -kMaxNumber, kMaxNumber);
  };
  fault.number = row->number;
  if (row->number_key != nullptr) {
    fault.number = number(row->number_key, static_cast<double>(row->number));
  }
  if (fault.number < 0 && fault.type != Type::kWrongLength) return Wrong("a negative number");
  fault.interval_ms = std::max<std::int64_t>(0, number("interval_ms", 50));
  fault.status = static_cast<int>(number("status", row->status));
  if (fault.status < 200 || fault.status > 599) return Wrong("fault.status must be 200 to 599");
  if (fault.type == Type::kRedirect && fault.status / 100 != 3) {
    return Wrong("fault.status of a redirect must be 300 to 399");
  }
  fault.text = FindText(json, fault.type == Type::kRedirect ? "location" : "body");
  fault.content_type = FindText(json, "content_type");
  if (const Value* after = Find(json, "retry_after")) {
    fault.retry_after = after->IsString() ? std::string(Text(*after)) : ToText(*after);
  }
  return fault;
}

bool Matches(const FaultRule& rule, std::string_view method, std::string_view path,
             std::string_view job) {
  if (!rule.method.empty() && rule.method != method) return false;
  constexpr std::string_view kRoot = "/pictoryapis";
  std::string_view prefix = rule.path_prefix;
  if (prefix.substr(0, kRoot.size()) == kRoot) prefix.remove_prefix(kRoot.size());
  if (path.substr(0, prefix.size()) != prefix) return false;
  if (rule.job.empty() || rule.job == job) return true;
  const std::string segments = std::string(path) + "/";
  return segments.find("/" + rule.job + "/") != std::string::npos;
}

void Replace(http::ServerResponse* response, int status, std::string_view type, std::string text) {
  *response = http::TextResponse(status, type, std::move(text));
}

void SpoilBody(const Fault& fault, http::ServerResponse* response) {
  constexpr std::string_view kJson = "application/json";
  switch (fault.type) {
    case Type::kBadJson:
      Replace(response, 200, kJson, R"({"success":true,"data":{"jobId":"84d1dd79-f2fe)");
      return;
    case Type::kGzipBomb:
      Replace(response, 200, kJson, "");
      response->headers.push_back({"Content-Encoding", "gzip"});
      response->body = GzipBomb(static_cast<std::uint64_t>(fault.number));
      return;
    case Type::kRestatus:
      response->status = fault.status;
      return;
    case Type::kStatus: {
      const bool told = !fault.text.empty();
      Replace(response, fault.status, fault.content_type.empty() ? kJson : fault.content_type,
              told ? fault.text : R"({"message":"a fault was asked for"})");
      return;
    }
    case Type::kBody:
      Replace(response, fault.status, fault.content_type.empty() ? kJson : fault.content_type,
              fault.text);
      return;
    case Type::kRedirect:
      Replace(response, fault.status, "text/plain", "moved\n");
      response->headers.push_back({"Location", fault.text.empty() ? "/elsewhere" : fault.text});
      return;
    case Type::kHugeBody:
      Replace(response, 200, kJson, "");
      response->body = http::RepeatingBody(
          R"({"success":true,"data":{"status":"in-progress","x":")", "0123456789abcdef", R"("}})",
          static_cast<std::uint64_t>(fault.number));
      return;
    default:
      return;
  }
}

}  // namespace

absl::StatusOr<std::uint64_t> FaultRules::Add(const Value& json) {
  if (!json.IsObject()) return Wrong("a fault rule is a JSON object");
  std::string unknown = UnknownKey(json, {"match", "skip", "times", "probability", "act", "fault"});
  if (!unknown.empty()) return Wrong("unknown key " + unknown);
  FaultRule rule;
  if (const Value* match = Find(json, "match")) {
    if (!match->IsObject()) return Wrong("match must be an object");
    unknown = UnknownKey(*match, {"method", "path_prefix", "job"});
    if (!unknown.empty()) return Wrong("unknown key match." + unknown);
    rule.method = FindText(*match, "method");
    rule.path_prefix = FindText(*match, "path_prefix");
    rule.job = FindText(*match, "job");
  }
  const double skip = FindNumber(json, "skip", 0);
  const double times = FindNumber(json, "times", 1);
  if (!(skip >= 0 && skip < 1e15 && times >= 0 && times < 1e15)) {
    return Wrong("skip and times must not be negative");
  }
  rule.skip = static_cast<std::uint64_t>(skip);
  if (Find(json, "times") != nullptr) rule.times = static_cast<std::uint64_t>(times);
  rule.probability = FindNumber(json, "probability", 1);
  if (!(rule.probability >= 0 && rule.probability <= 1)) {
    return Wrong("probability must be between 0 and 1");
  }
  const Value* fault = Find(json, "fault");
  if (fault == nullptr || !fault->IsObject()) return Wrong("fault must be an object");
  absl::StatusOr<Fault> read = ReadFault(*fault);
  if (!read.ok()) return read.status();
  rule.fault = *std::move(read);
  rule.fault.act = FindBool(json, "act", rule.fault.act);
  MutexLock lock(mutex_);
  rule.id = ++last_id_;
  rule.random.seed(seed_ + rule.id);
  rules_.push_back(std::move(rule));
  return last_id_;
}

std::optional<Fault> FaultRules::Draw(std::string_view method, std::string_view path,
                                      std::string_view least) {
  return DrawOf(false, method, path, "", least);
}

std::optional<Fault> FaultRules::DrawWebhook(std::string_view method, std::string_view path,
                                             std::string_view job) {
  return DrawOf(true, method, path, job, "");
}

std::optional<Fault> FaultRules::DrawOf(bool webhook, std::string_view method,
                                        std::string_view path, std::string_view job,
                                        std::string_view least) {
  MutexLock lock(mutex_);
  for (FaultRule& rule : rules_) {
    if (RowOf(rule.fault.type).webhook != webhook || !Matches(rule, method, path, job)) continue;
    if (!rule.path_prefix.starts_with(least)) continue;
    if (rule.matched++ < rule.skip) continue;
    if (rule.times && rule.hit >= *rule.times) continue;
    const double drawn = static_cast<double>(rule.random() >> 11) / 9007199254740992.0;
    if (drawn >= rule.probability) continue;
    ++rule.hit;
    ++total_hits_;
    return rule.fault;
  }
  return std::nullopt;
}

void FaultRules::Clear() {
  MutexLock lock(mutex_);
  rules_.clear();
}

std::uint64_t FaultRules::total_hits() const {
  MutexLock lock(mutex_);
  return total_hits_;
}

std::string FaultRules::List() const {
  MutexLock lock(mutex_);
  JsonOut out;
  out.Array();
  for (const FaultRule& rule : rules_) {
    out.Object().Field("id", rule.id).Field("type", RowOf(rule.fault.type).name);
    out.Field("method", rule.method).Field("path_prefix", rule.path_prefix);
    out.Field("job", rule.job).Field("skip", rule.skip).Key("times");
    if (rule.times) {
      out.Put(*rule.times);
    } else {
      out.Put(nullptr);
    }
    out.Field("probability", rule.probability).Field("act", rule.fault.act);
    out.Field("matched", rule.matched).Field("hit", rule.hit).EndObject();
  }
  return out.EndArray().Take();
}

void Spoil(const Fault& fault, http::ServerResponse* response, http::Delivery* delivery) {
  const auto number = static_cast<std::uint64_t>(fault.number);
  switch (fault.type) {
    case Type::kDelay:
      delivery->delay = std::chrono::milliseconds(fault.number);
      break;
    case Type::kReset:
      delivery->cut_after = number;
      delivery->end = http::Delivery::End::kReset;
      break;
    case Type::kCloseAfterRead:
      delivery->cut_after = 0;
      delivery->end = http::Delivery::End::kClose;
      break;
    case Type::kTrickle:
      delivery->piece_bytes = std::max<std::size_t>(1, number);
      delivery->piece_interval = std::chrono::milliseconds(fault.interval_ms);
      break;
    case Type::kWrongLength: {
      const std::int64_t truth =
          response->body ? static_cast<std::int64_t>(response->body->size()) : 0;
      delivery->claimed_length =
          static_cast<std::uint64_t>(std::max<std::int64_t>(0, truth + fault.number));
      delivery->end = http::Delivery::End::kClose;
      break;
    }
    case Type::kNeverAnswer:
      delivery->cut_after = 0;
      delivery->end = http::Delivery::End::kHang;
      break;
    default:
      SpoilBody(fault, response);
  }
  if (!fault.retry_after.empty()) response->headers.push_back({"Retry-After", fault.retry_after});
}

}  // namespace gateway::sandbox
