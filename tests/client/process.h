// One run of the built `pictory`.
#pragma once

#include <sys/types.h>

#include <string>
#include <thread>
#include <vector>

namespace pictory_jobs::fake {

struct Outcome {
  int exit_code = -1;  // 128 + the signal, if one killed it
  std::string out;
  std::string err;
};

// Where its words go, if not to Outcome.
struct Streams {
  int out = -1;  // file descriptors of this process, which stay open here
  int err = -1;
  std::string shell;  // such as `>&-` or `>/dev/full`, as /bin/sh would take it, limits before it
};

class Process {
 public:
  // Begins at once. stdin holds `input`.
  Process(std::vector<std::string> args, const std::string& input = "",
          const Streams& streams = {});
  ~Process();

  void Signal(int signal) const;
  Outcome Wait();

 private:
  pid_t pid_ = -1;
  Outcome outcome_;
  std::thread out_;
  std::thread err_;
};

}  // namespace pictory_jobs::fake
