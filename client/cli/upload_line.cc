#include "upload_line.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

constexpr int kBarColumns = 20;
constexpr int kColumns = 79;
constexpr int kPlainColumns = 1000;
constexpr std::chrono::milliseconds kRedraw{200};
constexpr std::chrono::seconds kPlainEvery{10};
constexpr std::chrono::seconds kSpeedOver{5};
constexpr char kClearLine[] = "\r\x1b[2K";

double Seconds(UploadLine::Time::duration time) {
  return std::chrono::duration<double>(time).count();
}

std::string PerSecond(double bytes) { return Bytes(bytes) + "/s"; }

}  // namespace

std::string UploadText(const std::string& name, std::int64_t done, std::int64_t total,
                       double bytes_per_second, int columns) {
  const double part =
      total > 0 ? std::clamp(static_cast<double>(done) / static_cast<double>(total), 0.0, 1.0) : 0;
  const auto full = static_cast<std::size_t>(part * kBarColumns);
  char percent[16];
  std::snprintf(percent, sizeof percent, "%3d %%", static_cast<int>(part * 100));
  std::string line = absl::StrCat(OneLine(name), "  [", std::string(full, '#'),
                                  std::string(kBarColumns - full, '-'), "] ", percent, "  ",
                                  Bytes(static_cast<double>(done)), " of ",
                                  Bytes(static_cast<double>(total)));
  if (bytes_per_second > 0) absl::StrAppend(&line, "  ", PerSecond(bytes_per_second));
  return Fit(line, columns);
}

UploadLine::UploadLine(Progress::Mode mode, std::string name, std::int64_t total, Time begin,
                       Progress::Write write)
    : mode_(mode),
      name_(std::move(name)),
      total_(total),
      begin_(begin),
      write_(std::move(write)),
      shown_(begin) {}

double UploadLine::Speed() const {
  if (recent_.size() < 2) return 0;
  const double seconds = Seconds(recent_.back().first - recent_.front().first);
  return seconds > 0
             ? static_cast<double>(recent_.back().second - recent_.front().second) / seconds
             : 0;
}

void UploadLine::Update(std::int64_t done, Time now) {
  if (mode_ == Progress::Mode::kNone) return;
  if (!recent_.empty() && done < recent_.back().second) recent_.clear();  // begun anew
  const bool live = mode_ == Progress::Mode::kLive;
  if (recent_.empty() || now - recent_.back().first >= kRedraw) recent_.emplace_back(now, done);
  while (recent_.size() > 2 && now - recent_[1].first > kSpeedOver) recent_.pop_front();
  if (now - shown_ < (live ? kRedraw : std::chrono::milliseconds(kPlainEvery))) return;
  shown_ = now;
  const int columns = live ? kColumns : kPlainColumns;
  const std::string text = UploadText(name_, done, total_, Speed(), columns);
  write_(live ? kClearLine + text : text + "\n");
  drawn_ = live;
}

void UploadLine::Note(const std::string& text) {
  if (mode_ == Progress::Mode::kNone) return;
  End();
  write_(text + "\n");
}

void UploadLine::End() {
  if (std::exchange(drawn_, false)) write_(kClearLine);
}

void UploadLine::Summary(Time now) {
  if (mode_ == Progress::Mode::kNone) return;
  const double seconds = std::max(1e-3, Seconds(now - begin_));
  const auto bytes = static_cast<double>(total_);
  write_(absl::StrCat(OneLine(name_), "  ", Bytes(bytes), " in ",
                      Elapsed(std::chrono::seconds(static_cast<std::int64_t>(seconds))), ", ",
                      PerSecond(bytes / seconds), "\n"));
}

}  // namespace pictory_jobs::cli
