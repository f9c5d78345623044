// Statement is a query with its parameters, and Array a parameter of many values. Both hold the
// values in PostgreSQL's binary form. Rows is what a statement gives back.
//
// Statements have no name on the server, so that they work behind a pooler that gives each
// transaction another of its connections.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace gateway::postgres {

enum class Type : std::uint8_t { kBytes, kInt, kReal, kBool };

// The name in SQL: `bytea`, `bigint` …
const char* SqlName(Type type);

class Array {
 public:
  explicit Array(Type type) : type_(type) {}

  void Bytes(std::string_view value);
  void Int(std::int64_t value);
  void Real(double value);
  void Bool(bool value);
  void Null();

  Type type() const { return type_; }
  int size() const { return count_; }
  // The whole parameter.
  std::string Encoded() const;

 private:
  Type type_;
  std::string elements_;
  int count_ = 0;
  bool has_null_ = false;
};

class Statement {
 public:
  explicit Statement(std::string sql) : sql_(std::move(sql)) {}

  // Each adds the next of $1, $2 …
  Statement& Bytes(std::string_view value);
  Statement& Int(std::int64_t value);
  Statement& Real(double value);
  Statement& Bool(bool value);
  Statement& Time(WallTime value) { return Int(value.time_since_epoch().count()); }
  Statement& Add(const Array& array);

  const std::string& sql() const { return sql_; }
  // Hands the statement to libpq. Returns false if the connection is lost.
  bool Send(PGconn* connection) const;

 private:
  void Put(Oid type, std::string value);

  std::string sql_;
  std::vector<Oid> types_;
  std::vector<std::string> values_;
};

// Columns are counted from 0, in the order of the query.
class Rows {
 public:
  explicit Rows(PGresult* result) : result_(result) {}

  int size() const { return PQntuples(result_.get()); }
  // How many rows a statement without RETURNING has changed.
  int changed() const;
  bool IsNull(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }
  std::string_view Bytes(int row, int column) const;
  std::int64_t Int(int row, int column) const;
  double Real(int row, int column) const;
  bool Bool(int row, int column) const;
  WallTime Time(int row, int column) const {
    return WallTime(std::chrono::microseconds(Int(row, column)));
  }
  PGresult* get() const { return result_.get(); }

 private:
  struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  std::unique_ptr<PGresult, Clear> result_;
};

}  // namespace gateway::postgres
