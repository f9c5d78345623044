// The jobs a filter matches, newest first, fetched page by page as they are read:
//
//   for (const absl::StatusOr<Job>& job : client.List(filter)) {
//     if (!job.ok()) return job.status();
//     …
//   }
//
// An error is the last element. A list is read once, from one thread.
#pragma once

#include <cstddef>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "pictory_jobs/job.h"

namespace pictory_jobs {

class JobList {
 public:
  using Fetch = std::function<absl::StatusOr<v1::ListJobsResponse>(const ListJobsRequest&)>;

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = absl::StatusOr<Job>;
    using difference_type = std::ptrdiff_t;
    using pointer = const value_type*;
    using reference = const value_type&;

    Iterator() = default;
    explicit Iterator(JobList* list) : list_(list) { ++*this; }
    reference operator*() const { return *list_->current_; }
    pointer operator->() const { return &*list_->current_; }
    Iterator& operator++() {
      if (!list_->Advance()) list_ = nullptr;
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(const Iterator& other) const = default;

   private:
    JobList* list_ = nullptr;
  };

  JobList(ListJobsRequest request, Fetch fetch);

  Iterator begin() { return Iterator(this); }
  Iterator end() { return Iterator(); }

 private:
  bool Advance();

  ListJobsRequest request_;
  Fetch fetch_;
  v1::ListJobsResponse page_;
  int next_ = 0;
  bool last_page_ = false;
  std::optional<absl::StatusOr<Job>> current_;
};

}  // namespace pictory_jobs
