// The program's log has one line for each event on stderr: JSON for machines, or plain text for
// people.
//
// An event is a fixed name in lower_snake_case and fields; what varies goes into fields. Secrets
// cannot get into it: a value of base/secret.h does not convert to a field. The log is thread-safe.
// A thread of its own writes it, so that a reader who is slow or has stopped holds up neither a
// call nor the program's end (obs/log_writer.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace gateway::obs {

enum class Level { kDebug, kInfo, kWarn, kError };
enum class LogFormat { kText, kJson };

struct Field {
  std::string_view key;
  std::variant<std::string_view, std::int64_t, double, bool> value;

  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, bool v) : key(k), value(v) {}
  Field(std::string_view k, double v) : key(k), value(v) {}
  template <class Integer>
    requires std::is_integral_v<Integer>
  Field(std::string_view k, Integer v) : key(k), value(static_cast<std::int64_t>(v)) {}
};

// Starts the log. It is called once, from main, before the first Log. Before that, and in tests,
// nothing is written.
void StartLog(Level least, LogFormat format);
// Writes out what is queued, for a second at most, and stops.
void StopLog();
// How many lines were lost so far because nobody read them.
std::uint64_t LostLogLines();

void Log(Level level, std::string_view event, std::initializer_list<Field> fields = {});
void Log(Level level, std::string_view event, std::span<const Field> fields);

// The line Log writes, without its time: pure.
std::string FormatLine(LogFormat format, Level level, std::string_view event,
                       std::span<const Field> fields);

// The line with its time in UTC, and its line break: pure.
std::string StampedLine(LogFormat format, std::chrono::system_clock::time_point now, Level level,
                        std::string_view event, std::span<const Field> fields);

}  // namespace gateway::obs
