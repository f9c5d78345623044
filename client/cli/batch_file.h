// ReadBatch reads a file of many submits: one JSON object a line.
//
//   {"kind":"transcribe","body":{"fileUrl":"https://…"},"labels":{"team":"news"}}
//   {"kind":"render","request":{"previewJobId":"01hx…","waitForPreview":true},"requestId":"film-7"}
//
// `kind` is the name of a command that submits. `body` is what that command takes as a file,
// `request` the API's own request in proto JSON; a line has one of them. Pure.
#pragma once

#include <map>
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

// `invocation` has the labels of all lines, and whether unknown fields are sent. Each line gets the
// label of the batch, too. Empty lines are left out, and counted.
Batch ReadBatch(std::string_view text, const std::string& batch_name, const Invocation& invocation);

// Makes of a line a submit of its own: under this request_id, with these labels.
void Rename(BatchLine& line, const std::string& request_id,
            const std::map<std::string, std::string>& labels);

// The label that the jobs of a batch have in common, and its value: a plain text of at most 41
// characters, another for another name.
inline constexpr char kBatchLabel[] = "pictory-batch";
std::string BatchLabelValue(std::string_view batch_name);

// The request_id of a line without one of its own: the same for the same line in the batch of this
// name, wherever it stands in the file and however its JSON is spelled. `content` is what the line
// asks for, and its labels; of equal lines `occurrence` counts from 1.
std::string BatchRequestId(std::string_view batch_name, std::string_view content, int occurrence);

}  // namespace pictory_jobs::cli
