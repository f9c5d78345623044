// This file has the reasons of the gateway's own refusals (ErrorInfo.reason), in the one table that
// server/docs/errors.md shows. What Pictory refuses has a table of its own
// (pictory/errors_table.h).
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace gateway::errors {

struct ReasonRow {
  std::string_view reason;
  absl::StatusCode code;
  std::string_view again;    // whether and when the same call may succeed
  std::string_view meaning;  // Markdown
};

inline constexpr std::array<ReasonRow, 51> kReasons = {{
    // Requests.
    {"INVALID_REQUEST", absl::StatusCode::kInvalidArgument, "no",
     "BadRequest names each field, and what to do. How much each list, map and text may hold "
     "stands beside it in the .proto, as `bound`; an object of JSON may have 10,000 members"},
    {"UNPARSABLE_REQUEST", absl::StatusCode::kInvalidArgument, "no",
     "Not the message that this method takes, or invalid UTF-8"},
    {"REQUEST_TOO_LARGE", absl::StatusCode::kResourceExhausted, "no",
     "More than 16 MiB for a submit, or 64 KiB for any other call"},
    {"METADATA_TOO_LARGE", absl::StatusCode::kResourceExhausted, "no",
     "More than 16 KiB of metadata: names, values as they are sent, and 32 bytes for each entry. "
     "Over HTTP also: a head of more than 32 KiB"},
    {"REQUEST_COMPRESSED", absl::StatusCode::kUnimplemented, "no",
     "Requests are taken uncompressed (`grpc-encoding: identity`)"},
    {"REQUEST_LATE", absl::StatusCode::kDeadlineExceeded, "with a faster connection",
     "The request did not arrive as a whole within 30 s; nothing was submitted"},
    {"STREAM_IDLE", absl::StatusCode::kDeadlineExceeded, "when there is something to ask",
     "A reflection stream on which nothing was asked for 30 s"},
    {"MEMORY_SHORT", absl::StatusCode::kResourceExhausted, "after the delay",
     "No memory for the rest of a request that was still arriving; nothing was submitted"},
    {"REQUEST_ID_REUSED", absl::StatusCode::kInvalidArgument, "no",
     "The request_id belongs to another request; its job is named"},
    // Requests over HTTP.
    {"NO_SUCH_PATH", absl::StatusCode::kNotFound, "no",
     "Over HTTP: nothing is at this path. Within an id a colon is written %3A and a slash %2F"},
    {"METHOD_NOT_ALLOWED", absl::StatusCode::kUnimplemented, "no",
     "Over HTTP: what is at this path is asked for by another method; `Allow` names it"},
    {"NOT_IMPLEMENTED", absl::StatusCode::kUnimplemented, "no",
     "Over HTTP: the body comes in another `Transfer-Encoding` than chunked"},
    {"NOT_JSON", absl::StatusCode::kInvalidArgument, "no",
     "Over HTTP: a body comes as `Content-Type: application/json`, in UTF-8"},
    {"NOT_ACCEPTABLE", absl::StatusCode::kInvalidArgument, "no",
     "Over HTTP: `Accept` takes none of the forms in which this method answers"},
    {"RANGE_NOT_THERE", absl::StatusCode::kOutOfRange, "no",
     "Over HTTP: the `Range` begins behind the last byte; `Content-Range` says how many there are"},
    {"HOST_UNKNOWN", absl::StatusCode::kPermissionDenied, "after the operator acted",
     "Over HTTP: the plain listener is not addressed by `Host` as an address, as localhost or as "
     "an "
     "`--allowed-host`, as a page does that has another name stand for this address"},
    {"PAGE_NOT_ALLOWED", absl::StatusCode::kPermissionDenied, "after the operator acted",
     "Over HTTP: the request comes from a page in a browser whose `Origin` is no "
     "`--http-allow-origin`"},
    // Who calls.
    {"CALLER_UNKNOWN", absl::StatusCode::kUnauthenticated, "with what proves who calls",
     "Nothing that came with the call proves who makes it, or what came does not count; the "
     "message says what does"},
    {"ROLE_REQUIRED", absl::StatusCode::kPermissionDenied, "after the operator acted",
     "The caller is known, and lacks the role that the method needs"},
    {"TENANT_LIMIT", absl::StatusCode::kResourceExhausted, "after the delay",
     "A limit of the caller's tenant, which the message names"},
    {"PICTORY_KEY_NEEDED", absl::StatusCode::kFailedPrecondition, "with the key shown",
     "Callers pay with Pictory keys of their own, and the call shows none; or that of the job's "
     "account has not been shown since the gateway began to run, and its jobs wait for it"},
    {"PICTORY_KEY_NOT_TAKEN", absl::StatusCode::kInvalidArgument, "no",
     "The call shows a Pictory key of its caller's, and this gateway takes none, or not one like "
     "this, or not over plain text from another machine"},
    // Jobs.
    {"JOB_NOT_FOUND", absl::StatusCode::kNotFound, "no", "No such job"},
    {"PART_NOT_FOUND", absl::StatusCode::kNotFound, "no", "No such part in the job's result"},
    {"FILE_NOT_FOUND", absl::StatusCode::kNotFound, "no",
     "No such file of the job in the archive: the result has none, or the gateway keeps none"},
    {"FILE_NOT_ARCHIVED", absl::StatusCode::kFailedPrecondition, "once it is ARCHIVED",
     "ReadArchivedFile of a file that is still to be fetched from Pictory, or was given up; the "
     "message says which, and why"},
    {"JOB_NOT_FINISHED", absl::StatusCode::kFailedPrecondition, "once it has SUCCEEDED",
     "The job that a submit refers to, that UpdatePreview changes or whose result is asked for, "
     "has "
     "not ended"},
    {"JOB_NOT_USABLE", absl::StatusCode::kFailedPrecondition, "no",
     "The job that a submit refers to is not one that it can use; or the job that UpdatePreview "
     "names is no preview that has SUCCEEDED"},
    {"PICTORY_JOB_NOT_FOUND", absl::StatusCode::kNotFound, "no",
     "ResolveJob names a job that Pictory does not know"},
    {"JOB_NOT_DELETABLE", absl::StatusCode::kFailedPrecondition, "once it has ended",
     "DeleteJob of a job that has not ended"},
    {"JOB_NOT_WAITING", absl::StatusCode::kFailedPrecondition, "no",
     "DeleteJob with `cancel_only` of a job that does not wait, or no longer: it was sent, or has "
     "ended. Nothing was deleted"},
    {"JOB_NOT_UNCONFIRMED", absl::StatusCode::kFailedPrecondition, "no",
     "ResolveJob of a job that is not UNCONFIRMED, or no longer"},
    {"PICTORY_JOB_TAKEN", absl::StatusCode::kFailedPrecondition, "no",
     "ResolveJob names the Pictory job of another job"},
    {"JOB_BEING_SETTLED", absl::StatusCode::kAborted, "after the delay",
     "Another decision on this job is under way"},
    {"NO_NOTIFICATION", absl::StatusCode::kFailedPrecondition, "no",
     "ReplayNotification of a job of whose state nobody is told: neither its submit nor the "
     "operator has named a URL, or the job has not ended"},
    // Pictory and its account, without a request to Pictory.
    {"UPSTREAM_UNREACHABLE", absl::StatusCode::kUnavailable, "after the delay",
     "Pictory cannot be reached, or answers nobody at present; nothing was submitted"},
    {"UPSTREAM_RATE_LIMITED", absl::StatusCode::kResourceExhausted, "after the delay",
     "Pictory is rate limiting the account: meanwhile uploads, changes, deletes, resolves and "
     "submits "
     "are refused as Pictory did, and nothing is sent"},
    {"UPSTREAM_CREDENTIALS", absl::StatusCode::kFailedPrecondition, "after the operator acted",
     "Pictory refused the credentials: until it takes them again, which is looked at every half "
     "minute, the same calls are refused and nothing is sent"},
    {"UPSTREAM_BUDGET", absl::StatusCode::kResourceExhausted, "after the delay",
     "The account's request budget is used up"},
    {"UPSTREAM_UNKNOWN", absl::StatusCode::kUnknown, "after a look",
     "Pictory did not say, or not readably, whether it has done what must not be done twice "
     "(`CreateTemplate`, `DeleteTemplate`); look with `ListTemplates` before you ask again"},
    // Limits and states of the gateway.
    {"SPENDING_LIMIT", absl::StatusCode::kResourceExhausted, "after the delay",
     "One of the `--max-…submits-…` limits; nothing was submitted"},
    {"SUBMITS_STOPPED", absl::StatusCode::kResourceExhausted, "after the operator acted",
     "The file `stop-submits` is there"},
    {"TOO_MANY", absl::StatusCode::kResourceExhausted, "after the delay",
     "A limit of this server, or a tenant's part of it, which the message names; or Pictory takes "
     "so long to answer that no more may be sent to it, and nothing was done. A health watch gets "
     "UNIMPLEMENTED with this reason, because gRPC's clients take that for a server without health "
     "checks, and call it; after anything else they would call nothing"},
    {"OVERLOADED", absl::StatusCode::kUnavailable, "after the delay",
     "This server is short of memory, late or behind with its store, and refuses such calls "
     "meanwhile; the call has done nothing"},
    {"DRAINING", absl::StatusCode::kUnavailable, "after the delay",
     "This server is shutting down; connect again, and go on there"},
    {"DEADLINE_TOO_SHORT", absl::StatusCode::kDeadlineExceeded, "with a longer deadline",
     "Too little time was left to submit; nothing was submitted"},
    {"DEADLINE_EXCEEDED", absl::StatusCode::kDeadlineExceeded, "with a longer deadline",
     "No answer in time. The same request_id finds out what became of a submit"},
    {"CANCELLED", absl::StatusCode::kCancelled, "–",
     "The caller went away; what was sent by then is followed all the same"},
    {"STORE_AWAY", absl::StatusCode::kUnavailable, "after the delay",
     "The gateway's store cannot be reached at present; a submit that gets this was not sent"},
    {"STORE_FAILED", absl::StatusCode::kInternal, "no",
     "The gateway's store failed; its log says how"},
    {"INTERNAL", absl::StatusCode::kInternal, "no", "The gateway itself failed; its log says how"},
}};

// The row of a reason. A reason that is not in the table does not compile.
consteval const ReasonRow& Row(std::string_view reason) {
  for (const ReasonRow& row : kReasons) {
    if (row.reason == reason) return row;
  }
  throw "a reason that is not in kReasons";
}

// The table as Markdown, header included.
std::string ReasonTableMarkdown();

}  // namespace gateway::errors
