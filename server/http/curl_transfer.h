// A CurlTransfer is one libcurl easy handle, used for one request after the other.
//
// It lives on its engine's thread. It knows how a request becomes options, and what the evidence
// says of the request's fate; the engine knows when. It is never verbose: nothing here can print a
// header.
#pragma once

#include <curl/curl.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "http/curl_options.h"
#include "http/wait_queue.h"

namespace gateway::http {

struct FinishedRequest {
  HttpTransport::Done done;
  Response response;
};

// The answer to a request that never reached the network.
Response NotSent(std::string error, bool crowded = false);

class CurlTransfer {
 public:
  // INTERNAL if this libcurl lacks something we rely on. `options` (its base_url normalised) must
  // outlive the transfer.
  static absl::StatusOr<std::unique_ptr<CurlTransfer>> Create(const CurlTransportOptions& options,
                                                              Lane lane);
  ~CurlTransfer();
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  CURL* handle() const { return handle_; }
  static CurlTransfer* Of(CURL* handle);

  // Makes the handle ready for the request. If that fails the transfer must not be started: Finish
  // it with what is returned.
  CURLcode Begin(PendingRequest pending);
  // Ends the request with libcurl's verdict; the handle must have left its multi.
  FinishedRequest Finish(CURLcode verdict);
  // Ends a request that we end ourselves, with the reason; otherwise as Finish.
  FinishedRequest Abandon(std::string reason);
  // Connections opened for the request; ask before Finish.
  long connections_opened() const;

 private:
  struct SlistDeleter {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  CurlTransfer(const CurlTransportOptions& options, Lane lane);
  template <typename T>
  void Set(CURLoption option, T value);
  void SetTransport();
  void SetSecurity();
  void SetCallbacks();
  void SetUrl(const Request& request);
  void SetMethod(const Request& request);
  void SetHeaders(const Request& request);
  void AddHeaderLine(const std::string& line);
  FinishedRequest Conclude();

  void TakeHeaderLine(std::string_view line);
  std::size_t AnnouncedBytes() const;
  int MostSends() const;  // of the present request
  static curl_socket_t OnOpenSocket(void* self, curlsocktype, curl_sockaddr* to);
  static int OnBeforeSend(void* self, char*, char*, int, int);
  static std::size_t OnHeader(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* self);

  const CurlTransportOptions& options_;
  const Lane lane_;
  CURL* const handle_;
  CURLcode setup_ = CURLE_OK;  // the first option that was refused
  std::array<char, CURL_ERROR_SIZE> curl_error_{};

  std::unique_ptr<curl_slist, SlistDeleter> header_list_;  // libcurl has it, too
  std::vector<Header> listed_;                             // what it was made of

  // Of the present request.
  PendingRequest pending_;
  Response response_;
  int sends_ = 0;  // times libcurl was let write the request
  std::size_t header_bytes_ = 0;
  bool headers_complete_ = false;  // later lines are trailers
};

}  // namespace gateway::http
