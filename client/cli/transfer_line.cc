#include "transfer_line.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

constexpr int kNameColumns = 8;  // before the name is left out
constexpr std::chrono::milliseconds kRedraw{200};
constexpr std::chrono::seconds kSpeedOver{5};

double Seconds(TransferLine::Time::duration time) {
  return std::chrono::duration<double>(time).count();
}

std::string PerSecond(double bytes) { return Bytes(bytes) + "/s"; }

// The shapes of a line, from wide to narrow.
struct TransferShape {
  bool name;
  bool bar;
  bool speed;
  bool bytes;
};
constexpr TransferShape kTransferShapes[] = {{true, true, true, true},
                                             {false, true, true, true},
                                             {false, false, true, true},
                                             {false, false, false, true},
                                             {false, false, false, false}};

// Everything of a line but the name.
std::string Figures(std::int64_t done, std::int64_t total, double bytes_per_second,
                    const TransferShape& shape) {
  std::string text;
  const auto add = [&text](const std::string& piece) {
    absl::StrAppend(&text, text.empty() ? "" : "  ", piece);
  };
  if (total > 0) {
    const double part =
        std::clamp(static_cast<double>(done) / static_cast<double>(total), 0.0, 1.0);
    add(absl::StrCat(shape.bar ? Bar(part) + " " : "", Percent(part * 100)));
  }
  if (shape.bytes || total <= 0) {
    add(absl::StrCat(Bytes(static_cast<double>(done)),
                     total > 0 ? " of " + Bytes(static_cast<double>(total)) : ""));
  }
  if (shape.speed && bytes_per_second > 0) add(PerSecond(bytes_per_second));
  return text;
}

}  // namespace

std::string TransferText(const std::string& name, std::int64_t done, std::int64_t total,
                         double bytes_per_second, int columns) {
  const std::string shown = OneLine(name);
  std::string text;
  for (const TransferShape& shape : kTransferShapes) {
    text = Figures(done, total, bytes_per_second, shape);
    const int room = columns - Columns(text);
    if (!shape.name) {
      if (room >= 0) break;
    } else if (room >= std::min(Columns(shown), kNameColumns) + 2) {
      return absl::StrCat(Fit(shown, room - 2), "  ", text);
    }
  }
  return Fit(text, columns);
}

TransferLine::TransferLine(Progress::Mode mode, std::string name, Time begin, Screen screen)
    : mode_(mode),
      name_(std::move(name)),
      begin_(begin),
      screen_(std::move(screen)),
      block_(screen_),
      shown_(begin) {}

double TransferLine::Speed() const {
  if (recent_.size() < 2) return 0;
  const double seconds = Seconds(recent_.back().first - recent_.front().first);
  return seconds > 0 ? static_cast<double>(recent_.back().second - recent_.front().second) / seconds
                     : 0;
}

void TransferLine::Update(std::int64_t done, std::int64_t total, Time now) {
  if (mode_ == Progress::Mode::kNone) return;
  if (!recent_.empty() && done < recent_.back().second) recent_.clear();  // begun anew
  const bool live = mode_ == Progress::Mode::kLive;
  if (recent_.empty() || now - recent_.back().first >= kRedraw) recent_.emplace_back(now, done);
  while (recent_.size() > 2 && now - recent_[1].first > kSpeedOver) recent_.pop_front();
  if (now - shown_ < (live ? kRedraw : std::chrono::milliseconds(kPlainEvery))) return;
  shown_ = now;
  const int columns = live ? block_.Columns() : kPlainColumns;
  const std::string text = TransferText(name_, done, total, Speed(), columns);
  if (live) {
    block_.Draw({text});
  } else {
    screen_.write(text + "\n");
  }
}

void TransferLine::Note(const std::string& text) {
  if (mode_ == Progress::Mode::kNone) return;
  End();
  screen_.write(text + "\n");
}

void TransferLine::End() { block_.Clear(); }

void TransferLine::Summary(std::int64_t bytes, Time now) {
  if (mode_ == Progress::Mode::kNone) return;
  const double seconds = std::max(1e-3, Seconds(now - begin_));
  screen_.write(absl::StrCat(OneLine(name_), "  ", Bytes(static_cast<double>(bytes)), " in ",
                             Elapsed(std::chrono::seconds(static_cast<std::int64_t>(seconds))),
                             ", ", PerSecond(static_cast<double>(bytes) / seconds), "\n"));
}

}  // namespace pictory_jobs::cli
