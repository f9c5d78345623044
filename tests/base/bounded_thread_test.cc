#include "base/bounded_thread.h"

#include <gtest/gtest.h>

#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace gateway {
namespace {

using Waiting = BoundedThread::Waiting;

BoundedThread::Options Room(std::size_t queue_max, Waiting at_close = Waiting::kDone) {
  return {.name = "test",
          .queue_max = queue_max,
          .what = "tests",
          .retry_after = std::chrono::seconds(1),
          .at_close = at_close};
}

// A Held task runs until it is let go, so that others wait behind it.
class Held {
 public:
  explicit Held(BoundedThread& thread) {
    thread.Post([this](const absl::Status&) {
      runs_.set_value();
      go_.get_future().wait();
    });
    runs_.get_future().wait();
  }
  void LetGo() { go_.set_value(); }

 private:
  std::promise<void> runs_;
  std::promise<void> go_;
};

// What tasks were told, in their order. Written by the thread, read after Close.
struct Told {
  BoundedThread::Task Note() {
    return [this](const absl::Status& status) { codes.push_back(status.code()); };
  }
  std::vector<absl::StatusCode> codes;
};

TEST(BoundedThread, RefusesWhatIsBeyondItsRoomInItsTurn) {
  Told told;
  BoundedThread thread(Room(2));
  Held held(thread);
  for (int i = 0; i < 3; ++i) thread.Post(told.Note());
  held.LetGo();
  thread.Close();
  EXPECT_EQ(told.codes, (std::vector{absl::StatusCode::kOk, absl::StatusCode::kOk,
                                     absl::StatusCode::kResourceExhausted}));
}

TEST(BoundedThread, HasRoomAgainOnceATaskHasBegun) {
  Told told;
  BoundedThread thread(Room(1));
  for (int i = 0; i < 3; ++i) {
    Held held(thread);  // has begun, and nothing waits
    thread.Post(told.Note());
    std::promise<void> last;
    thread.Post([&](const absl::Status&) { last.set_value(); });  // is refused, behind the other
    held.LetGo();
    last.get_future().wait();
  }
  thread.Close();
  EXPECT_EQ(told.codes, std::vector(3, absl::StatusCode::kOk));
}

TEST(BoundedThread, RefusesWhatWaitsAndWhatComes) {
  Told told;
  BoundedThread thread(Room(9));
  Held held(thread);
  thread.Post(told.Note());
  thread.Refuse(absl::DataLossError("gone"));
  held.LetGo();
  thread.Post(told.Note());
  thread.Close();
  EXPECT_EQ(told.codes, (std::vector{absl::StatusCode::kDataLoss, absl::StatusCode::kDataLoss}));
}

// Has a task hand itself in again for as long as it may, and closes: whether it is refused inside
// the call at last, by a closed thread, and not in its turn, as one that waits.
bool IsRefusedInsideTheCall(Waiting at_close) {
  bool posting = false;  // these two are the thread's
  bool inside = false;
  BoundedThread thread(Room(9, at_close));
  const BoundedThread::Task again = [&](const absl::Status& status) {
    if (!status.ok()) {
      EXPECT_TRUE(absl::IsUnavailable(status)) << status;
      inside = posting;
      return;
    }
    posting = true;
    thread.Post(again);
    posting = false;
  };
  thread.Post(again);
  thread.Close();
  return inside;
}

TEST(BoundedThread, DoesWhatWaitsOrRefusesItWhenItIsClosed) {
  EXPECT_TRUE(IsRefusedInsideTheCall(Waiting::kDone));
  EXPECT_FALSE(IsRefusedInsideTheCall(Waiting::kRefused));
}

TEST(BoundedThread, RefusesInsideTheCallOnceItIsClosed) {
  Told told;
  BoundedThread thread(Room(9));
  thread.Close();
  thread.Post(told.Note());
  EXPECT_EQ(told.codes, std::vector{absl::StatusCode::kUnavailable});
}

}  // namespace
}  // namespace gateway
