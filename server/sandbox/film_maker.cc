#include "sandbox/film_maker.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <thread>

#include "base/mutex.h"

namespace gateway::sandbox {
namespace {

constexpr std::size_t kQueueMax = 4;
constexpr double kFilmMaxSeconds = 30;
constexpr double kFilmMinSeconds = 2;
constexpr std::chrono::seconds kFfmpegTimeout{60};
constexpr std::chrono::milliseconds kCheckInterval{20};

std::string AssTime(double seconds) {
  const auto hundredths = static_cast<long long>(seconds * 100);
  char text[40];
  std::snprintf(text, sizeof text, "%lld:%02lld:%02lld.%02lld", hundredths / 360'000,
                hundredths / 6000 % 60, hundredths / 100 % 60, hundredths % 100);
  return text;
}

// Replaces braces and backslashes, because braces begin commands and a backslash an escape.
std::string AssText(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '{':
        safe += '(';
        break;
      case '}':
        safe += ')';
        break;
      case '\\':
        safe += '/';
        break;
      default:
        safe += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    }
  }
  return safe;
}

}  // namespace

struct FilmMaker::Queue {
  Mutex mutex;
  CondVar changed;
  std::deque<Order> orders GUARDED_BY(mutex);
  bool stopping GUARDED_BY(mutex) = false;
  std::thread thread;
};

