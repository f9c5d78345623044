#include "describe.h"

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "estimate_words.h"
#include "pictory/jobs/v1/annotations.pb.h"
#include "submit_commands.h"
#include "words.h"

namespace pictory_jobs::cli {
namespace {

absl::Time FromProto(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

// The labels in the order of their keys.
std::map<std::string, std::string> Labels(const Job& job) {
  return {job.labels().begin(), job.labels().end()};
}

std::string StatePhrase(const Job& job, absl::Time now) {
  std::string phrase = absl::StrCat(KindWord(job.kind()), " ", StateWord(job.state()));
  if (!IsFinal(job.state()) && job.has_progress_percent()) {
    absl::StrAppend(&phrase, " ", Number(job.progress_percent()), " %");
  }
  if (job.has_create_time()) {
    absl::StrAppend(&phrase, IsFinal(job.state()) ? " after " : " since ", Elapsed(Age(job, now)));
  }
  return phrase;
}

// Adds the parts that are short: they stand in the job itself, and are parts too.
void AddShortParts(const Job& job, std::set<std::string>& parts) {
  const auto* const arm = job.GetReflection()->GetOneofFieldDescriptor(
      job, Job::descriptor()->FindOneofByName("result"));
  if (arm == nullptr) return;
  const auto& result = job.GetReflection()->GetMessage(job, arm);
  std::vector<const google::protobuf::FieldDescriptor*> set;
  result.GetReflection()->ListFields(result, &set);
  for (const auto* field : set) {
    const v1::FieldMapping& mapping = field->options().GetExtension(v1::rest);
    const bool text = field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_STRING;
    if (!text || field->is_repeated() || mapping.role() != v1::FIELD_ROLE_UNSPECIFIED) continue;
    if (mapping.part() != 0) parts.insert(PartWord(static_cast<ResultPart>(mapping.part())));
  }
}

// Tells how much of the result the gateway keeps itself, and what is wrong with the rest.
void TellArchive(std::string& out, const Job& job) {
  if (job.archive().files().empty()) return;
  int archived = 0;
  double bytes = 0;
  std::vector<std::string> others;
  for (const v1::ArchivedFile& file : job.archive().files()) {
    if (file.state() == v1::ARCHIVE_STATE_ARCHIVED) {
      ++archived;
      bytes += static_cast<double>(file.bytes());
      continue;
    }
    const bool failed = file.state() == v1::ARCHIVE_STATE_FAILED;
    others.push_back(absl::StrCat(OneLine(file.name()), failed ? ": given up" : ": to be fetched",
                                  file.problem().empty() ? "" : "; ", OneLine(file.problem())));
  }
  Row(out, "archived",
      absl::StrCat(archived, " of ", job.archive().files_size(), " files, ", Bytes(bytes)));
  for (const std::string& other : others) Row(out, "", other);
}

// Tells what else the job has, and the commands that fetch it.
void More(std::string& out, const Job& job) {
  const std::string id = OneLine(job.job_id());
  if (!FileUrl(job).empty()) {
    Row(out, "fetch", absl::StrCat("pictory result ", id, " --download"));
  }
  std::set<std::string> parts;
  for (const int part : job.omitted_parts()) parts.insert(PartWord(static_cast<ResultPart>(part)));
  AddShortParts(job, parts);
  // Every result has this part.
  if (job.state() == v1::JOB_STATE_SUCCEEDED) parts.insert(PartWord(v1::RESULT_PART_RESULT_JSON));
  for (const std::string& part : parts) {
    Row(out, &part == &*parts.begin() ? "more" : "",
        absl::StrCat("pictory result ", id, " --part ", part));
  }
}

}  // namespace

void Row(std::string& out, const char* name, const std::string& value) {
  if (!value.empty()) absl::StrAppend(&out, "  ", Pad(name, 11), " ", value, "\n");
}

void Text(std::string& out, const char* name, const std::string& text) {
  if (!text.empty())
    absl::StrAppend(&out, "\n--- ", name, " ---\n", text, text.back() == '\n' ? "" : "\n");
}

std::string Seconds(bool has, double seconds) { return has ? Number(seconds) + " s" : ""; }

std::chrono::seconds Age(const Job& job, absl::Time now) {
  if (!job.has_create_time()) return std::chrono::seconds(0);
  const absl::Time end = job.has_finish_time() ? FromProto(job.finish_time()) : now;
  return std::chrono::seconds(absl::ToInt64Seconds(end - FromProto(job.create_time())));
}

std::string Headline(const Job& job) { return "job " + OneLine(job.job_id()) + "\n"; }

std::string Describe(const Job& job, absl::Time now, bool full) {
  std::string out;
  Row(out, "name", OneLine(job.name()));
  Row(out, "state", StatePhrase(job, now));
  if (job.has_error()) {
    Row(out, "error",
        absl::StrCat(OneLine(job.error().code()), job.error().message().empty() ? "" : ": ",
                     InCommands(OneLine(job.error().message()))));
  }
  if (!IsFinal(job.state())) Row(out, "message", InCommands(OneLine(job.message())));
  Row(out, "estimate", EstimateSentence(job, now));
  Row(out, "pictory id", OneLine(job.pictory_job_id()));
  Row(out, "request id", OneLine(job.request_id()));
  for (const auto& [key, value] : Labels(job)) {
    Row(out, "label", absl::StrCat(OneLine(key), "=", OneLine(value)));
  }
  if (job.has_credits_used()) Row(out, "AI credits", Number(job.credits_used()));
  for (const SubmitCommand& submit : SubmitCommands()) submit.describe(out, job);
  TellArchive(out, job);
  More(out, job);
  if (job.sandbox()) Row(out, "note", "made by the sandbox, not by Pictory: nothing was billed");
  if (job.stale()) Row(out, "note", "not heard of for longer than it should take: needs a look");
  Row(out, "note", StallNote(job, now));
  if (job.upstream_degraded()) Row(out, "note", "Pictory cannot be asked at present; this may lag");
  if (job.upstream_missing()) Row(out, "note", "Pictory says it does not know this job");
  for (const SubmitCommand& submit : SubmitCommands()) {
    if (full && submit.tell_texts != nullptr) submit.tell_texts(out, job);
  }
  return out;
}

std::string LinkOf(const Job& job) {
  if (!job.preview().preview_url().empty()) return job.preview().preview_url();
  if (!job.transcription().edit_video_url().empty()) return job.transcription().edit_video_url();
  return FileUrl(job);
}

std::string FileUrl(const Job& job) {
  for (const SubmitCommand& submit : SubmitCommands()) {
    if (submit.file_url != nullptr && !submit.file_url(job).empty()) return submit.file_url(job);
  }
  return "";
}

std::string Advice(const Job& job, bool followed) {
  const std::string id = OneLine(job.job_id());
  switch (job.state()) {
    case v1::JOB_STATE_UNCONFIRMED:
      return absl::StrCat(
          "UNCONFIRMED: the job was sent to Pictory, but no complete answer came back. Pictory may "
          "be\n"
          "working on it, and may bill it. Do not submit it again.\n"
          "  pictory resolve ",
          id, "   shows what it could be, and resolves it\n",
          followed ? "Waiting on: it may still be confirmed.\n"
                   : absl::StrCat("  pictory watch ", id,
                                  "     follows it; it may still be confirmed\n"));
    case v1::JOB_STATE_OUTCOME_UNKNOWN:
      return "OUTCOME_UNKNOWN: nobody learnt what became of this job. Pictory may have made and "
             "billed it:\n"
             "look there before you submit it again.\n";
    case v1::JOB_STATE_EXPIRED:
      return "EXPIRED: the gateway stopped asking for this job. Pictory did not say that it "
             "failed.\n";
    case v1::JOB_STATE_CLEANED:
      return "CLEANED: Pictory removed the result of this job.\n";
    case v1::JOB_STATE_WAITING:
      return absl::StrCat(
          "WAITING: the job it is made of has not ended. Nothing was sent, nothing is billed; it "
          "is\n"
          "sent by itself.\n  pictory delete ",
          id, "    cancels it\n");
    case v1::JOB_STATE_CANCELLED:
      return "CANCELLED: the job was waiting, and was never sent. Nothing was billed.\n";
    default:
      return "";
  }
}

std::string DescribeCandidates(const ResolveJobResponse& response) {
  const std::string id = OneLine(response.job().job_id());
  if (response.candidates().empty()) {
    return absl::StrCat(
        "Pictory has no job that this could be. Either it was never taken, or Pictory does not "
        "show it\n"
        "yet: look again in a few minutes.\n  pictory resolve ",
        id, " --abandon   gives it up\n");
  }
  std::string out = "Jobs at Pictory younger than this one that belong to no job here:\n";
  for (const auto& candidate : response.candidates()) {
    absl::StrAppend(&out, "  ", OneLine(candidate.pictory_job_id()), "  ",
                    KindWord(candidate.kind()), "  ", OneLine(candidate.status()), "\n");
  }
  absl::StrAppend(
      &out, "Look at them, then say which it is, or that it is none of them:\n  pictory resolve ",
      id, " --adopt ID\n  pictory resolve ", id, " --abandon\n");
  return out;
}

}  // namespace pictory_jobs::cli
