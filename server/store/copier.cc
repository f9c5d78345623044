#include "store/copier.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "base/sha256.h"
#include "jobs/restart.h"
#include "store/record_fields.h"

namespace gateway::store {
namespace {

using jobs::JobKey;

constexpr std::size_t kCopyNameBytes = 8;

absl::Status Refuse(const std::string& why) { return absl::FailedPreconditionError(why); }

// Takes in the fields of a record, each with its length or a word of fixed length.
class Digest {
 public:
  void Text(std::string_view value) {
    Int(static_cast<std::int64_t>(value.size()));
    hash_.Append(value);
  }
  void Blob(std::string_view value) { Text(value); }
  void Int(std::int64_t value) { Raw(&value, sizeof(value)); }
  void Bool(bool value) { Int(value ? 1 : 0); }
  void Real(const std::optional<double>& value) {
    Bool(value.has_value());
    if (value.has_value()) Raw(&*value, sizeof(*value));
  }
  void Time(WallTime value) { Int(value.time_since_epoch().count()); }
  void Time(const std::optional<WallTime>& value) {
    Bool(value.has_value());
    if (value.has_value()) Time(*value);
  }
  std::string Finish() { return hash_.Finish(); }

 private:
  void Raw(const void* bytes, std::size_t size) {
    hash_.Append({static_cast<const char*>(bytes), size});
  }

  Sha256Stream hash_;
};

// A job as it is in the target.
CopiedJob AsCopied(CopiedJob job, WallTime begun) {
  std::optional<jobs::JobRecord> ended = jobs::Interrupted(job.record, begun);
  if (ended.has_value()) {
    job.record = *std::move(ended);
    ++job.record.version;
  }
  return job;
}

// Calls `take` with the slices of a job, page by page.
absl::Status ForSlices(Copyable& store, const JobKey& job,
                       const std::function<absl::Status(std::vector<CopiedSlice>)>& take) {
  int part = 0;
  std::int64_t after = -1;
  for (;;) {
    absl::StatusOr<std::vector<CopiedSlice>> page = store.ReadSlices(job, part, after);
    if (!page.ok()) return page.status();
    if (page->empty()) return absl::OkStatus();
    part = page->back().part;
    after = page->back().slice;
    if (absl::Status taken = take(*std::move(page)); !taken.ok()) return taken;
  }
}

// Reads a store job by job, in the order of their keys, and makes a digest of each.
class StoreReader {
 public:
  // Gives records as they are in a copy that was begun then.
  StoreReader(Copyable& store, WallTime begun) : store_(store), begun_(begun) {}

  // Goes to the next job; false if there is none.
  absl::StatusOr<bool> Next();
  const JobKey& key() const { return key_; }
  const std::string& digest() const { return digest_; }
  const CopyCounts& counts() const { return counts_; }

 private:
  absl::StatusOr<bool> NextPage();

