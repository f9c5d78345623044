// ReadBatch reads a file of many submits: one JSON object a line.
//
//   {"kind":"transcribe","body":{"fileUrl":"https://…"},"labels":{"team":"news"}}
//   {"kind":"render","request":{"previewJobId":"01hx…","waitForPreview":true},"requestId":"film-7"}
//
// `kind` is the name of a command that submits. `body` is what that command takes as a file,
// `request` the API's own request in proto JSON; a line has one of them. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "invocation.h"
#include "request.h"

namespace pictory_jobs::cli {

struct SubmitCommand;

// A line that can be submitted.
struct BatchLine {
  int number = 0;  // from 1
  const SubmitCommand* submit = nullptr;
  SubmitRequest request;
  std::string request_id;  // as the request has it
};

struct BadLine {
  int number = 0;
  std::string what;  // one line or several
};

struct Batch {
  std::vector<BatchLine> lines;
  std::vector<BadLine> bad;  // all of them
};

// `invocation` has the labels of all lines, and whether unknown fields are sent. Empty lines are
// left out, and counted.
Batch ReadBatch(std::string_view text, const std::string& batch_name, const Invocation& invocation);

// The request_id of a line without one of its own: the same for the same line of the batch of this
// name, wherever and whenever it is read.
std::string BatchRequestId(std::string_view batch_name, int line);

}  // namespace pictory_jobs::cli
