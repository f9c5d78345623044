#include "obs/process_stats.h"

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

namespace gateway::obs {
namespace {

// The fields of /proc/self/stat that follow the name, which may hold anything; the first is that
// which proc(5) numbers 3.
std::vector<double> FieldsOfStat(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream rest(line.substr(name_end + 1));
  std::string state;
  rest >> state;
  std::vector<double> fields = {0};
  fields.insert(fields.end(), std::istream_iterator<double>(rest), {});
  return fields;
}

// The Unix time at which the machine started.
double BootTime(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string key;
  double value = 0;
  for (std::string line; std::getline(in, line);) {
    if (std::istringstream(line) >> key >> value && key == "btime") return value;
  }
  return 0;
}

double FilesOpen(const std::filesystem::path& folder) {
  std::error_code error;
  double count = 0;
  for (std::filesystem::directory_iterator file(folder, error), end; !error && file != end;
       file.increment(error)) {
    ++count;
  }
  return count;
}

}  // namespace

ProcessStats ReadProcessStats(const std::filesystem::path& proc) {
  constexpr std::size_t kFirst = 3, kUser = 14, kSystem = 15, kThreads = 20, kStart = 22,
                        kVirtual = 23, kResident = 24;
  ProcessStats stats;
  const std::vector<double> fields = FieldsOfStat(proc / "self" / "stat");
  if (fields.size() > kResident - kFirst) {
    const auto field = [&fields](std::size_t number) { return fields[number - kFirst]; };
    const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    stats.cpu_seconds = (field(kUser) + field(kSystem)) / ticks;
    stats.start_time = BootTime(proc / "stat") + field(kStart) / ticks;
    stats.threads = field(kThreads);
    stats.virtual_bytes = field(kVirtual);
    stats.resident_bytes = field(kResident) * static_cast<double>(sysconf(_SC_PAGESIZE));
  }
  stats.open_fds = FilesOpen(proc / "self" / "fd");
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) stats.max_fds = static_cast<double>(files.rlim_cur);
  return stats;
}

void AddProcessMetrics(Metrics& metrics) {
  const auto gauge = [&metrics](const char* name, const char* help, double ProcessStats::* value) {
    metrics.AddGauge(name, help, [value] { return ReadProcessStats().*value; });
  };
  metrics.AddCounter("process_cpu_seconds_total", "CPU time of the user and the system",
                     [] { return ReadProcessStats().cpu_seconds; });
  gauge("process_start_time_seconds", "When the process began (Unix time)",
        &ProcessStats::start_time);
  gauge("process_virtual_memory_bytes", "Memory that is mapped", &ProcessStats::virtual_bytes);
  gauge("process_resident_memory_bytes", "Memory that is resident", &ProcessStats::resident_bytes);
  gauge("process_threads", "Threads", &ProcessStats::threads);
  gauge("process_open_fds", "Files that are open", &ProcessStats::open_fds);
  gauge("process_max_fds", "Files that may be open", &ProcessStats::max_fds);
}

}  // namespace gateway::obs
