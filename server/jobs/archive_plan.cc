#include "jobs/archive_plan.h"

#include <algorithm>
#include <string_view>

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

// Whether a file of this name was planned under that one: of a picture, which is planned as a .jpg,
// the bytes may have changed the ending.
bool IsPlannedAs(std::string_view name, std::string_view planned) {
  if (name == planned) return true;
  const std::string_view stem = planned.substr(0, planned.rfind('.'));
  return planned.ends_with(".jpg") && name.substr(0, name.rfind('.')) == stem;
}

// The file of a plan that is this one of an earlier plan; null if there is none.
v1::ArchivedFile* FindPlanned(v1::Archive& planned, const v1::ArchivedFile& file) {
  for (v1::ArchivedFile& each : *planned.mutable_files()) {
    if (IsPlannedAs(file.name(), each.name())) return &each;
  }
  return nullptr;
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

void TakeOverArchive(const Job& adopted, Job& job) {
  job.archive_wire.clear();
  if (adopted.archive_wire.empty()) return;
  PlanArchive(job);
  v1::Archive archive = ArchiveOf(job);
  const v1::Archive other = ArchiveOf(adopted);
  for (const v1::ArchivedFile& file : other.files()) {
    v1::ArchivedFile* const planned = FindPlanned(archive, file);
    if (planned != nullptr) {
      const std::string field = planned->field();
      *planned = file;
      planned->set_field(field);
    } else if (file.state() == v1::ARCHIVE_STATE_ARCHIVED) {
      *archive.add_files() = file;
    }
  }
  *archive.mutable_taken_over() = other.taken_over();
  archive.add_taken_over(adopted.job_id);
  SetArchive(archive, job);
}

std::vector<JobKey> PlacesOf(const std::string& tenant, const std::string& job_id,
                             const v1::Archive& archive) {
  std::vector<JobKey> places{{tenant, job_id}};
  for (const std::string& other : archive.taken_over()) places.push_back({tenant, other});
  return places;
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
  if (record.job.archive_wire.empty()) return false;
  if (record.submission == SubmissionState::kDeleted) return true;
  if (!IsVisible(record)) return false;
  const v1::Archive archive = ArchiveOf(record.job);
  if (archive.taken_over_size() > 0) return true;
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
