// A stream of events over HTTP: Server-Sent Events for browsers, or one line of JSON for each.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "face/inside_call.h"
#include "google/protobuf/descriptor.h"
#include "http/server_message.h"

namespace gateway::face {

enum class EventForm { kSse, kLines };

// The form that `Accept` asks for, the earlier of those it names as much; SSE if it asks for
// neither in particular. NOT_ACCEPTABLE if it takes none. Pure.
absl::StatusOr<EventForm> EventFormOf(const std::string* accept);

std::string_view ContentTypeOf(EventForm form);

// One message as it goes out. Over SSE a heartbeat is a comment, and the event's id is what the
// .proto says of it. Pure.
std::string EventText(const google::protobuf::Message& message,
                      const google::protobuf::MethodDescriptor& method, EventForm form);
// What goes out last: nothing if the stream ended well. Pure.
std::string EndText(const absl::Status& status, EventForm form);

// Sends `first`, and then what the call brings.
class EventBody final : public http::LiveBody {
 public:
  // `status_of` says what a caller is told of an end.
  EventBody(std::shared_ptr<InsideCall> call, grpc::ByteBuffer first,
            const google::protobuf::MethodDescriptor& method, EventForm form,
            std::function<absl::Status(absl::Status)> status_of);
  ~EventBody() override;
  std::string_view Filler() const override;
  void Next(std::function<void(Piece)> ready) override;

 private:
  const std::shared_ptr<InsideCall> call_;
  std::string first_;
  const google::protobuf::MethodDescriptor& method_;
  const EventForm form_;
  const std::function<absl::Status(absl::Status)> status_of_;
};

}  // namespace gateway::face
