// A FilmMaker makes mp4 files that show a story's own words, with the machine's ffmpeg.
//
// It has one thread of its own and makes one film at a time, in a child process without a shell:
// the text goes by file, and the process has a time limit. A film that fails leaves no file, and
// the caller serves the built-in clip. Films beyond a short queue are not made: under load nobody
// looks at them.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "sandbox/story.h"

namespace gateway::sandbox {

class FilmMaker {
 public:
  // The ffmpeg on the PATH; empty if there is none.
  static std::filesystem::path FindFfmpeg();

  // Films are kept in `dir`, which is made if missing, as <job id>.mp4. If `temporary`, the
  // directory goes away with the FilmMaker.
  FilmMaker(std::filesystem::path ffmpeg, std::filesystem::path dir, bool temporary);
  ~FilmMaker();  // ends a running ffmpeg
  FilmMaker(const FilmMaker&) = delete;
  FilmMaker& operator=(const FilmMaker&) = delete;

  // `job_id` is one of ours: safe as a file name.
  void Make(const std::string& job_id, const Film& film);
  void Remove(const std::string& job_id);
  // The file of a film; nullopt if it was not made, or not yet.
  std::optional<std::filesystem::path> Find(const std::string& job_id) const;

 private:
  struct Order {
    std::string job_id;
    std::string subtitles;
    double seconds;
  };
  struct Queue;  // what both threads touch
  void Work();
  void MakeOne(const Order& order);
  bool Run(const Order& order, const std::string& out_file);
  // Reaps the child; false if it failed, ran too long or we are stopping.
  bool Await(int child);

  const std::filesystem::path ffmpeg_;
  const std::filesystem::path dir_;
  const bool temporary_;
  const std::unique_ptr<Queue> queue_;
};

// The captions of the first `seconds` as an ASS subtitle file; text cannot break out of its line.
std::string ToAss(const std::vector<Caption>& captions, double seconds);

}  // namespace gateway::sandbox