std::filesystem::path FilmMaker::FindFfmpeg() {
  const char* path = std::getenv("PATH");
  std::string_view left = path == nullptr ? "" : path;
  while (!left.empty()) {
    const std::size_t end = std::min(left.find(':'), left.size());
    const std::filesystem::path candidate = std::filesystem::path(left.substr(0, end)) / "ffmpeg";
    if (candidate.is_absolute() && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  return {};
}

FilmMaker::FilmMaker(std::filesystem::path ffmpeg, std::filesystem::path dir, bool temporary)
    : ffmpeg_(std::move(ffmpeg)),
      dir_(std::move(dir)),
      temporary_(temporary),
      queue_(std::make_unique<Queue>()) {
  std::error_code failed;
  std::filesystem::create_directories(dir_, failed);  // if not, films fail and the clip is served
  queue_->thread = std::thread([this] { Work(); });
}

FilmMaker::~FilmMaker() {
  {
    MutexLock lock(queue_->mutex);
    queue_->stopping = true;
    queue_->changed.notify_all();
  }
  queue_->thread.join();
  std::error_code ignored;
  if (temporary_) std::filesystem::remove_all(dir_, ignored);
}

void FilmMaker::Make(const std::string& job_id, const Film& film) {
  const double seconds = std::clamp(film.seconds, kFilmMinSeconds, kFilmMaxSeconds);
  Order order{job_id, ToAss(Captions(film), seconds), seconds};
  MutexLock lock(queue_->mutex);
  if (queue_->orders.size() >= kQueueMax) return;
  queue_->orders.push_back(std::move(order));
  queue_->changed.notify_all();
}

void FilmMaker::Remove(const std::string& job_id) {
  std::error_code ignored;
  std::filesystem::remove(dir_ / (job_id + ".mp4"), ignored);
}

std::optional<std::filesystem::path> FilmMaker::Find(const std::string& job_id) const {
  std::filesystem::path file = dir_ / (job_id + ".mp4");
  std::error_code failed;
  if (!std::filesystem::is_regular_file(file, failed)) return std::nullopt;
  return file;
}

void FilmMaker::Work() {
  for (;;) {
    Order order;
    {
      MutexLock lock(queue_->mutex);
      while (!queue_->stopping && queue_->orders.empty()) queue_->changed.wait(queue_->mutex);
      if (queue_->stopping) return;
      order = std::move(queue_->orders.front());
      queue_->orders.pop_front();
    }
    MakeOne(order);
  }
}

void FilmMaker::MakeOne(const Order& order) {
  const std::filesystem::path subtitles = dir_ / "subtitles.ass";
  const std::filesystem::path unfinished = dir_ / "unfinished.mp4";
  std::ofstream(subtitles, std::ios::binary) << order.subtitles;
  std::error_code failed;
  if (Run(order, unfinished.filename())) {
    std::filesystem::rename(unfinished, dir_ / (order.job_id + ".mp4"), failed);
  }
  std::filesystem::remove(unfinished, failed);
  std::filesystem::remove(subtitles, failed);
}

// The files are named relative to the child's directory: a path inside a filter would have to be
// escaped twice.
bool FilmMaker::Run(const Order& order, const std::string& out_file) {
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.2f", order.seconds);
  const std::string picture = std::string("color=c=0x16324f:s=640x360:r=24:d=") + seconds;
  const std::string silence = "anullsrc=r=44100:cl=mono";
  const char* const argv[] = {ffmpeg_.c_str(),
                              "-nostdin",
                              "-hide_banner",
                              "-loglevel",
                              "error",
                              "-y",
                              "-threads",
                              "1",
                              "-f",
                              "lavfi",
                              "-i",
                              picture.c_str(),
                              "-f",
                              "lavfi",
                              "-i",
                              silence.c_str(),
                              "-t",
                              seconds,
                              "-vf",
                              "ass=subtitles.ass,format=yuv420p",
                              "-c:v",
                              "libx264",
                              "-preset",
                              "veryfast",
                              "-crf",
                              "28",
                              "-threads",
                              "1",
                              "-c:a",
                              "aac",
                              "-b:a",
                              "48k",
                              "-movflags",
                              "+faststart",
                              out_file.c_str(),
                              nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, dir_.c_str());
  for (const int fd : {0, 1, 2}) {
    posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", fd == 0 ? O_RDONLY : O_WRONLY, 0);
  }
  // The child gets a process group of its own, because Ctrl-C in our terminal is ours to handle.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  pid_t child = -1;
  const int failed = ::posix_spawn(&child, ffmpeg_.c_str(), &actions, &attributes,
                                   const_cast<char* const*>(argv), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return failed == 0 && Await(child);
}

bool FilmMaker::Await(int child) {
  const auto until = std::chrono::steady_clock::now() + kFfmpegTimeout;
  bool killed = false;
  for (;;) {
    int status = 0;
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) return !killed && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (ended < 0 && errno != EINTR) return false;
    MutexLock lock(queue_->mutex);
    if (!queue_->stopping) queue_->changed.wait_for(queue_->mutex, kCheckInterval);
    if (!killed && (queue_->stopping || std::chrono::steady_clock::now() > until)) {
      ::kill(child, SIGKILL);
      killed = true;
    }
  }
}

std::string ToAss(const std::vector<Caption>& captions, double seconds) {
  std::string text =
      "[Script Info]\nScriptType: v4.00+\nPlayResX: 640\nPlayResY: 360\nWrapStyle: 0\n\n"
      "[V4+ Styles]\nFormat: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, "
      "OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, "
      "Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding\n"
      "Style: Words,DejaVu Sans,30,&H00FFFFFF,&H00FFFFFF,&H00302010,&H00000000,1,0,0,0,100,100,0,"
      "0,1,2,0,5,40,40,30,1\n"
      "Style: Note,DejaVu Sans,13,&H00C8B8A8,&H00FFFFFF,&H00302010,&H00000000,0,0,0,0,100,100,0,"
      "0,1,0,0,2,20,20,14,1\n\n"
      "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n";
  const auto line = [&text](const char* style, double start, double end, std::string_view words) {
    text += "Dialogue: 0," + AssTime(start) + "," + AssTime(end) + "," + style + ",,0,0,0,," +
            AssText(words) + "\n";
  };
  line("Note", 0, seconds, "made by the sandbox, not by Pictory");
  for (const Caption& caption : captions) {
    if (caption.start >= seconds) break;
    line("Words", caption.start, std::min(seconds, caption.start + caption.seconds), caption.text);
  }
  return text;
}

}  // namespace gateway::sandbox
