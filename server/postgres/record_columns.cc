#include "postgres/record_columns.h"

#include <optional>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "jobs/archive_plan.h"
#include "jobs/notification.h"
#include "store/label_bytes.h"
#include "store/record_fields.h"

namespace gateway::postgres {
namespace {

using jobs::JobRecord;

struct Column {
  const char* name;
  Type type;
};

// In the order of store/record_fields.h.
constexpr Column kRecord[] = {
    {"tenant", Type::kBytes},
    {"job_id", Type::kBytes},
    {"pictory_job_id", Type::kBytes},
    {"request_id", Type::kBytes},
    {"kind", Type::kInt},
    {"state", Type::kInt},
    {"revision", Type::kInt},
    {"progress_percent", Type::kReal},
    {"message", Type::kBytes},
    {"create_time", Type::kInt},
    {"update_time", Type::kInt},
    {"finish_time", Type::kInt},
    {"labels", Type::kBytes},
    {"credits_used", Type::kReal},
    {"error_code", Type::kBytes},
    {"error_message", Type::kBytes},
    {"stale", Type::kBool},
    {"upstream_missing", Type::kBool},
    {"sandbox", Type::kBool},
    {"submission", Type::kInt},
    {"fingerprint", Type::kBytes},
    {"attempt", Type::kInt},
    {"owner_epoch", Type::kInt},
    {"correlation_token", Type::kBytes},
    {"refusal", Type::kBytes},
    {"accepted_at", Type::kInt},
    {"next_poll_at", Type::kInt},
    {"not_found_since", Type::kInt},
    {"not_found_count", Type::kInt},
    {"incomplete_since", Type::kInt},
    {"incomplete_count", Type::kInt},
    {"failure_seen", Type::kBool},
    {"notice", Type::kInt},
    {"result_wire", Type::kBytes},
    {"sent_at", Type::kInt},
    {"minted_request_id", Type::kBool},
    {"mesh_request_id", Type::kBytes},
    {"account", Type::kBytes},
    {"shard", Type::kInt},
    {"credits_reserved", Type::kReal},
    {"waiting_request", Type::kBytes},
    {"archive_wire", Type::kBytes},
    {"trace", Type::kBytes},
    {"notify_wire", Type::kBytes},
    {"version", Type::kInt},
    {"delivery", Type::kInt},
};

// What follows from the record, for indexes.
constexpr Column kDerived[] = {
    {"visible", Type::kBool},    {"unended", Type::kBool},  {"archiving", Type::kBool},
    {"notifying", Type::kInt},   {"end_state", Type::kInt}, {"spent_at", Type::kInt},
    {"forget_from", Type::kInt},
};

template <class Visit>
void ForEach(Visit visit) {
  for (const Column& column : kRecord) visit(column);
  for (const Column& column : kDerived) visit(column);
}

class Adder {
 public:
  explicit Adder(std::vector<Array>& arrays) : next_(arrays.begin()) {}

  void Text(std::string_view value) { (next_++)->Bytes(value); }
  void Blob(std::string_view value) { Text(value); }
  void Int(std::int64_t value) { (next_++)->Int(value); }
  void Bool(bool value) { (next_++)->Bool(value); }
  void Real(const std::optional<double>& value) {
    value.has_value() ? next_->Real(*value) : next_->Null();
    ++next_;
  }
  void Time(WallTime value) { Int(value.time_since_epoch().count()); }
  void Time(const std::optional<WallTime>& value) {
    value.has_value() ? next_->Int(value->time_since_epoch().count()) : next_->Null();
    ++next_;
  }

 private:
  std::vector<Array>::iterator next_;
};

class Taker {
 public:
  Taker(const Rows& rows, int row, int first) : rows_(rows), row_(row), column_(first) {}

