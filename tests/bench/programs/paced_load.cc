// An open loop of unary calls: one falls due every so often, whether or not those before it have
// been answered, and its time counts from when it was due. So a server that stops for a while is
// not spared the calls it would have had meanwhile.
//
// --request has the request of all calls or, with --request-bytes N, one of N bytes for each in
// turn. Prints one line of JSON once all are answered: how many calls had which code, how many of
// those that failed said when to try again, and the times from due to answered. `late_p99_us` is
// how late this program itself was in sending; it is part of those times.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "programs/client.h"
#include "programs/clocks.h"
#include "programs/flags.h"

namespace {

constexpr std::chrono::seconds kDeadline{20};
constexpr std::size_t kCodes = 17;

struct Load {
  std::string method;
  std::array<std::atomic<long>, kCodes> codes{};
  std::atomic<long> with_retry_info{0};
  std::mutex mutex;
  std::condition_variable ended;
  long running = 0;
};

class Call {
 public:
  void Start(Load& load, grpc::GenericStub& stub, const grpc::ByteBuffer& request,
             std::int64_t due) {
    due_ = due;
    late_ = bench::Now() - due;
    context_ = std::make_unique<grpc::ClientContext>();
    bench::Prepare(*context_, load.method, kDeadline);
    stub.UnaryCall(context_.get(), load.method, {}, &request, &answer_,
                   [this, &load](const grpc::Status& status) { Ended(load, status); });
  }

  std::int64_t took() const { return took_; }
  std::int64_t late() const { return late_; }

 private:
  void Ended(Load& load, const grpc::Status& status) {
    took_ = bench::Now() - due_;
    ++load.codes[static_cast<std::size_t>(status.error_code())];
    if (status.error_details().find("google.rpc.RetryInfo") != std::string::npos) {
      ++load.with_retry_info;
    }
    answer_.Clear();
    const std::lock_guard lock(load.mutex);
    if (--load.running == 0) load.ended.notify_all();
  }

  std::int64_t due_ = 0;
  std::int64_t late_ = 0;
  std::int64_t took_ = 0;
  std::unique_ptr<grpc::ClientContext> context_;
  grpc::ByteBuffer answer_;
};

double Quantile(std::vector<std::int64_t> values, double at) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return static_cast<double>(
             values[static_cast<std::size_t>(at * static_cast<double>(values.size() - 1))]) /
         1e3;
}

void Print(const Load& load, const std::vector<Call>& calls) {
  std::vector<std::int64_t> took, late;
  for (const Call& call : calls) {
    took.push_back(call.took());
    late.push_back(call.late());
  }
  std::printf(
      "{\"calls\":%zu,\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,\"late_p99_us\":%.1f,"
      "\"retry_info\":%ld,\"codes\":{",
      calls.size(), Quantile(took, 0.5), Quantile(took, 0.99), Quantile(took, 1),
      Quantile(late, 0.99), load.with_retry_info.load());
  const char* comma = "";
  for (std::size_t code = 0; code < kCodes; ++code) {
    if (load.codes[code] == 0) continue;
    std::printf("%s\"%zu\":%ld", comma, code, load.codes[code].load());
    comma = ",";
  }
  std::printf("}}\n");
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Flags flags(argc, argv,
                           {{"target", ""},
                            {"method", ""},
                            {"request", ""},
                            {"request-bytes", "0"},
                            {"rate", "100"},
                            {"seconds", "1"},
                            {"channels", "4"}});
  Load load;
  load.method = flags.Text("method");
  const auto requests = bench::Split(bench::ReadRequest(flags.Text("request")),
                                     static_cast<std::size_t>(flags.Number("request-bytes")));
  const auto stubs = bench::Connect(flags.Text("target"), flags.Number("channels"));
  const double rate = flags.Real("rate");
  std::vector<Call> calls(static_cast<std::size_t>(rate * flags.Real("seconds")));
  load.running = static_cast<long>(calls.size());
  const std::int64_t began = bench::Now();
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const std::int64_t due = began + static_cast<std::int64_t>(static_cast<double>(i) * 1e9 / rate);
    std::this_thread::sleep_for(std::chrono::nanoseconds(due - bench::Now()));
    calls[i].Start(load, *stubs[i % stubs.size()], requests[i % requests.size()], due);
  }
  {
    std::unique_lock lock(load.mutex);
    load.ended.wait(lock, [&] { return load.running == 0; });
  }
  Print(load, calls);
  return 0;
}
