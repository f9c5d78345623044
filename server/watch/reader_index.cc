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
  Tenant& tenant = tenants_[reader.filter.tenant];
  ++tenant.readers;
  ForPlaces(tenant, reader.filter, [&reader](Ids& ids) { ids.insert(reader.id); });
  const std::uint64_t id = reader.id;
  readers_.emplace(id, std::move(reader));
}

void ReaderIndex::Remove(std::uint64_t id) {
  const auto found = readers_.find(id);
  if (found == readers_.end()) return;
  const JobFilter& filter = found->second.filter;
  const auto tenant = tenants_.find(filter.tenant);
  ForPlaces(tenant->second, filter, [id](Ids& ids) { ids.erase(id); });
  if (--tenant->second.readers == 0) tenants_.erase(tenant);
  readers_.erase(found);
}

std::vector<std::weak_ptr<FeedReader>> ReaderIndex::Find(const Job& job) const {
  std::vector<std::weak_ptr<FeedReader>> found;
  const auto at = tenants_.find(job.tenant);
  if (at == tenants_.end()) return found;
  const Tenant& tenant = at->second;
  const auto take = [&](const Ids& ids) {
    for (const std::uint64_t id : ids) {
      const Reader& reader = readers_.at(id);
      if (job.labels != nullptr &&
          (!reader.filter.IsAbout(job.job_id, *job.labels) ||
           reader.filter.FitOf(job.kind, job.state) == JobFilter::Fit::kNever)) {
        continue;
      }
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

std::vector<std::weak_ptr<FeedReader>> ReaderIndex::Since(std::uint64_t reading) const {
  std::vector<std::weak_ptr<FeedReader>> found;
  for (const auto& [id, reader] : readers_) {
    if (reader.since <= reading) found.push_back(reader.reader);
  }
  return found;
}

std::vector<std::weak_ptr<FeedReader>> ReaderIndex::Clear() {
  std::vector<std::weak_ptr<FeedReader>> all;
  for (auto& [id, reader] : readers_) all.push_back(std::move(reader.reader));
  readers_.clear();
  tenants_.clear();
  return all;
}

}  // namespace gateway::watch
