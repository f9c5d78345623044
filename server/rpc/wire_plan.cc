#include "rpc/wire_plan.h"

#include <map>
#include <memory>
#include <set>

#include "base/limits.h"
#include "base/mutex.h"
#include "google/protobuf/message.h"
#include "pictory/jobs/v1/annotations.pb.h"

namespace gateway::rpc {
namespace {

namespace v1 = ::pictory::jobs::v1;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// The bound where a field declares none.
constexpr std::size_t kItemsElsewhere = 64;
constexpr std::size_t kBytesElsewhere = limits::kSmallRequestMaxBytes;

class Plans {
 public:
  const WirePlan& Of(const Descriptor& type) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return Make(type);
  }

 private:
  const WirePlan& Make(const Descriptor& type) REQUIRES(mutex_) {
    std::unique_ptr<WirePlan>& plan = plans_[&type];
    if (plan != nullptr) return *plan;
    plan = std::make_unique<WirePlan>();
    WirePlan& made = *plan;  // `plan` may move while others are made
    made.type = &type;
    made.memory_bytes = google::protobuf::MessageFactory::generated_factory()
                            ->GetPrototype(&type)
                            ->SpaceUsedLong() +
                        sizeof(void*);
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      made.fields.push_back({.field = &field,
                             .kind = KindOf(field),
                             .repeated = field.is_repeated(),
                             .once = ComesOnce(field),
                             .bounds = BoundsOf(field),
                             .free = json::FreeKindOf(field)});
      const auto number = static_cast<std::size_t>(field.number());
      if (made.slots.size() <= number) made.slots.resize(number + 1);
      made.slots[number] = static_cast<std::uint16_t>(made.fields.size());
    }
    for (WirePlan::Field& field : made.fields) {
      if (field.kind == WirePlan::Kind::kMessage)
        field.message = &Make(*field.field->message_type());
    }
    return made;
  }

  static bool ComesOnce(const FieldDescriptor& field) {
    std::set<const Descriptor*> seen;
    return json::FreeKindOf(field) != json::FreeKind::kNone ||
           (!field.is_repeated() && field.message_type() != nullptr &&
            HoldsFree(*field.message_type(), seen));
  }

  static bool HoldsFree(const Descriptor& type, std::set<const Descriptor*>& seen) {
    if (!seen.insert(&type).second) return false;
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      if (json::FreeKindOf(field) != json::FreeKind::kNone) return true;
      if (field.message_type() != nullptr && HoldsFree(*field.message_type(), seen)) return true;
    }
    return false;
  }

  static WirePlan::Kind KindOf(const FieldDescriptor& field) {
    if (field.is_map()) return WirePlan::Kind::kMap;
    if (json::FreeKindOf(field) != json::FreeKind::kNone) return WirePlan::Kind::kFree;
    switch (field.type()) {
      case FieldDescriptor::TYPE_MESSAGE:
        return WirePlan::Kind::kMessage;
      case FieldDescriptor::TYPE_STRING:
      case FieldDescriptor::TYPE_BYTES:
        return WirePlan::Kind::kText;
      case FieldDescriptor::TYPE_DOUBLE:
      case FieldDescriptor::TYPE_FIXED64:
      case FieldDescriptor::TYPE_SFIXED64:
        return WirePlan::Kind::kFixed64;
      case FieldDescriptor::TYPE_FLOAT:
      case FieldDescriptor::TYPE_FIXED32:
      case FieldDescriptor::TYPE_SFIXED32:
        return WirePlan::Kind::kFixed32;
      default:
        return WirePlan::Kind::kVarint;
    }
  }

  Mutex mutex_;
  std::map<const Descriptor*, std::unique_ptr<WirePlan>> plans_ GUARDED_BY(mutex_);
};

std::size_t Or(std::int32_t declared, std::size_t otherwise) {
  return declared > 0 ? static_cast<std::size_t>(declared) : otherwise;
}

}  // namespace

FieldBounds BoundsOf(const FieldDescriptor& field) {
  const v1::FieldBound& declared = field.options().GetExtension(v1::bound);
  FieldBounds bounds;
  if (json::FreeKindOf(field) != json::FreeKind::kNone) {
    bounds.max_items = Or(declared.max_items(), kItemsElsewhere);
    bounds.max_bytes = Or(declared.max_bytes(), kBytesElsewhere);
    return bounds;
  }
  if (field.is_repeated()) bounds.max_items = Or(declared.max_items(), kItemsElsewhere);
  const bool text = field.cpp_type() == FieldDescriptor::CPPTYPE_STRING;
  if (text || field.is_map()) bounds.max_bytes = Or(declared.max_bytes(), kBytesElsewhere);
  if (field.is_map()) bounds.max_key_bytes = Or(declared.max_key_bytes(), kBytesElsewhere);
  return bounds;
}

const WirePlan& WirePlanOf(const Descriptor& type) {
  static auto* const plans = new Plans;
  return plans->Of(type);
}

}  // namespace gateway::rpc
