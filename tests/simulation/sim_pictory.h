// Pictory as the simulator has it: takes paid requests, works on jobs, answers polls and calls
// back, and now and then everything goes wrong that a network and a service can do.
// Single-threaded.
//
// It is the ledger as well: what it accepted is what was paid for.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <random>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "http/transport.h"
#include "simulation/sim_clock.h"

namespace gateway::simulation {

// Probabilities, of each request unless said otherwise.
struct Weather {
  // Paid requests, without a job being made …
  double not_sent = 0;
  double rate_limited = 0;
  double refused = 0;  // of each distinct request, for good
  double unavailable = 0;
  double lost = 0;
  // … and with one.
  double lost_answer = 0;
  double broken_answer = 0;  // 5xx, or a 2xx without an id
  double slow_answer = 0;    // longer than the gateway waits
  // Of each answer in JSON: something in it is odd that has nothing to do with what it says.
  double odd_text = 0;
  // Polls.
  double poll_trouble = 0;  // 429, 5xx, cut, nothing
  double poll_unknown = 0;  // 404 although the job is there, soon after it was accepted
  double odd_word = 0;      // a status in other letters, of no meaning, or none
  // Of each job.
  double fails = 0.1;
  double never_ends = 0;
  double flaps = 0;        // back to pending, or failed once before it completes
  double cleaned = 0;      // its result is removed before it is asked for
  double late_result = 0;  // it is completed for a while before there is a result
  // Webhook calls, of each job.
  double webhook_lost = 0;
  double webhook_twice = 0;
  double webhook_early = 0;  // before the answer to the submit
  double webhook_wrong = 0;  // names another job
  double outages_per_day = 0;
  bool transport_lies = false;     // says NOT_SENT of what it does not know
  bool transport_resends = false;  // sends a paid request again if no answer comes
  bool sends_late = false;         // does not ask whether a paid request may still be sent
};

struct Upstream {
  std::string id;
  std::string name;  // what the request was about: unique for each request
  MonoTime accepted;
  MonoTime known_from;
  MonoTime ends;
  MonoTime has_result;  // no earlier than `ends`
  enum class End { kCompletes, kFails, kCleaned, kNever } end = End::kCompletes;
  bool flaps = false;
  bool flapped = false;
  double progress = 0;
  std::string token;  // of its webhook; "" if none was asked for
  std::string key;    // that paid for it
};

class SimPictory {
 public:
  // A webhook call reaches whoever listens at the gateway's webhook at that time.
  using WebhookCall =
      std::function<void(const std::string& token, const std::string& pictory_job_id)>;

  SimPictory(SimClock& clock, std::mt19937_64& random, Weather weather, WebhookCall call)
      : clock_(clock), random_(random), weather_(weather), call_(std::move(call)) {}

  using Done = http::HttpTransport::Done;

  // One gateway's way to Pictory.
  class Line final : public http::HttpTransport {
   public:
    // `gateway` is a number, for who looks on.
    Line(SimPictory& pictory, ProcessClock& clock, int gateway)
        : pictory_(pictory), clock_(clock), gateway_(gateway) {}

    void Start(http::Request request, Done done) override {
      pictory_.Start(*this, std::move(request), std::move(done));
    }
    ProcessClock& clock() { return clock_; }
    int gateway() const { return gateway_; }
    // When a job was last asked about here.
    MonoTime asked(const std::string& id) const {
      const auto found = asked_.find(id);
      return found == asked_.end() ? MonoTime::min() : found->second;
    }

   private:
    friend class SimPictory;
    SimPictory& pictory_;
    ProcessClock& clock_;
    const int gateway_;
    std::unordered_map<std::string, MonoTime> asked_;
  };

  // Is told of each paid request as its first byte is written.
  void OnPaid(std::function<void(int gateway, const std::string& name)> then) {
    paid_ = std::move(then);
  }

  // Called once, when the next answer that takes a job is on its way, with how long it takes.
  void OnNextAcceptance(std::function<void(Duration)> then) { next_acceptance_ = std::move(then); }
  // No more faults from now on, and what was broken works.
  void ClearUp();
  void BeginOutage(Duration length) { down_until_ = std::max(down_until_, clock_.Now() + length); }
  bool down() const { return clock_.Now() < down_until_; }

  const std::vector<Upstream>& jobs() const { return jobs_; }
  const Upstream* Find(const std::string& id) const;
  // The job made for a request; null if none was.
  const Upstream* FindByName(const std::string& name) const;
  // How often a request of this name was accepted.
  int Accepted(const std::string& name) const;
  bool Refused(const std::string& name) const { return refused_.contains(name); }
  // The first job that was asked about or deleted with another key than the one that paid for it,
  // in words; "" if there was none.
  const std::string& asked_by_a_stranger() const { return asked_by_a_stranger_; }
  const Weather& weather() const { return weather_; }
  // The latest ten seconds' worth of requests: for the budget's check.
  int RequestsIn(Duration window);
  std::uint64_t requests() const { return count_; }

 private:
  void Start(Line& line, http::Request request, Done done);
  void Post(Line& line, const http::Request& request, Done done);
  void Poll(Line& line, const http::Request& request, Done done);
  http::Response OddWord(const Upstream& job);
  void List(Line& line, const std::string& key, Done done);
  void CheckKey(const Upstream& job, const http::Request& request);
  void Answer(Line& line, Duration after, Done done, http::Response response);
  Upstream& Accept(const std::string& body, const std::string& key);
  void PlanWebhookCalls(const Upstream& job);
  void CallWebhook(Duration after, std::string token, std::string id);
  std::string BodyOf(Upstream& job);
  std::string Odd(std::string body);
  bool Chance(double probability);
  Duration Between(Duration least, Duration most);

  SimClock& clock_;
  std::mt19937_64& random_;
  Weather weather_;
  const WebhookCall call_;
  std::vector<Upstream> jobs_;
  std::unordered_map<std::string, std::size_t> by_id_;
  std::unordered_map<std::string, std::size_t> by_name_;
  std::unordered_map<std::string, int> accepted_;
  std::unordered_set<std::string> refused_;
  std::string asked_by_a_stranger_;
  MonoTime down_until_{};
  std::deque<MonoTime> requests_;
  std::uint64_t count_ = 0;  // of them, in all
  std::function<void(int, const std::string&)> paid_;
  std::function<void(Duration)> next_acceptance_;
};

// Between `before` and the next quotation mark; "" if it is not there.
std::string Cut(const std::string& text, const std::string& before);

}  // namespace gateway::simulation
