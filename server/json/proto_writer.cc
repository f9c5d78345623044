#include "json/proto_writer.h"

#include <algorithm>
#include <bit>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "json/proto_plan.h"
#include "json/splice.h"
#include "json/wire_reader.h"
#include "json/writer.h"

namespace gateway::json {

namespace pb = ::google::protobuf;
namespace v1 = ::pictory::jobs::v1;

namespace {

using Field = pb::FieldDescriptor;

// A MessageWriter walks one serialised message. Its functions return false once something cannot be
// written; `fault` and `path` then tell what.
class MessageWriter {
 public:
  explicit MessageWriter(Writer& out) : out_(out) {}

  bool Value(std::string_view wire, const MessagePlan& plan) {
    if (plan.items() == nullptr) {
      out_.StartObject();
      if (!Fields(wire, plan)) return false;
      out_.EndObject();
      return true;
    }
    WireReader in(wire);
    out_.StartArray();
    if (in.Next() && !Elements(in, *plan.items())) return false;
    out_.EndArray();
    return true;
  }

  bool Fields(std::string_view wire, const MessagePlan& plan) {
    WireReader in(wire);
    while (in.Next()) {
      const FieldPlan* const field = plan.Numbered(in.number());
      if (field != nullptr && !Member(in, *field)) return Inside(*field);
    }
    return true;
  }

  absl::Status Result() const {
    return absl::InvalidArgumentError(absl::StrCat(path_, path_.empty() ? "" : ": ", fault_));
  }

 private:
  bool Fail(const char* what) {
    fault_ = what;
    return false;
  }
  // The path grows from the inside out, and only when something is wrong.
  bool Inside(const FieldPlan& field) {
    const bool dot = !path_.empty() && path_[0] != '[';
    path_ = absl::StrCat(field.field->name(), dot ? "." : "", path_);
    return false;
  }
  bool InsideElement(int index) {
    const bool dot = !path_.empty() && path_[0] != '[';
    path_ = absl::StrCat("[", index, "]", dot ? "." : "", path_);
    return false;
  }

  bool String(std::string_view value) {
    out_.String(value);
    return out_.ok() || Fail("the text is not valid UTF-8");
  }
  bool Double(double value) {
    out_.Double(value);
    return out_.ok() || Fail("JSON has no such number");
  }

  bool Member(WireReader& in, const FieldPlan& field) {
    if (field.role == v1::FIELD_ROLE_SPLICE) {
      const absl::StatusOr<std::string_view> members = Members(in.bytes());
      if (!members.ok()) return Fail("a JSON object is expected");
      out_.Members(*members);
      return true;
    }
    if (!field.IsMember()) return true;
    out_.KeyAsIs(field.quoted_key);
    if (field.role == v1::FIELD_ROLE_RAW_JSON) {
      if (in.bytes().empty()) return Fail("the JSON text is empty");
      out_.Raw(in.bytes());
      return true;
    }
    if (field.map) return Map(in);
    if (!field.repeated) return Single(in, field);
    out_.StartArray();
    if (!Elements(in, field)) return false;
    out_.EndArray();
    return true;
  }

  bool Single(const WireReader& in, const FieldPlan& field) {
    switch (field.type) {
      case Field::CPPTYPE_STRING:
        return String(in.bytes());
      case Field::CPPTYPE_DOUBLE:
        return Double(std::bit_cast<double>(in.bits()));
      case Field::CPPTYPE_INT32:
        out_.Int(static_cast<std::int32_t>(in.bits()));
        return true;
      case Field::CPPTYPE_BOOL:
        out_.Bool(in.bits() != 0);
        return true;
      case Field::CPPTYPE_MESSAGE:
        if (field.free == FreeKind::kNone) return Value(in.bytes(), *field.message);
        return WriteFreeValue(in.bytes(), field.free, out_) || Fail("JSON has no such value in it");
      default:
        return Fail("the mapping does not know this type");
    }
  }

  // Writes the elements from the one that was read to the last one.
  bool Elements(WireReader& in, const FieldPlan& field) {
    for (int i = 0;; ++i) {
      if (!Single(in, field)) return InsideElement(i);
      if (!in.SameFollows()) return true;
      in.Next();
    }
  }

  bool Map(WireReader& in) {
    std::vector<std::pair<std::string_view, std::string_view>> entries;
    for (;;) {
      auto& [name, text] = entries.emplace_back();
      WireReader entry(in.bytes());
      while (entry.Next()) (entry.number() == 1 ? name : text) = entry.bytes();
      if (!in.SameFollows()) break;
      in.Next();
    }
    std::sort(entries.begin(), entries.end());
    out_.StartObject();
    for (const auto& [name, text] : entries) {
      out_.Key(name);
      if (!String(text)) return false;
    }
    out_.EndObject();
    return true;
  }

  Writer& out_;
  const char* fault_ = "";
  std::string path_;
};

}  // namespace

absl::Status WriteMessage(const pb::Message& message, std::string& out) {
  Writer writer(out);
  MessageWriter walk(writer);
  if (!walk.Value(message.SerializePartialAsString(), PlanOf(message.GetDescriptor()))) {
    return walk.Result();
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ToJson(const pb::Message& message) {
  std::string out;
  const absl::Status status = WriteMessage(message, out);
  if (!status.ok()) return status;
  return out;
}

}  // namespace gateway::json
