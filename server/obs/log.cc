#include "obs/log.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <ctime>

#include "base/utc_text.h"
#include "json/writer.h"
#include "obs/log_writer.h"

namespace gateway::obs {
namespace {

constexpr std::size_t kLineReserveBytes = 250;  // hardly any is longer

// The writer is published once by StartLog and read by every Log. It is never destroyed, because a
// thread may be about to write to it.
LogWriter* g_writer = nullptr;
std::atomic<LogWriter*> g_active{nullptr};
std::atomic<Level> g_least{Level::kInfo};
std::atomic<LogFormat> g_format{LogFormat::kText};

std::string_view Name(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarn:
      return "warn";
    case Level::kError:
      return "error";
  }
  return "info";
}

void WriteValue(json::Writer& writer, const Field& field) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    writer.String(*text);
  } else if (const auto* integer = std::get_if<std::int64_t>(&field.value)) {
    writer.Int(*integer);
  } else if (const auto* real = std::get_if<double>(&field.value)) {
    writer.Double(*real);
  } else {
    writer.Bool(std::get<bool>(field.value));
  }
}

}  // namespace

std::string FormatLine(LogFormat format, Level level, std::string_view event,
                       std::span<const Field> fields) {
  std::string line;
  line.reserve(kLineReserveBytes);
  if (format == LogFormat::kJson) {
    json::Writer writer(line);
    writer.StartObject();
    writer.Key("level");
    writer.String(Name(level));
    writer.Key("event");
    writer.String(event);
    for (const Field& field : fields) {
      writer.Key(field.key);
      WriteValue(writer, field);
    }
    writer.EndObject();
    return line;
  }
  line.append(Name(level)).append(" ").append(event);
  for (const Field& field : fields) {
    line.append(" ").append(field.key).append("=");
    std::string value;
    json::Writer writer(value);  // quoting keeps a value with line breaks on its line
    WriteValue(writer, field);
    line.append(value);
  }
  return line;
}

std::string StampedLine(LogFormat format, std::chrono::system_clock::time_point now, Level level,
                        std::string_view event, std::span<const Field> fields) {
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch());
  const std::time_t seconds = micros.count() / 1'000'000;
  const int rest = static_cast<int>(micros.count() % 1'000'000);
  const bool json = format == LogFormat::kJson;
  const std::string date = UtcText(seconds, json ? 'T' : ' ');
  char stamp[64];
  std::snprintf(stamp, sizeof stamp, json ? "{\"time\":\"%s.%06dZ\"," : "%s.%03dZ ", date.c_str(),
                json ? rest : rest / 1000);
  // The line is an object already: its time is put in front of the first member.
  std::string line = FormatLine(format, level, event, fields);
  return line.replace(0, json ? 1 : 0, stamp).append("\n");
}

void StartLog(Level least, LogFormat format) {
  g_least = least;
  g_format = format;
  g_writer = new LogWriter(STDERR_FILENO, [format](std::uint64_t lost) {
    const Field fields[] = {{"lines", lost},
                            {"advice", "whoever reads this log had stopped, or could not keep up"}};
    return StampedLine(format, std::chrono::system_clock::now(), Level::kWarn, "log_lines_lost",
                       fields);
  });
  g_active = g_writer;
}

void StopLog() {
  if (LogWriter* const writer = g_active.exchange(nullptr)) writer->Close();
}

std::uint64_t LostLogLines() { return g_writer == nullptr ? 0 : g_writer->lost(); }

void Log(Level level, std::string_view event, std::initializer_list<Field> fields) {
  Log(level, event, std::span<const Field>(fields.begin(), fields.size()));
}

void Log(Level level, std::string_view event, std::span<const Field> fields) {
  LogWriter* const writer = g_active.load(std::memory_order_acquire);
  if (writer == nullptr || level < g_least.load(std::memory_order_relaxed)) return;
  writer->Write(StampedLine(g_format, std::chrono::system_clock::now(), level, event, fields));
}

}  // namespace gateway::obs
