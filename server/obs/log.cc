#include "obs/log.h"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>

#include "json/writer.h"

namespace gateway::obs {
namespace {

// Allocated at once, at 400 bytes a line.
constexpr std::size_t kQueueLines = 1024;
constexpr std::size_t kLineMostBytes = 250;  // hardly any is longer

// Published once by StartLog; read by every Log.
std::shared_ptr<spdlog::logger> g_logger;
std::atomic<spdlog::logger*> g_active{nullptr};
std::atomic<LogFormat> g_format{LogFormat::kText};

spdlog::level::level_enum SpdLevel(Level level) {
  switch (level) {
    case Level::kDebug: return spdlog::level::debug;
    case Level::kInfo: return spdlog::level::info;
    case Level::kWarn: return spdlog::level::warn;
    case Level::kError: return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string_view Name(Level level) {
  switch (level) {
    case Level::kDebug: return "debug";
    case Level::kInfo: return "info";
    case Level::kWarn: return "warn";
    case Level::kError: return "error";
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
  line.reserve(kLineMostBytes);
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

void StartLog(Level least, LogFormat format) {
  spdlog::init_thread_pool(kQueueLines, 1);
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  g_logger = std::make_shared<spdlog::async_logger>("gateway", std::move(sink),
                                                    spdlog::thread_pool(),
                                                    spdlog::async_overflow_policy::overrun_oldest);
  g_logger->set_level(SpdLevel(least));
  g_logger->flush_on(spdlog::level::info);
  if (format == LogFormat::kJson) {
    // The line is an object already: its time is put in front of the first member.
    g_logger->set_pattern("{\"time\":\"%Y-%m-%dT%H:%M:%S.%fZ\",%v", spdlog::pattern_time_type::utc);
  } else {
    g_logger->set_pattern("%H:%M:%S.%e %v");
  }
  g_format = format;
  g_active = g_logger.get();
}

void StopLog() {
  if (g_active.exchange(nullptr) == nullptr) return;
  g_logger->flush();
  spdlog::shutdown();
}

void Log(Level level, std::string_view event, std::initializer_list<Field> fields) {
  Log(level, event, std::span<const Field>(fields.begin(), fields.size()));
}

void Log(Level level, std::string_view event, std::span<const Field> fields) {
  spdlog::logger* logger = g_active.load(std::memory_order_acquire);
  if (logger == nullptr || !logger->should_log(SpdLevel(level))) return;
  const LogFormat format = g_format;
  const std::string line = FormatLine(format, level, event, fields);
  const std::size_t skip = format == LogFormat::kJson ? 1 : 0;  // the brace is in the pattern
  logger->log(SpdLevel(level), spdlog::string_view_t(line.data() + skip, line.size() - skip));
}

}  // namespace gateway::obs
