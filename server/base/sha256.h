// A Sha256Stream computes the SHA-256 of bytes that come piece by piece. It is not thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace gateway {

class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();

  void Append(std::string_view bytes);
  // Returns the 32 bytes of the digest. It is called once, as the last call.
  std::string Finish();

 private:
  void Flush();

  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  const std::unique_ptr<evp_md_ctx_st, Free> context_;
  std::string small_;  // pieces too short to be worth a call each
};

}  // namespace gateway
