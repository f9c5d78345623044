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

class Process {
 public:
  // Begins at once. stdin holds `input`.
  Process(std::vector<std::string> args, const std::string& input = "");
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
