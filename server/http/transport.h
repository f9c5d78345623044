// An HttpTransport sends HTTP requests to Pictory and tells what became of each.
//
// It is the wall between the domain and the network. In the program it is a CurlTransport
// (http/curl_transport.h), in tests and in the simulator a scripted double.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/limits.h"

namespace gateway::http {

// kPaid: at most one transmission, on a connection of its own; never repeated below us.
// kRead: connections are kept and shared; the library may repeat it once, because a connection died
// or the peer refused the stream.
enum class Lane { kPaid, kRead };

// Where a request's URL may lead. kAnywhere: wherever it does. kPublic: to no address inside
// (base/inside_address.h), whatever its name is resolved to. kLoopback: to this machine alone.
enum class Reach { kAnywhere, kPublic, kLoopback };

struct Header {
  std::string name;
  std::string value;  // no CR, LF or NUL: such a request is not sent

  bool operator==(const Header&) const = default;
};

struct Request {
  Lane lane = Lane::kRead;
  // What it is for, for metrics: one of few words, which lasts as long as the program.
  const char* purpose = "other";
  std::string method = "GET";
  // The path is appended to the transport's base URL. It begins with '/'; the caller has
  // percent-encoded its segments.
  std::string path;
  // Instead of a path: a whole URL, which the caller has checked. Such a request is kPaid, so that
  // none goes over a connection that was opened for another reach.
  std::string url;
  Reach reach = Reach::kAnywhere;           // of `url`
  std::vector<Header> headers;              // `Authorization` among them is never logged
  std::shared_ptr<const std::string> body;  // null: none
  Duration timeout = limits::kPollTimeout;  // from the start of the transfer, queueing not counted
  // A request that is still queued at this time is answered kNotSent without touching the network.
  MonoTime start_by = MonoTime::max();
  // Asked, on the transport's thread, before the first byte is written; if it says no, the request
  // is answered kNotSent. Null: it may be.
  std::function<bool()> may_send;
  // Asked, on the transport's thread, before a kRead request is written anew. Null: it may be.
  std::function<bool()> may_repeat;
  std::size_t max_body_bytes = limits::kJobReplyMaxBytes;  // decoded bytes
};

struct Response {
  enum class Outcome {
    kComplete,  // status, headers and the whole body are here
    kNotSent,   // certain: no byte of the request left this process
    kUnknown,   // sent in part or whole, and no complete answer came back
  };
  Outcome outcome = Outcome::kNotSent;
  int status = 0;               // 0 unless a status line arrived
  std::vector<Header> headers;  // of the final response, names in lower case
  std::string body;             // whole if kComplete, else what arrived (capped)
  std::string error;            // for people, if not kComplete; never contains a secret
  bool inside = false;          // of kNotSent: the URL leads to where it may not
  bool crowded = false;         // of kNotSent: it got no connection in time, because others had all
  bool timed_out = false;       // of kUnknown: because the request's timeout passed
  int repeats = 0;              // how often the library has written the request anew
  // If not 0, the answer was cut because the body is longer than this, the request's
  // max_body_bytes.
  std::size_t longer_than_bytes = 0;

  // The value of the header `name`, given in lower case; nullptr if it is absent.
  const std::string* FindHeader(std::string_view name) const {
    for (const Header& header : headers) {
      if (header.name == name) return &header.value;
    }
    return nullptr;
  }
};

class HttpTransport {
 public:
  using Done = std::function<void(Response)>;

  virtual ~HttpTransport() = default;
  // Calls `done` exactly once, on a thread of the transport (or inside Start, for a request that is
  // refused at once), under no lock. `done` must not block. Once handed in, a request cannot be
  // taken back: cancelling a sent one would make its outcome unknown.
  virtual void Start(Request request, Done done) = 0;
};

}  // namespace gateway::http
