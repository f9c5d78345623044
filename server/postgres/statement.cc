#include "postgres/statement.h"

#include <bit>
#include <utility>

#include "absl/strings/numbers.h"

namespace gateway::postgres {
namespace {

// Object ids of built-in types, which are the same in every PostgreSQL.
constexpr Oid kBool = 16, kBytea = 17, kInt8 = 20, kFloat8 = 701;
constexpr Oid kBoolArray = 1000, kByteaArray = 1001, kInt8Array = 1016, kFloat8Array = 1022;

Oid ElementOf(Type type) {
  switch (type) {
    case Type::kBytes:
      return kBytea;
    case Type::kInt:
      return kInt8;
    case Type::kReal:
      return kFloat8;
    case Type::kBool:
      return kBool;
  }
  return 0;
}

Oid ArrayOf(Type type) {
  switch (type) {
    case Type::kBytes:
      return kByteaArray;
    case Type::kInt:
      return kInt8Array;
    case Type::kReal:
      return kFloat8Array;
    case Type::kBool:
      return kBoolArray;
  }
  return 0;
}

void AppendBig(std::string& to, std::uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
    to.push_back(static_cast<char>(value >> shift & 0xff));
  }
}

std::string Big(std::uint64_t value, int bytes) {
  std::string encoded;
  AppendBig(encoded, value, bytes);
  return encoded;
}

}  // namespace

const char* SqlName(Type type) {
  switch (type) {
    case Type::kBytes:
      return "bytea";
    case Type::kInt:
      return "bigint";
    case Type::kReal:
      return "double precision";
    case Type::kBool:
      return "boolean";
  }
  return "";
}

void Array::Bytes(std::string_view value) {
  AppendBig(elements_, value.size(), 4);
  elements_ += value;
  ++count_;
}

void Array::Int(std::int64_t value) {
  AppendBig(elements_, 8, 4);
  AppendBig(elements_, static_cast<std::uint64_t>(value), 8);
  ++count_;
}

void Array::Real(double value) {
  AppendBig(elements_, 8, 4);
  AppendBig(elements_, std::bit_cast<std::uint64_t>(value), 8);
  ++count_;
}

void Array::Bool(bool value) {
  AppendBig(elements_, 1, 4);
  elements_.push_back(value ? 1 : 0);
  ++count_;
}

void Array::Null() {
  AppendBig(elements_, 0xffffffff, 4);
  has_null_ = true;
  ++count_;
}

std::string Array::Encoded() const {
  std::string encoded;
  encoded.reserve(20 + elements_.size());
  AppendBig(encoded, count_ == 0 ? 0 : 1, 4);  // dimensions
  AppendBig(encoded, has_null_ ? 1 : 0, 4);
  AppendBig(encoded, ElementOf(type_), 4);
  if (count_ == 0) return encoded;
  AppendBig(encoded, static_cast<std::uint64_t>(count_), 4);
  AppendBig(encoded, 1, 4);  // of the first element
  encoded += elements_;
  return encoded;
}

void Statement::Put(Oid type, std::string value) {
  types_.push_back(type);
  values_.push_back(std::move(value));
}

Statement& Statement::Bytes(std::string_view value) {
  Put(kBytea, std::string(value));
  return *this;
}

Statement& Statement::Int(std::int64_t value) {
  Put(kInt8, Big(static_cast<std::uint64_t>(value), 8));
  return *this;
}

Statement& Statement::Real(double value) {
  Put(kFloat8, Big(std::bit_cast<std::uint64_t>(value), 8));
  return *this;
}

Statement& Statement::Bool(bool value) {
  Put(kBool, std::string(1, value ? 1 : 0));
  return *this;
}

Statement& Statement::Add(const Array& array) {
  Put(ArrayOf(array.type()), array.Encoded());
  return *this;
}

bool Statement::Send(PGconn* connection) const {
  std::vector<const char*> values;
  std::vector<int> lengths;
  for (const std::string& value : values_) {
    values.push_back(value.data());
    lengths.push_back(static_cast<int>(value.size()));
  }
  const std::vector<int> formats(values_.size(), 1);
  return PQsendQueryParams(connection, sql_.c_str(), static_cast<int>(values_.size()),
                           types_.data(), values.data(), lengths.data(), formats.data(),
                           /*resultFormat=*/1) == 1;
}

int Rows::changed() const {
  int count = 0;
  return absl::SimpleAtoi(PQcmdTuples(result_.get()), &count) ? count : 0;
}

std::string_view Rows::Bytes(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::int64_t Rows::Int(int row, int column) const {
  const std::string_view bytes = Bytes(row, column);
  std::uint64_t value = !bytes.empty() && (bytes[0] & 0x80) != 0 ? ~std::uint64_t{0} : 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return static_cast<std::int64_t>(value);
}

double Rows::Real(int row, int column) const {
  return std::bit_cast<double>(static_cast<std::uint64_t>(Int(row, column)));
}

bool Rows::Bool(int row, int column) const { return Int(row, column) != 0; }

}  // namespace gateway::postgres
