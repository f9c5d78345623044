#include "watch/reader_index.h"

#include <utility>

namespace gateway::watch {

template <class With>
void ReaderIndex::ForPlaces(Tenant& tenant, const JobFilter& filter, const With& with) {
  if (filter.by_id) {
    for (const std::string& id : filter.job_ids) {
      auto at = tenant.by_job.try_emplace(id).first;
      with(at->second);
      if (at->second.empty()) tenant.by_job.erase(at);
    }
  } else if (!filter.labels.empty()) {
    auto at = tenant.by_label.try_emplace(*filter.labels.begin()).first;
    with(at->second);
    if (at->second.empty()) tenant.by_label.erase(at);
  } else {
    with(tenant.others);
  }
}

void ReaderIndex::Add(Reader reader) {
  Tenant& tenant = tenants_[reader.filter->tenant];
  ForPlaces(tenant, *reader.filter, [&reader](Ids& ids) { ids.insert(reader.id); });
  const std::uint64_t id = reader.id;
  tenant_of_.emplace(id, reader.filter->tenant);
  tenant.readers.emplace(id, std::move(reader));
}

void ReaderIndex::Remove(std::uint64_t id) {
  const auto of = tenant_of_.find(id);
  if (of == tenant_of_.end()) return;
  const auto tenant = tenants_.find(of->second);
  const auto found = tenant->second.readers.find(id);
  ForPlaces(tenant->second, *found->second.filter, [id](Ids& ids) { ids.erase(id); });
  tenant->second.readers.erase(found);
  if (tenant->second.readers.empty()) tenants_.erase(tenant);
  tenant_of_.erase(of);
}

std::vector<std::string> ReaderIndex::Tenants() const {
  std::vector<std::string> names;
  names.reserve(tenants_.size());
  for (const auto& [name, tenant] : tenants_) names.push_back(name);
  return names;
}

ReaderIndex::Readers ReaderIndex::Find(const Job& job) {
  Readers found;
  const auto at = tenants_.find(job.tenant);
  if (at == tenants_.end()) return found;
  Tenant& tenant = at->second;
  const auto take = [&](const Ids& ids) {
    for (const std::uint64_t id : ids) {
      Reader& reader = tenant.readers.at(id);
      if (job.labels != nullptr &&
          (!reader.filter->IsAbout(job.job_id, *job.labels) ||
           reader.filter->FitOf(job.kind, job.state) == JobFilter::Fit::kNever)) {
        continue;
      }
      reader.told = job.reading + 1;
      found.push_back(reader.reader);
    }
  };
  if (const auto named = tenant.by_job.find(job.job_id); named != tenant.by_job.end()) {
    take(named->second);
  }
  if (job.labels == nullptr) {
    for (const auto& [label, ids] : tenant.by_label) take(ids);
  } else if (!tenant.by_label.empty()) {
    for (const auto& label : *job.labels) {
      const auto labelled = tenant.by_label.find(label);
      if (labelled != tenant.by_label.end()) take(labelled->second);
    }
  }
  take(tenant.others);
  return found;
}

ReaderIndex::Readers ReaderIndex::Since(const std::string& tenant, std::uint64_t reading,
                                        bool all) {
  Readers found;
  const auto at = tenants_.find(tenant);
  if (at == tenants_.end()) return found;
  for (auto& [id, reader] : at->second.readers) {
    if (reader.since > reading || (!all && reader.told == 0)) continue;
    // What has changed since that reading began is behind another position.
    if (reader.told <= reading) reader.told = 0;
    found.push_back(reader.reader);
  }
  return found;
}

ReaderIndex::Readers ReaderIndex::Clear(const std::string& tenant) {
  Readers all;
  const auto at = tenants_.find(tenant);
  if (at == tenants_.end()) return all;
  for (auto& [id, reader] : at->second.readers) {
    all.push_back(std::move(reader.reader));
    tenant_of_.erase(id);
  }
  tenants_.erase(at);
  return all;
}

}  // namespace gateway::watch
