// `--name value` arguments of the bench programs, which scripts start: whatever is wrong ends the
// program with a line that names it.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

namespace bench {

class Flags {
 public:
  // `defaults` names every flag there is.
  Flags(int argc, char** argv, std::map<std::string, std::string> defaults)
      : values_(std::move(defaults)) {
    for (int i = 1; i < argc; i += 2) {
      const std::string name = argv[i];
      if (i + 1 == argc || name.rfind("--", 0) != 0 || values_.count(name.substr(2)) == 0) {
        std::fprintf(stderr, "%s: cannot use '%s'; flags with a value each:", argv[0], argv[i]);
        for (const auto& [known, value] : values_) std::fprintf(stderr, " --%s", known.c_str());
        std::fputc('\n', stderr);
        std::exit(2);
      }
      values_[name.substr(2)] = argv[i + 1];
    }
  }

  const std::string& Text(const std::string& name) const { return values_.at(name); }
  long Number(const std::string& name) const { return std::atol(Text(name).c_str()); }
  double Real(const std::string& name) const { return std::atof(Text(name).c_str()); }

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace bench