  Copyable& store_;
  const WallTime begun_;
  std::vector<CopiedJob> page_;
  std::vector<JobKey> with_slices_;
  std::size_t at_ = 0;
  std::size_t at_slices_ = 0;
  JobKey key_;
  std::string digest_;
  CopyCounts counts_;
};

absl::StatusOr<bool> StoreReader::NextPage() {
  const JobKey after = page_.empty() ? JobKey{} : page_.back().key();
  absl::StatusOr<std::vector<CopiedJob>> page = store_.ReadJobs(after);
  if (!page.ok()) return page.status();
  page_ = *std::move(page);
  at_ = at_slices_ = 0;
  if (page_.empty()) return false;
  absl::StatusOr<std::vector<JobKey>> with_slices = store_.FindSlices(after, page_.back().key());
  if (!with_slices.ok()) return with_slices.status();
  with_slices_ = *std::move(with_slices);
  return true;
}

absl::StatusOr<bool> StoreReader::Next() {
  if (at_ == page_.size()) {
    if (absl::StatusOr<bool> more = NextPage(); !more.ok() || !*more) return more;
  }
  const CopiedJob job = AsCopied(page_[at_++], begun_);
  key_ = job.key();
  Digest digest;
  WriteFields(job.record, EncodeGiven(job.record.job), job.record.version, digest);
  digest.Int(job.claims);
  for (const std::string& alias : job.aliases) digest.Text(alias);
  digest.Text("");
  for (const std::string& hint : job.hints) digest.Text(hint);
  while (at_slices_ < with_slices_.size() && with_slices_[at_slices_] < key_) ++at_slices_;
  if (at_slices_ < with_slices_.size() && with_slices_[at_slices_] == key_) {
    const absl::Status read = ForSlices(store_, key_, [&](std::vector<CopiedSlice> slices) {
      for (const CopiedSlice& slice : slices) {
        digest.Int(slice.part);
        digest.Int(slice.slice);
        digest.Int(slice.total_bytes);
        digest.Text(slice.bytes);
      }
      counts_.slices += static_cast<std::int64_t>(slices.size());
      return absl::OkStatus();
    });
    if (!read.ok()) return read;
  }
  ++counts_.jobs;
  counts_.labels += static_cast<std::int64_t>(job.record.job.labels.size());
  counts_.aliases += static_cast<std::int64_t>(job.aliases.size());
  counts_.hints += static_cast<std::int64_t>(job.hints.size());
  digest_ = digest.Finish();
  return true;
}

absl::Status Differs(const std::string& what) {
  return absl::DataLossError(
      absl::StrCat("What was read back differs: ", what,
                   ". The source is whole, and gateways may use neither store before a copy is "
                   "alike, or given up with --undo"));
}

// Reads both stores once more.
absl::StatusOr<CopyCounts> Compare(Copyable& source, Copyable& target, const CopyMark& mark,
                                   std::int64_t all, const CopyHooks& hooks) {
  StoreReader from(source, mark.begun);
  StoreReader to(target, mark.begun);
  for (std::int64_t jobs = 0;; ++jobs) {
    const absl::StatusOr<bool> there = from.Next();
    if (!there.ok()) return there.status();
    const absl::StatusOr<bool> here = to.Next();
    if (!here.ok()) return here.status();
    if (!*there && !*here) break;
    if (*there != *here || from.key() != to.key()) {
      return Differs(absl::StrCat("job ", (*there ? from : to).key().id, " is in one store only"));
    }
    if (from.digest() != to.digest()) return Differs(absl::StrCat("job ", to.key().id));
    hooks.compared(jobs + 1, all);
  }
  absl::StatusOr<CopiedRest> source_rest = source.ReadRest();
  if (!source_rest.ok()) return source_rest.status();
  const absl::StatusOr<CopiedRest> target_rest = target.ReadRest();
  if (!target_rest.ok()) return target_rest.status();
  if (source_rest->accounts != target_rest->accounts ||
      source_rest->clean_epoch != target_rest->clean_epoch ||
      source_rest->epoch > target_rest->epoch) {
    return Differs("the epochs, or how long accounts could be asked");
  }
  CopyCounts counts = to.counts();
  counts.accounts = static_cast<std::int64_t>(target_rest->accounts.size());
  const absl::StatusOr<CopyCounts> counted = target.Count();
  if (!counted.ok()) return counted.status();
  if (*counted != counts) return Differs("a table has rows of no job, or lacks some");
  return counts;
}

absl::Status CopyPage(Copyable& source, Copyable& target, const JobKey& after,
                      std::vector<CopiedJob> page) {
  const absl::StatusOr<std::vector<JobKey>> with_slices =
      source.FindSlices(after, page.back().key());
  if (!with_slices.ok()) return with_slices.status();
  std::size_t at = 0;
  for (const CopiedJob& job : page) {
    const JobKey key = job.key();
    while (at < with_slices->size() && (*with_slices)[at] < key) ++at;
    if (at == with_slices->size() || (*with_slices)[at] != key) continue;
    const absl::Status copied = ForSlices(source, key, [&](std::vector<CopiedSlice> slices) {
      return target.WriteSlices(std::move(slices));
    });
    if (!copied.ok()) return copied;
  }
  return target.WriteJobs(std::move(page));
}

// The mark of the target from which the copy goes on.
absl::StatusOr<CopyMark> Begin(const CopyEnd& source, const CopyEnd& target, WallTime now) {
  const auto from = source.store->ReadMark();
  if (!from.ok()) return from.status();
  const auto to = target.store->ReadMark();
  if (!to.ok()) return to.status();
  const absl::StatusOr<std::string> id = source.store->ReadStoreId();
  if (!id.ok()) return id.status();
  const absl::StatusOr<std::string> target_id = target.store->ReadStoreId();
  if (!target_id.ok()) return target_id.status();
  if (*id == *target_id) return Refuse("Both stores are the same one");

  const bool same_copy = from->has_value() && to->has_value() && (*from)->copy == (*to)->copy;
  if (from->has_value() && !(*from)->target) {
    if (!same_copy || !(*to)->target) {
      return Refuse(
          absl::StrCat("The jobs of ", source.place, " are on their way to ", (*from)->other,
                       ", or there, and ", target.place,
                       " is not that store as the copy left it. Copy to that one, or give "
                       "the copy up with --undo"));
    }
    if ((*to)->used) {
      return Refuse(absl::StrCat("The jobs of ", source.place, " were moved to ", target.place,
                                 ", and a gateway has used that one since: it is the newer one. To "
                                 "go back, copy from there to here"));
    }
    return **to;
  }
  if (from->has_value() && !(*from)->ended) {
    return Refuse(absl::StrCat(source.place, " is itself to become a copy of ", (*from)->other,
                               ", and lacks a part; end that copy first"));
  }
  CopyMark mark{.target = true,
                .copy = RandomHex(kCopyNameBytes),
                .other = source.place,
                .source = *id,
                .begun = now};
  const absl::StatusOr<CopyCounts> held = target.store->Count();
  if (!held.ok()) return held.status();
  const bool goes_back = same_copy && !(*to)->target;
  const bool begun_before =
      to->has_value() && (*to)->target && !(*to)->ended && (*to)->source == *id;
  if (*held != CopyCounts{} && !goes_back && !begun_before) {
    return Refuse(absl::StrCat(target.place, " is not empty: it holds ", held->jobs,
                               " jobs. A copy needs an empty store, or one that was moved to the "
                               "source"));
  }
  if (absl::Status cleared = target.store->Clear(mark); !cleared.ok()) return cleared;
  CopyMark moved = mark;
  moved.target = false;
  moved.other = target.place;
  moved.source.clear();
  if (absl::Status marked = source.store->SetMark(moved); !marked.ok()) return marked;
  return mark;
}

}  // namespace

absl::StatusOr<CopyReport> Copy(const CopyEnd& source, const CopyEnd& target, WallTime now,
                                const CopyHooks& hooks) {
  absl::StatusOr<CopyMark> mark = Begin(source, target, now);
  if (!mark.ok()) return mark.status();
  CopyReport report{.resumed = mark->last != JobKey{}, .already = mark->ended};
  const absl::StatusOr<CopyCounts> counts = source.store->Count();
  if (!counts.ok()) return counts.status();
  const absl::StatusOr<CopyCounts> before = target.store->Count();
  if (!before.ok()) return before.status();
  std::int64_t copied = before->jobs;
  while (!mark->ended) {
    absl::StatusOr<std::vector<CopiedJob>> page = source.store->ReadJobs(mark->last);
    if (!page.ok()) return page.status();
    if (page->empty()) break;
    const JobKey last = page->back().key();
    copied += static_cast<std::int64_t>(page->size());
    for (CopiedJob& job : *page) {
      if (jobs::IsInFlight(job.record.submission)) ++report.interrupted;
      job = AsCopied(std::move(job), mark->begun);
    }
    absl::Status written = CopyPage(*source.store, *target.store, mark->last, *std::move(page));
    if (!written.ok()) return written;
    mark->last = last;
    hooks.copied(copied, counts->jobs);
  }
  // Again if the copy had ended: the epoch of a file rises whenever it is opened.
  absl::StatusOr<CopiedRest> rest = source.store->ReadRest();
  if (!rest.ok()) return rest.status();
  if (absl::Status written = target.store->WriteRest(*std::move(rest)); !written.ok()) {
    return written;
  }
  const absl::StatusOr<CopyCounts> alike =
      Compare(*source.store, *target.store, *mark, counts->jobs, hooks);
  if (!alike.ok()) return alike.status();
  report.counts = *alike;
  mark->ended = true;
  if (absl::Status marked = target.store->SetMark(*mark); !marked.ok()) return marked;
  absl::StatusOr<std::optional<CopyMark>> moved = source.store->ReadMark();
  if (!moved.ok()) return moved.status();
  (*moved)->ended = true;
  if (absl::Status marked = source.store->SetMark(*moved); !marked.ok()) return marked;
  return report;
}

absl::Status UndoCopy(const CopyEnd& source, const std::optional<CopyEnd>& target) {
  const auto from = source.store->ReadMark();
  if (!from.ok()) return from.status();
  if (!from->has_value() || (*from)->target) {
    return Refuse(absl::StrCat(source.place, " has not been moved; there is nothing to undo"));
  }
  if (target.has_value()) {
    const auto to = target->store->ReadMark();
    if (!to.ok()) return to.status();
    if (to->has_value() && (*to)->copy == (*from)->copy && (*to)->target) {
      if ((*to)->used) {
        return Refuse(absl::StrCat("A gateway has used ", target->place,
                                   " since, so that it holds more than ", source.place,
                                   ". Copy from there to here instead"));
      }
      if (absl::Status cleared = target->store->Clear(std::nullopt); !cleared.ok()) return cleared;
    } else {
      // It is empty if an undo ended before it had freed the source.
      const absl::StatusOr<CopyCounts> held = target->store->Count();
      if (!held.ok()) return held.status();
      if (to->has_value() || *held != CopyCounts{}) {
        return Refuse(absl::StrCat(target->place, " is not the store to which ", source.place,
                                   " was moved, which is ", (*from)->other));
      }
    }
  }
  return source.store->SetMark(std::nullopt);
}

}  // namespace gateway::store
