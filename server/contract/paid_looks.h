// PaidLooks tries the facts that cost something: one job of each kind that Pictory bills, each made
// of the one before where that can be, and each followed to its end.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "contract/free_looks.h"
#include "contract/report.h"
#include "contract/spent_book.h"
#include "google/protobuf/message.h"

namespace gateway::contract {

struct Spending {
  int most = 0;           // --spend
  std::string media_url;  // what is transcribed; empty: the video that the run has rendered
  Duration poll_every = limits::kContractPollEvery;
};

// What a job of each kind counts of --spend: one, or its AI credits where those are more.
struct Price {
  const char* kind;
  int counts;
};
inline constexpr auto kPrices = std::to_array<Price>({{"preview", 1},
                                                      {"render", 1},
                                                      {"transcription", 1},
                                                      {"summary", 1},
                                                      {"image", 1},
                                                      {"video", 8}});
// What --spend must be for all of them.
int PriceOfAll();

class PaidLooks {
 public:
  // All must outlive the object.
  PaidLooks(const Look& look, const Clock& clock, const Spending& spending, SpentBook& book)
      : look_(look), clock_(clock), spending_(spending), book_(book) {}

  // An error if what is spent can not be noted; then nothing more is sent.
  absl::Status Run();
  const std::vector<SpentJob>& spent() const { return spent_; }

 private:
  using Message = google::protobuf::Message;
  struct Ended {
    std::string id;
    http::Response raw;  // the last answer
  };
  // The job of this kind, once it has succeeded: that of an earlier run, or one made now of
  // `request`. Nullopt, with `facts` skipped, if there is none.
  std::optional<Ended> Job(const char* kind, const Message& request, const std::string& of_job,
                           FactName accepted, const std::vector<FactName>& facts);
  std::optional<std::string> Pay(const char* kind, const Message& request,
                                 const std::string& of_job, FactName accepted,
                                 const std::vector<FactName>& facts);
  std::optional<Ended> Follow(const std::string& kind, const std::string& id,
                              const std::vector<FactName>& facts);
  void Skip(const std::vector<FactName>& facts, const std::string& why);

  std::optional<Ended> Preview();
  void Elements(const Ended& preview);
  std::optional<Ended> Render(const Ended& preview);
  std::optional<Ended> Transcription(const std::string& media_url);
  void Summary(const Ended& transcription);
  void Picture();
  void Clip();
  std::string VoiceName();

  const Look& look_;
  const Clock& clock_;
  const Spending& spending_;
  SpentBook& book_;
  int used_ = 0;
  absl::Status trouble_;
  std::vector<SpentJob> spent_;
};

}  // namespace gateway::contract
