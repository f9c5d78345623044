#include "base/errors.h"

#include <map>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "base/clean_text.h"
#include "base/error_detail.h"
#include "base/limits.h"
#include "base/reasons.h"
#include "base/stable_bytes.h"
#include "pictory/jobs/internal/v1/error_details.pb.h"

namespace gateway::errors {
namespace {

namespace details = ::pictory::jobs::internal::v1;
using Metadata = std::map<std::string, std::string>;

constexpr char kErrorInfo[] = "type.googleapis.com/google.rpc.ErrorInfo";
constexpr char kRetryInfo[] = "type.googleapis.com/google.rpc.RetryInfo";
constexpr char kBadRequest[] = "type.googleapis.com/google.rpc.BadRequest";
constexpr char kQuotaFailure[] = "type.googleapis.com/google.rpc.QuotaFailure";
constexpr char kResourceInfo[] = "type.googleapis.com/google.rpc.ResourceInfo";

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

template <class Message>
void Attach(absl::Status& status, const char* type_url, const Message& message) {
  status.SetPayload(type_url, absl::Cord(StableBytes(message)));
}

absl::Status Make(absl::StatusCode code, std::string_view reason, const std::string& message,
                  const Metadata& metadata) {
  absl::Status status(code, message);
  details::ErrorInfo info;
  info.set_reason(std::string(reason));
  info.set_domain(kDomain);
  for (const auto& [key, value] : metadata) (*info.mutable_metadata())[key] = value;
  Attach(status, kErrorInfo, info);
  return status;
}

absl::Status Make(const ReasonRow& row, const std::string& message, const Metadata& metadata = {}) {
  return Make(row.code, row.reason, message, metadata);
}

void AttachRetry(absl::Status& status, Duration delay) {
  details::RetryInfo retry;
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(delay);
  retry.mutable_retry_delay()->set_seconds(whole.count());
  retry.mutable_retry_delay()->set_nanos(static_cast<std::int32_t>((delay - whole).count()));
  Attach(status, kRetryInfo, retry);
}

void AttachViolations(absl::Status& status, const std::vector<Violation>& violations) {
  if (violations.empty()) return;
  details::BadRequest bad;
  for (const Violation& violation : violations) {
    auto* added = bad.add_field_violations();
    added->set_field(violation.field);
    added->set_description(violation.description);
  }
  Attach(status, kBadRequest, bad);
}

void AttachJob(absl::Status& status, std::string_view name) {
  details::ResourceInfo resource;
  resource.set_resource_type("pictory.jobs.v1.Job");
  resource.set_resource_name(std::string(name));
  Attach(status, kResourceInfo, resource);
}

void AttachQuota(absl::Status& status, std::string subject, std::string description) {
  details::QuotaFailure quota;
  auto* violation = quota.add_violations();
  violation->set_subject(std::move(subject));
  violation->set_description(std::move(description));
  Attach(status, kQuotaFailure, quota);
}

// The first few violations, for the message; the details have all of them.
std::string Summary(const std::vector<Violation>& violations) {
  constexpr std::size_t kShown = 5;
  std::string text;
  for (std::size_t i = 0; i < violations.size() && i < kShown; ++i) {
    absl::StrAppend(&text, i == 0 ? "" : "; ", violations[i].field,
                    violations[i].field.empty() ? "" : ": ", violations[i].description);
  }
  if (violations.size() > kShown)
    absl::StrAppend(&text, "; and ", violations.size() - kShown, " more");
  return text;
}

std::string InSeconds(Duration duration) {
  return absl::StrCat(std::chrono::duration<double>(duration).count(), " s");
}

const char* NothingDone(Call call) {
  return call == Call::kSubmit ? "nothing was submitted" : "nothing was done";
}

}  // namespace

std::string ReasonTableMarkdown() {
  std::string text =
      "| Reason | gRPC code | Try again? | Meaning |\n"
      "|--|--|--|--|\n";
  for (const ReasonRow& row : kReasons) {
    absl::StrAppend(&text, "| `", View(row.reason), "` | ", absl::StatusCodeToString(row.code),
                    " | ", View(row.again), " | ", View(row.meaning), " |\n");
  }
  return text;
}

absl::Status Invalid(std::vector<Violation> violations) {
  absl::Status status = Make(Row("INVALID_REQUEST"), Summary(violations));
  AttachViolations(status, violations);
  return status;
}

absl::Status Invalid(std::string field, std::string description) {
  return Invalid({Violation{std::move(field), std::move(description)}});
}

absl::Status Unparsable(std::string_view message_type) {
  return Make(Row("UNPARSABLE_REQUEST"),
              absl::StrCat("The bytes received are not a ", View(message_type),
                           ": check that client and server use the same .proto, and that every "
                           "string is valid UTF-8"));
}

absl::Status RequestCompressed() {
  return Make(Row("REQUEST_COMPRESSED"),
              "This server takes no compressed requests; send them with grpc-encoding identity. "
              "Nothing was submitted");
}

absl::Status RequestTooLarge(std::size_t bytes, std::size_t max_bytes) {
  return Make(Row("REQUEST_TOO_LARGE"),
              absl::StrCat("The request has ", bytes, " bytes; this method takes at most ",
                           max_bytes, ". Nothing was submitted"));
}

absl::Status MetadataTooLarge(std::size_t bytes, std::size_t max_bytes) {
  return Make(
      Row("METADATA_TOO_LARGE"),
      absl::StrCat("The call's metadata have ", bytes, " bytes; at most ", max_bytes,
                   " are taken (names, values, and 32 for each entry). Nothing was submitted"));
}

absl::Status RequestIdReused(std::string_view request_id, std::string_view job_id) {
  absl::Status status = Make(
      Row("REQUEST_ID_REUSED"),
      absl::StrCat("request_id ", View(request_id), " already belongs to a different request (job ",
                   View(job_id), "); use a new request_id for a new job"),
      {{"request_id", std::string(request_id)}, {"job_id", std::string(job_id)}});
  AttachViolations(status, {{"request_id", "already used by a different request"}});
  return status;
}

absl::Status NoSuchPath(std::string_view path) {
  return Make(Row("NO_SUCH_PATH"),
              absl::StrCat("There is nothing at ", Clean(path),
                           "; /openapi.json says what there is, and within an id a colon is "
                           "written %3A and a slash %2F"));
}

absl::Status MethodNotAllowed(std::string_view method, std::string_view allowed) {
  return Make(
      Row("METHOD_NOT_ALLOWED"),
      absl::StrCat(Clean(method), " is not how this path is asked for; use ", View(allowed)));
}

absl::Status HeadTooLarge(std::size_t max_bytes) {
  return Make(Row("METADATA_TOO_LARGE"), absl::StrCat("The head of the request has more than ",
                                                      max_bytes, " bytes. Nothing was submitted"));
}

absl::Status NotImplemented(std::string_view why) {
  return Make(Row("NOT_IMPLEMENTED"), Clean(why));
}

absl::Status NotJson(std::string_view content_type) {
  return Make(Row("NOT_JSON"),
              absl::StrCat("The body comes as ",
                           content_type.empty() ? "no type at all" : Clean(content_type),
                           "; send JSON in UTF-8 with the header Content-Type: application/json"));
}

absl::Status NotAcceptable(std::string_view accept, std::string_view forms) {
  return Make(Row("NOT_ACCEPTABLE"), absl::StrCat("The answer comes as ", View(forms),
                                                  ", and Accept takes only ", Clean(accept)));
}

absl::Status RangeNotThere(std::int64_t bytes) {
  return Make(Row("RANGE_NOT_THERE"),
              absl::StrCat("The Range begins behind the end: there are ", bytes, " bytes"));
}

absl::Status HostUnknown(std::string_view host) {
  return Make(Row("HOST_UNKNOWN"),
              absl::StrCat("The request is for the host ", Clean(host),
                           ", and this listener answers to its address and to localhost; if the "
                           "name is yours, the operator adds it with --allowed-host"));
}

absl::Status PageNotAllowed(std::string_view origin) {
  return Make(Row("PAGE_NOT_ALLOWED"),
              absl::StrCat("The request comes from a page of ",
                           origin.empty() ? "another site" : Clean(origin),
                           "; if the page is yours, the operator allows it with "
                           "--http-allow-origin"));
}

absl::Status CallerUnknown(std::string_view why) {
  return Make(Row("CALLER_UNKNOWN"), std::string(why));
}

absl::Status RoleRequired(std::string_view role, std::string_view method, std::string_view tenant,
                          std::string_view caller) {
  return Make(Row("ROLE_REQUIRED"),
              absl::StrCat(View(method), " needs the role ", View(role), ", which ", View(caller),
                           " of tenant ", View(tenant),
                           " does not have; the operator of this gateway can give it"),
              {{"role", std::string(role)},
               {"tenant", std::string(tenant)},
               {"caller", std::string(caller)}});
}

absl::Status TenantLimit(std::string_view tenant, std::string_view limit, std::int64_t max,
                         std::string_view what, Duration retry_after) {
  absl::Status status = Make(Row("TENANT_LIMIT"),
                             absl::StrCat("Tenant ", View(tenant), " has too many ", View(what),
                                          "; its limit ", View(limit), " is ", max),
                             {{"tenant", std::string(tenant)}, {"limit", std::string(limit)}});
  AttachQuota(status, absl::StrCat("tenant ", View(tenant)),
              absl::StrCat(View(limit), ": at most ", max));
  AttachRetry(status, retry_after);
  return status;
}

absl::Status JobNotFound(std::string_view name) {
  absl::Status status = Make(
      Row("JOB_NOT_FOUND"),
      absl::StrCat("No job ", View(Clean(name)), "; ListJobs shows the jobs this gateway knows"));
  AttachJob(status, name);
  return status;
}

absl::Status JobNotFinished(std::string_view job_id, std::string_view state,
                            std::string_view waits) {
  std::string message = absl::StrCat("Job ", View(job_id), " is ", View(state),
                                     "; wait until it has SUCCEEDED (WatchJob tells when)");
  if (!waits.empty()) {
    absl::StrAppend(&message, ", or have this gateway wait for it (", View(waits), ")");
  }
  absl::Status status = Make(Row(kJobNotFinished), message, {{"state", std::string(state)}});
  AttachJob(status, job_id);
  return status;
}

absl::Status JobNotUsable(std::string_view job_id, std::string_view why) {
  absl::Status status =
      Make(Row("JOB_NOT_USABLE"), absl::StrCat("Job ", View(job_id), " ", View(why)));
  AttachJob(status, job_id);
  return status;
}

absl::Status JobNotDeletable(std::string_view job_id, std::string_view why) {
  absl::Status status = Make(Row("JOB_NOT_DELETABLE"),
                             absl::StrCat("Job ", View(job_id), " cannot be deleted: ", View(why)));
  AttachJob(status, job_id);
  return status;
}

absl::Status JobNotWaiting(std::string_view job_id, std::string_view why) {
  absl::Status status =
      Make(Row("JOB_NOT_WAITING"),
           absl::StrCat("Job ", View(job_id), " cannot be cancelled: ", View(why)));
  AttachJob(status, job_id);
  return status;
}

absl::Status JobNotUnconfirmed(std::string_view job_id, std::string_view state) {
  absl::Status status = Make(Row("JOB_NOT_UNCONFIRMED"),
                             absl::StrCat("Job ", View(job_id), " is ", View(state),
                                          "; only an UNCONFIRMED job can be resolved"),
                             {{"state", std::string(state)}});
  AttachJob(status, job_id);
  return status;
}

absl::Status JobBeingResolved(std::string_view job_id, Duration retry_after) {
  absl::Status status = Make(
      Row("JOB_BEING_SETTLED"),
      absl::StrCat("Job ", View(job_id), " is being resolved at this moment; look at it again"));
  AttachJob(status, job_id);
  AttachRetry(status, retry_after);
  return status;
}

absl::Status PictoryJobTaken(std::string_view pictory_job_id) {
  return Make(Row("PICTORY_JOB_TAKEN"), absl::StrCat("Pictory's job ", View(Clean(pictory_job_id)),
                                                     " belongs to another job of this gateway"));
}

absl::Status PictoryJobNotFound(std::string_view pictory_job_id) {
  return Make(Row("PICTORY_JOB_NOT_FOUND"),
              absl::StrCat("Pictory does not know a job ", View(Clean(pictory_job_id)),
                           "; ResolveJob without a decision lists candidates"));
}

absl::Status PartNotFound(std::string_view job_id, std::string_view part) {
  absl::Status status = Make(Row("PART_NOT_FOUND"), absl::StrCat("Job ", View(job_id), " has no ",
                                                                 View(part), " in its result"));
  AttachJob(status, job_id);
  return status;
}

absl::Status NoNotification(std::string_view job_id) {
  absl::Status status =
      Make(Row("NO_NOTIFICATION"),
           absl::StrCat("Nobody is told of job ", View(job_id),
                        " in its present state; a job that has ended is told to the notify_url of "
                        "its submit, or to the tenant's own URL, which the operator sets"));
  AttachJob(status, job_id);
  return status;
}

absl::Status FileNotFound(std::string_view job_id, std::string_view file) {
  absl::Status status =
      Make(Row("FILE_NOT_FOUND"),
           absl::StrCat("The archive has no ", file.empty() ? "file" : Clean(file), " of job ",
                        View(job_id), "; `archive` of the job names what there is"));
  AttachJob(status, job_id);
  return status;
}

absl::Status FileNotArchived(std::string_view job_id, std::string_view file, bool given_up,
                             std::string_view problem) {
  absl::Status status =
      Make(Row("FILE_NOT_ARCHIVED"),
           absl::StrCat("The file ", View(file), " of job ", View(job_id),
                        given_up ? " could not be archived" : " is not archived yet",
                        problem.empty() ? "" : ": ", View(problem)));
  AttachJob(status, job_id);
  return status;
}

absl::Status UpstreamRefused(absl::StatusCode code, std::string_view reason,
                             std::string_view message, std::string_view pictory_code,
                             int http_status, std::vector<Violation> violations) {
  Metadata metadata = {{"http_status", std::to_string(http_status)}};
  if (!pictory_code.empty()) metadata["pictory_error_code"] = Clean(pictory_code);
  absl::Status status = Make(code, reason, Clean(message), metadata);
  AttachViolations(status, violations);
  return status;
}

absl::Status UpstreamCredentials(std::string_view detail) {
  return Make(Row(kUpstreamCredentials),
              absl::StrCat("Pictory refuses the gateway's credentials; its operator, or the caller "
                           "whose key it is, must give valid ones (",
                           View(Clean(detail)), ")"));
}

absl::Status AccountNotConfigured(std::string_view account) {
  return Make(Row(kUpstreamCredentials),
              absl::StrCat("The Pictory account ", View(Clean(account)),
                           " is not configured here, so nothing is sent for it; its operator must "
                           "put it back into the settings"));
}

absl::Status PictoryKeyNeeded() {
  return Make(
      Row(kPictoryKeyNeeded),
      "Callers pay with Pictory keys of their own here, and the call shows none; send yours "
      "in the metadata pictory-api-key. Nothing was submitted");
}

absl::Status PictoryKeyNotShown(std::string_view account) {
  return Make(Row(kPictoryKeyNeeded),
              absl::StrCat("This gateway keeps no caller's Pictory key on disk, and that of the "
                           "account ",
                           View(Clean(account)),
                           " has not been shown for long, or since it began to run, so nothing is "
                           "sent for its jobs; show the key with any call (metadata "
                           "pictory-api-key), and they go on"));
}

absl::Status PictoryKeyOfAnother(std::string_view job_id) {
  absl::Status status =
      Make(Row(kPictoryKeyNeeded),
           absl::StrCat("Job ", View(job_id),
                        " was paid for with another Pictory key than this call shows, and Pictory "
                        "is asked with that one; show it (metadata pictory-api-key)"));
  AttachJob(status, job_id);
  return status;
}

absl::Status PictoryKeyNotTaken(std::string_view why) {
  return Make(Row("PICTORY_KEY_NOT_TAKEN"),
              absl::StrCat("The Pictory key that the call shows is not taken: ", View(why)));
}

absl::Status UpstreamRateLimited(Duration retry_after, Call call) {
  absl::Status status =
      Make(Row(kUpstreamRateLimited),
           absl::StrCat("Pictory is rate limiting this account; ", NothingDone(call),
                        ", try again in ", InSeconds(retry_after)));
  AttachQuota(status, "pictory_account", "request rate at Pictory");
  AttachRetry(status, retry_after);
  return status;
}

absl::Status UpstreamUnreachable(std::string_view detail, Duration retry_after, Call call) {
  // A free call may have taken effect at Pictory, and does no harm if it is repeated.
  absl::Status status = Make(Row("UPSTREAM_UNREACHABLE"),
                             absl::StrCat("Pictory cannot be reached (", View(Clean(detail)), "); ",
                                          call == Call::kSubmit ? "nothing was submitted, " : "",
                                          "it is safe to try again"));
  AttachRetry(status, retry_after);
  return status;
}

absl::Status UpstreamUnknown(std::string_view detail, std::string_view shown_by) {
  return Make(
      Row(kUpstreamUnknown),
      absl::StrCat("Pictory did not say whether it was done (", View(Clean(detail)),
                   "), and it may have been; look with ", View(shown_by), " before you ask again"));
}

absl::Status BudgetExhausted(Duration retry_after, Call call) {
  absl::Status status =
      Make(Row("UPSTREAM_BUDGET"),
           absl::StrCat("The request budget of this Pictory account is used up; ",
                        NothingDone(call), ", try again in ", InSeconds(retry_after)));
  AttachQuota(status, "upstream_budget", "requests per second to Pictory");
  AttachRetry(status, retry_after);
  return status;
}

absl::Status SpendingLimit(std::string_view who, std::int64_t limit, std::string_view window,
                           Duration retry_after) {
  absl::Status status = Make(
      Row("SPENDING_LIMIT"),
      absl::StrCat("The spending guard of ", View(who), " allows ", limit, " submits a ",
                   View(window), "; nothing was submitted, try again in ", InSeconds(retry_after)));
  AttachQuota(status, std::string(who),
              absl::StrCat("at most ", limit, " submits a ", View(window)));
  AttachRetry(status, retry_after);
  return status;
}

absl::Status CreditsLimit(std::string_view who, std::int64_t limit, double used, double credits,
                          Duration retry_after) {
  absl::Status status =
      Make(Row("SPENDING_LIMIT"),
           absl::StrCat("The spending guard of ", View(who), " allows ", limit,
                        " AI credits in 24 hours; ", used,
                        " are used or reserved, and this job may use ", credits,
                        "; nothing was submitted, try again in ", InSeconds(retry_after)));
  AttachQuota(status, std::string(who), absl::StrCat("at most ", limit, " AI credits a day"));
  AttachRetry(status, retry_after);
  return status;
}

absl::Status TooManyActive(std::string_view who, std::int64_t limit, Duration retry_after) {
  absl::Status status =
      Make(Row("SPENDING_LIMIT"),
           absl::StrCat(
               "The spending guard of ", View(who), " allows ", limit,
               " jobs that have not ended; nothing was submitted, try again when one has ended"));
  AttachQuota(status, std::string(who), absl::StrCat("at most ", limit, " active jobs"));
  AttachRetry(status, retry_after);
  return status;
}

absl::Status SubmitsStopped(Duration retry_after) {
  absl::Status status =
      Make(Row("SUBMITS_STOPPED"),
           "The operator of this gateway has stopped new submits; nothing was submitted, and jobs "
           "already submitted go on");
  AttachQuota(status, "this gateway", "no submits at present");
  AttachRetry(status, retry_after);
  return status;
}

absl::Status TooMany(std::string_view what, std::int64_t limit, Duration retry_after) {
  absl::Status status = Make(
      Row("TOO_MANY"), absl::StrCat("Too many ", View(what), " at once; the limit is ", limit));
  AttachQuota(status, std::string(what), absl::StrCat("at most ", limit, " at once"));
  AttachRetry(status, retry_after);
  return status;
}

absl::Status TooManyOfPeer(std::string_view what, std::int64_t limit, Duration retry_after) {
  absl::Status status = Make(
      Row("TOO_MANY"),
      absl::StrCat("Too many ", View(what), " from your address at once; the limit is ", limit));
  AttachQuota(status, std::string(what),
              absl::StrCat("at most ", limit, " at once from one address"));
  AttachRetry(status, retry_after);
  return status;
}

absl::Status TooManyOfTenant(std::string_view what, std::int64_t max, Duration retry_after) {
  absl::Status status =
      Make(Row("TOO_MANY"),
           absl::StrCat("Too many ", View(what), " of your tenant at once; of the ", max,
                        " that there may be, one tenant has at most as many as are left free"));
  AttachQuota(status, std::string(what), "at most as many of one tenant as are left free");
  AttachRetry(status, retry_after);
  return status;
}

absl::Status TooManyUnderWay(Call call) {
  absl::Status status = Make(
      Row("TOO_MANY"),
      absl::StrCat("Too many requests to Pictory have no answer yet for one more to "
                   "be sent; ",
                   NothingDone(call), ", try again in ", InSeconds(limits::kUpstreamRetryLater)));
  AttachQuota(status, "requests under way to Pictory",
              "at most as many of one tenant and account as are left free for others");
  AttachRetry(status, limits::kUpstreamRetryLater);
  return status;
}

absl::Status RequestLate(Duration limit) {
  return Make(Row("REQUEST_LATE"), absl::StrCat("The request did not arrive as a whole within ",
                                                InSeconds(limit), "; nothing was submitted"));
}

absl::Status StreamIdle(Duration limit) {
  return Make(Row("STREAM_IDLE"),
              absl::StrCat("Nothing was asked for ", InSeconds(limit),
                           "; open the stream again when there is something to ask"));
}

absl::Status MemoryShort(Duration retry_after) {
  absl::Status status = Make(Row("MEMORY_SHORT"),
                             absl::StrCat("This server has no memory for the rest of the request; "
                                          "nothing was submitted, try again in ",
                                          InSeconds(retry_after)));
  AttachRetry(status, retry_after);
  return status;
}

absl::Status Overloaded(std::string_view what, Duration retry_after) {
  absl::Status status =
      Make(Row("OVERLOADED"),
           absl::StrCat("This server is under pressure and takes no ", View(what),
                        " for the moment. This call has done nothing; the same call, with the same "
                        "request_id if it is a submit, may succeed later"));
  AttachRetry(status, retry_after);
  return status;
}

absl::Status Draining(Duration retry_after) {
  absl::Status status =
      Make(Row("DRAINING"), "This server is shutting down; connect again and go on there");
  AttachRetry(status, retry_after);
  return status;
}

absl::Status StoreFailed(std::string_view detail) {
  return Make(Row(kStoreFailed), absl::StrCat("The gateway's job store failed (",
                                              View(Clean(detail)), "); nothing was submitted"));
}

absl::Status StoreAway(Duration retry_after) {
  absl::Status status =
      Make(Row("STORE_AWAY"), "The gateway's job store cannot be reached at present; try again");
  AttachRetry(status, retry_after);
  return status;
}

absl::Status DeadlineTooShort(Duration left, Duration needed) {
  return Make(Row("DEADLINE_TOO_SHORT"),
              absl::StrCat("Only ", InSeconds(left),
                           " left of the call's deadline, too little to submit "
                           "a paid job (",
                           InSeconds(needed), " needed); nothing was submitted"));
}

absl::Status DeadlineExceeded(std::string_view what) {
  return Make(Row("DEADLINE_EXCEEDED"), std::string(what));
}

absl::Status Cancelled() { return Make(Row("CANCELLED"), "The caller cancelled the call"); }

absl::Status Internal(std::string_view what) { return Make(Row("INTERNAL"), std::string(what)); }

std::string Reason(const absl::Status& status) {
  details::ErrorInfo info;
  return ReadDetail(status, kErrorInfo, info) ? info.reason() : std::string();
}

Duration RetryDelay(const absl::Status& status) {
  details::RetryInfo retry;
  if (!ReadDetail(status, kRetryInfo, retry)) return Duration::zero();
  return std::chrono::seconds(retry.retry_delay().seconds()) +
         std::chrono::nanoseconds(retry.retry_delay().nanos());
}

std::vector<Violation> Violations(const absl::Status& status) {
  std::vector<Violation> violations;
  details::BadRequest bad;
  if (!ReadDetail(status, kBadRequest, bad)) return violations;
  for (const auto& violation : bad.field_violations()) {
    violations.push_back({violation.field(), violation.description()});
  }
  return violations;
}

std::string Clean(std::string_view text) { return CleanText(text, limits::kUpstreamTextMaxBytes); }

}  // namespace gateway::errors
