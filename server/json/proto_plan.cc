#include "base/mutex.h"  // first: Abseil defines the annotations too, silently if second

#include "json/proto_plan.h"

#include <bit>
#include <unordered_map>

#include "json/writer.h"

namespace gateway::json {

namespace pb = ::google::protobuf;
namespace v1 = ::pictory::jobs::v1;

namespace {

// A hash that is cheap, and good enough to tell the keys of one message apart; the text is compared
// afterwards.
std::size_t KeyHash(std::string_view key) {
  if (key.empty()) return 0;
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(key[i]); };
  return key.size() * 7 + at(0) * 31u + at(key.size() - 1) * 131u + at(key.size() / 2) * 17u;
}

struct Registry {
  Mutex mutex;
  std::unordered_map<const pb::Descriptor*, std::unique_ptr<MessagePlan>> plans GUARDED_BY(mutex);
};

Registry& Plans() {
  static Registry* const registry = new Registry;  // never destroyed: threads may outlive main()
  return *registry;
}

}  // namespace

class PlanCompiler {
 public:
  using Map = std::unordered_map<const pb::Descriptor*, std::unique_ptr<MessagePlan>>;
  explicit PlanCompiler(Map& plans) : plans_(plans) {}

  const MessagePlan& Compile(const pb::Descriptor* descriptor) {
    const MessagePlan& plan = *Message(descriptor);
    // The links are made only now, because messages may hold one another.
    for (MessagePlan* fresh : fresh_) LinkStrings(*fresh);
    return plan;
  }

 private:
  MessagePlan* Message(const pb::Descriptor* descriptor) {
    std::unique_ptr<MessagePlan>& slot = plans_[descriptor];
    if (slot != nullptr) return slot.get();
    slot = std::make_unique<MessagePlan>();
    MessagePlan* const plan = slot.get();
    fresh_.push_back(plan);
    plan->descriptor_ = descriptor;
    plan->fields_.reserve(static_cast<std::size_t>(descriptor->field_count()));
    for (int i = 0; i < descriptor->field_count(); ++i) {
      plan->fields_.push_back(Field(descriptor->field(i)));
    }
    for (const FieldPlan& field : plan->fields_) {
      const auto number = static_cast<std::size_t>(field.field->number());
      if (number >= plan->by_number_.size()) plan->by_number_.resize(number + 1);
      plan->by_number_[number] = &field;
      if (field.role == v1::FIELD_ROLE_ITEMS) plan->items_ = &field;
      if (field.role == v1::FIELD_ROLE_RAW_SELF) plan->raw_self_ = &field;
      if (field.IsMember()) AddEntry(*plan, field.key, field, false);
    }
    for (const FieldPlan& field : plan->fields_) {
      if (!field.IsMember()) continue;
      for (const std::string& alias : field.field->options().GetExtension(v1::rest).aliases()) {
        AddEntry(*plan, alias, field, true);
      }
    }
    FillSlots(*plan);
    return plan;
  }

  FieldPlan Field(const pb::FieldDescriptor* field) {
    const v1::FieldMapping& mapping = field->options().GetExtension(v1::rest);
    FieldPlan plan;
    plan.field = field;
    plan.index = field->index();
    plan.role = mapping.role();
    plan.type = field->cpp_type();
    plan.map = field->is_map();
    plan.repeated = field->is_repeated() && !plan.map;
    plan.presence = field->has_presence();
    plan.free = FreeKindOf(*field);
    plan.key = mapping.key().empty() ? field->json_name() : mapping.key();
    plan.quoted_key = QuotedKey(plan.key);
    const bool mapped =
        plan.IsMember() || plan.role == v1::FIELD_ROLE_ITEMS || plan.role == v1::FIELD_ROLE_BODY;
    if (plan.type == pb::FieldDescriptor::CPPTYPE_MESSAGE && !plan.map && mapped &&
        plan.free == FreeKind::kNone) {
      plan.message = Message(field->message_type());
    }
    return plan;
  }

  static void AddEntry(MessagePlan& plan, const std::string& key, const FieldPlan& field,
                       bool alias) {
    for (const MessagePlan::Entry& entry : plan.entries_) {
      if (entry.key == key) return;
    }
    plan.entries_.push_back({key, &field, alias});
  }

  static void FillSlots(MessagePlan& plan) {
    plan.slots_.assign(std::bit_ceil(plan.entries_.size() * 4 + 1), std::int16_t{-1});
    const std::size_t mask = plan.slots_.size() - 1;
    for (std::size_t i = 0; i < plan.entries_.size(); ++i) {
      std::size_t slot = KeyHash(plan.entries_[i].key) & mask;
      while (plan.slots_[slot] >= 0) slot = (slot + 1) & mask;
      plan.slots_[slot] = static_cast<std::int16_t>(i);
    }
  }

  static void LinkStrings(MessagePlan& plan) {
    for (FieldPlan& field : plan.fields_) {
      if (field.message == nullptr) continue;
      const std::string& name = field.field->options().GetExtension(v1::rest).string_as();
      if (!name.empty()) field.string_as = field.message->FieldNamed(name);
    }
  }

  Map& plans_;
  std::vector<MessagePlan*> fresh_;
};

int MessagePlan::Find(std::string_view key) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = KeyHash(key) & mask; slots_[slot] >= 0; slot = (slot + 1) & mask) {
    if (entries_[static_cast<std::size_t>(slots_[slot])].key == key) return slots_[slot];
  }
  return -1;
}

const FieldPlan* MessagePlan::FieldNamed(std::string_view name) const {
  for (const FieldPlan& field : fields_) {
    if (field.field->name() == name) return &field;
  }
  return nullptr;
}

const MessagePlan& PlanOf(const pb::Descriptor* descriptor) {
  Registry& registry = Plans();
  const MutexLock lock(registry.mutex);
  const auto found = registry.plans.find(descriptor);
  if (found != registry.plans.end()) return *found->second;
  return PlanCompiler(registry.plans).Compile(descriptor);
}

std::vector<std::string> KnownKeys(const pb::Descriptor* descriptor) {
  std::vector<std::string> keys;
  for (const MessagePlan::Entry& entry : PlanOf(descriptor).entries()) {
    if (!entry.alias) keys.push_back(entry.key);
  }
  return keys;
}

}  // namespace gateway::json
