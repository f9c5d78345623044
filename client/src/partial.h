// A Partial is the right to write a file that is not complete yet. While it lives nobody else who
// asks for that file gets it, in this process or another one on this machine. Who comes second gets
// a file of its own, with which nobody goes on.
#pragma once

#include <string>

namespace pictory_jobs {

class Partial {
 public:
  explicit Partial(const std::string& wanted);
  ~Partial();  // its own file goes with it, if it was not renamed
  Partial(const Partial&) = delete;
  Partial& operator=(const Partial&) = delete;

  // The file to write. It must not be removed and then written anew: whoever made another one in
  // between would have the same right. Empty() is for that.
  const std::string& path() const { return path_; }
  bool is_own() const { return is_own_; }
  void Empty() const;

 private:
  std::string path_;
  bool is_own_ = false;
  int fd_ = -1;
};

}  // namespace pictory_jobs