  std::string Bytes() { return std::string(rows_.Bytes(row_, column_++)); }
  std::int64_t Int() { return rows_.Int(row_, column_++); }
  std::int32_t Int32() { return static_cast<std::int32_t>(Int()); }
  bool Bool() { return rows_.Bool(row_, column_++); }
  std::optional<double> Real() {
    const int column = column_++;
    return rows_.IsNull(row_, column) ? std::nullopt
                                      : std::optional<double>(rows_.Real(row_, column));
  }
  WallTime Time() { return WallTime(std::chrono::microseconds(Int())); }
  std::optional<WallTime> MaybeTime() {
    const int column = column_++;
    return rows_.IsNull(row_, column) ? std::nullopt
                                      : std::optional<WallTime>(rows_.Time(row_, column));
  }

 private:
  const Rows& rows_;
  const int row_;
  int column_;
};

bool IsUnended(const JobRecord& record) {
  return jobs::IsInFlight(record.submission) ||
         (jobs::IsVisible(record) && !jobs::IsFinal(record.job.state));
}

// From when on the record grows old, if it does.
std::optional<WallTime> ForgetFrom(const JobRecord& record) {
  if (jobs::IsVisible(record)) return record.job.finish_time;
  if (jobs::IsInFlight(record.submission)) return std::nullopt;
  return record.job.update_time;
}

void AddDerived(const JobRecord& record, Adder& to) {
  to.Bool(jobs::IsVisible(record));
  to.Bool(IsUnended(record));
  to.Bool(jobs::IsArchiving(record));
  to.Int(jobs::NotifyingOf(record));
  to.Int(jobs::IsFinal(record.job.state) ? record.job.state : 0);
  const bool spent = jobs::CountsAsSpent(record.submission) && !jobs::IsInFlight(record.submission);
  to.Time(spent ? std::optional<WallTime>(record.sent_at) : std::nullopt);
  to.Time(ForgetFrom(record));
}

}  // namespace

const std::string& RecordColumns() {
  static const std::string columns = [] {
    std::string list;
    for (const Column& column : kRecord) {
      absl::StrAppend(&list, list.empty() ? "" : ", ", column.name);
    }
    return list;
  }();
  return columns;
}

int RecordColumnCount() { return static_cast<int>(std::size(kRecord)); }

jobs::JobRecord ReadRecord(const Rows& rows, int row, int first) {
  Taker from(rows, row, first);
  return store::ReadFields(from);
}

RecordArrays::RecordArrays() {
  ForEach([this](const Column& column) { arrays_.emplace_back(column.type); });
}

void RecordArrays::Add(const JobRecord& record, std::int64_t version) {
  Adder to(arrays_);
  store::WriteFields(record, store::EncodeGiven(record.job), version, to);
  AddDerived(record, to);
}

void RecordArrays::AddTo(Statement& statement) const {
  for (const Array& array : arrays_) statement.Add(array);
}

const std::string& RecordArrays::Columns() {
  static const std::string columns = [] {
    std::string list;
    ForEach([&list](const Column& column) {
      absl::StrAppend(&list, list.empty() ? "" : ", ", column.name);
    });
    return list;
  }();
  return columns;
}

const std::string& RecordArrays::Unnest() {
  static const std::string unnest = [] {
    std::string arrays;
    int number = 0;
    ForEach([&](const Column& column) {
      absl::StrAppend(&arrays, number == 0 ? "" : ", ", "$", number + 1, "::", SqlName(column.type),
                      "[]");
      ++number;
    });
    return absl::StrCat("unnest(", arrays, ") AS v (", Columns(), ")");
  }();
  return unnest;
}

const std::string& RecordArrays::Assignments() {
  static const std::string assignments = [] {
    std::string list;
    ForEach([&list](const Column& column) {
      for (const std::string_view left_out : {"tenant", "job_id", "delivery"}) {
        if (column.name == left_out) return;
      }
      absl::StrAppend(&list, list.empty() ? "" : ", ", column.name, " = v.", column.name);
    });
    return list;
  }();
  return assignments;
}

}  // namespace gateway::postgres
