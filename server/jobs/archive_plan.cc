#include "jobs/archive_plan.h"

#include <algorithm>

#include "base/stable_bytes.h"
#include "google/protobuf/message.h"
#include "pictory/bindings.h"

namespace gateway::jobs {
namespace {

// The message in the job's oneof `result`; null if it has none.
const google::protobuf::Message* ResultOf(const v1::Job& job) {
  const auto* const field = job.GetReflection()->GetOneofFieldDescriptor(
      job, v1::Job::descriptor()->FindOneofByName("result"));
  return field == nullptr ? nullptr : &job.GetReflection()->GetMessage(job, field);
}

}  // namespace

v1::Archive ArchiveOf(const Job& job) {
  v1::Archive archive;
  // This program made the bytes. If the store gave back something else, nothing is archived.
  if (!archive.ParseFromString(job.archive_wire)) archive.Clear();
  return archive;
}

void SetArchive(const v1::Archive& archive, Job& job) { job.archive_wire = StableBytes(archive); }

void PlanArchive(Job& job) {
  if (job.state != v1::JOB_STATE_SUCCEEDED || !job.archive_wire.empty()) return;
  v1::Job shown;
  if (job.result_wire.empty() || !shown.ParseFromString(job.result_wire)) return;
  const google::protobuf::Message* const result = ResultOf(shown);
  if (result == nullptr) return;
  v1::Archive archive;
  const auto* const descriptor = result->GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const auto* const field = descriptor->field(i);
    const std::string& name = pictory::MappingOf(field).archived_as();
    if (name.empty() || result->GetReflection()->GetString(*result, field).empty()) continue;
    v1::ArchivedFile& file = *archive.add_files();
    file.set_name(name);
    file.set_field(std::string(field->name()));
    file.set_state(v1::ARCHIVE_STATE_PENDING);
  }
  if (archive.files_size() > 0) SetArchive(archive, job);
}

std::string UrlOf(const Job& job, const v1::ArchivedFile& file) {
  v1::Job shown;
  if (!shown.ParseFromString(job.result_wire)) return "";
  const google::protobuf::Message* const result = ResultOf(shown);
  if (result == nullptr) return "";
  const auto* const field = result->GetDescriptor()->FindFieldByName(file.field());
  if (field == nullptr || pictory::MappingOf(field).archived_as().empty()) return "";
  return result->GetReflection()->GetString(*result, field);
}

bool IsArchiving(const JobRecord& record) {
  if (record.job.archive_wire.empty() || !IsVisible(record)) return false;
  const v1::Archive archive = ArchiveOf(record.job);
  return std::any_of(archive.files().begin(), archive.files().end(),
                     [](const auto& file) { return file.state() == v1::ARCHIVE_STATE_PENDING; });
}

const v1::ArchivedFile* FindFile(const v1::Archive& archive, const std::string& name) {
  for (const v1::ArchivedFile& file : archive.files()) {
    const bool main = file.field() == "video_url" || file.field() == "url";
    if (name.empty() ? main : file.name() == name) return &file;
  }
  return nullptr;
}

}  // namespace gateway::jobs
