#include "json/unknown_members.h"

#include "absl/strings/str_cat.h"
#include "json/proto_plan.h"
#include "json/sax.h"

namespace gateway::json {
namespace {

// An UnknownHandler follows the objects that a message describes. Known keys lead to each of them,
// so that a path costs nothing until one is told.
class UnknownHandler final : public SaxHandler<UnknownHandler> {
 public:
  UnknownHandler(const Source& source, const Limits& limits, const MessagePlan& root,
                 std::size_t max, std::vector<UnknownMember>& found)
      : SaxHandler(source, limits), root_(root), max_(max), found_(found) {}

  bool OnScalar(Type, std::string_view, std::size_t) {
    CountElement();
    return true;
  }
  bool OnKey(std::string_view key, std::size_t) {
    if (shapeless_ > 0) return true;
    const MessagePlan& plan = *open_.back().plan;
    const int index = plan.Find(key);
    next_ = index < 0 ? nullptr : Entry(plan, index).field;
    if (next_ == nullptr && found_.size() < max_) {
      found_.push_back({PathOfObject(), std::string(key), plan.descriptor()});
    }
    return true;
  }
  bool OnStart(Type type, std::size_t) {
    CountElement();
    if (shapeless_ > 0 || !Enter(type)) ++shapeless_;
    return true;
  }
  bool OnEnd(Type, std::size_t) {
    shapeless_ > 0 ? void(--shapeless_) : open_.pop_back();
    return true;
  }

 private:
  // An object, with its plan, or a list of such objects.
  struct Open {
    const MessagePlan* plan = nullptr;  // null: a list
    const FieldPlan* field = nullptr;   // that it is the value of; null: the root, or an element
    int element = -1;                   // the newest of a list
  };

  static const MessagePlan::Entry& Entry(const MessagePlan& plan, int index) {
    return plan.entries()[static_cast<std::size_t>(index)];
  }

  void CountElement() {
    if (shapeless_ == 0 && !open_.empty() && open_.back().plan == nullptr) ++open_.back().element;
  }

  // Whether what begins here has a shape.
  bool Enter(Type type) {
    const bool object = type == Type::kObject;
    if (open_.empty()) {
      if (object) open_.push_back({.plan = &root_});
      return object;
    }
    const bool element = open_.back().plan == nullptr;
    const FieldPlan* const field = element ? open_.back().field : next_;
    if (field == nullptr || field->message == nullptr) return false;
    if (object) {
      open_.push_back({.plan = field->message, .field = element ? nullptr : field});
      return true;
    }
    if (element || !field->repeated) return false;
    open_.push_back({.field = field});
    return true;
  }

  std::string PathOfObject() const {
    std::string path;
    for (const Open& open : open_) {
      if (open.field != nullptr) absl::StrAppend(&path, path.empty() ? "" : ".", open.field->key);
      if (open.plan == nullptr) absl::StrAppend(&path, "[", open.element, "]");
    }
    return path;
  }

  const MessagePlan& root_;
  const std::size_t max_;
  std::vector<UnknownMember>& found_;
  std::vector<Open> open_;
  const FieldPlan* next_ = nullptr;  // of the value that comes next in an object; null: unknown
  int shapeless_ = 0;                // open objects and arrays without a shape
};

}  // namespace

absl::StatusOr<std::vector<UnknownMember>> FindUnknown(std::string_view text, const Limits& limits,
                                                       const google::protobuf::Descriptor* message,
                                                       std::size_t max) {
  const MessagePlan& plan = PlanOf(message);
  std::vector<UnknownMember> found;
  const absl::Status read = ReadMending(text, limits, [&](const Source& source) {
    found.clear();
    return UnknownHandler(source, limits, plan, max, found).Run();
  });
  if (!read.ok()) return read;
  return found;
}

}  // namespace gateway::json
