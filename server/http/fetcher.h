// A Fetcher reads one file from its URL and hands the bytes on as they come, so that a large one is
// never in memory. It is for files that anybody may read: it shows no credentials, and is not for
// Pictory's API (http/transport.h).
//
// It makes one request and follows nothing: whether a redirect is followed is its caller's
// decision.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/transport.h"

namespace gateway::http {

struct FetchRequest {
  std::string url;        // http:// or https://; the caller has checked it
  std::int64_t from = 0;  // bytes that the caller has already
  std::string validator;  // of the version that they are of (If-Range); empty: none is known
  // Whether the URL names this machine. Then it alone is connected to; else nothing inside is,
  // whatever the name leads to by now.
  bool loopback = false;
};

struct FetchHead {
  int status = 0;               // 0: none arrived
  std::vector<Header> headers;  // names in lower case
  std::int64_t length = -1;     // of the body, as the head tells; -1: it does not
  bool ends_known = false;      // whether a body that is cut off can be told from a whole one
  std::string location;         // where a redirect leads, as a whole URL

  const std::string* FindHeader(std::string_view name) const {
    for (const Header& header : headers) {
      if (header.name == name) return &header.value;
    }
    return nullptr;
  }
};

// A FetchSink takes what one Fetch brings.
class FetchSink {
 public:
  virtual ~FetchSink() = default;
  // Asked at least once a second; false ends the fetch.
  virtual bool Wanted() = 0;
  // Called once, before the first byte, for a 2xx answer; false ends the fetch.
  virtual bool Begin(const FetchHead& head) = 0;
  virtual bool Take(std::string_view bytes) = 0;
};

struct FetchEnd {
  enum class What {
    kWhole,    // the answer is here to its end; of one that is not 2xx, whose body nobody wants,
               // its head
    kStopped,  // the sink has ended it
    kInside,   // the name leads to an address inside
    kBroken,   // no answer, or a part of one
  };
  What what = What::kBroken;
  FetchHead head;
  std::string problem;  // of kBroken, in words for everybody
  std::string detail;   // of kBroken, for a log: it may name addresses and files of ours
};

class Fetcher {
 public:
  virtual ~Fetcher() = default;
  // Blocks. Thread-safe.
  virtual FetchEnd Fetch(const FetchRequest& request, FetchSink& sink) = 0;
};

}  // namespace gateway::http
