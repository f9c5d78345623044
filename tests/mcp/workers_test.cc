#include "mcp/workers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace gateway::mcp {
namespace {

using std::chrono::seconds;

TEST(Workers, DoAllThatTheyAreGiven) {
  std::atomic<int> done{0};
  {
    Workers workers(3, 2);
    for (int i = 0; i < 100; ++i) workers.Push([&done] { ++done; });
  }
  EXPECT_EQ(done, 100);
}

TEST(Workers, RefuseWhatHasNoPlace) {
  std::promise<void> go;
  std::promise<void> began;
  std::shared_future<void> gone(go.get_future());
  Workers workers(1, 1);
  workers.Push([&began, gone] {
    began.set_value();
    gone.wait();
  });
  began.get_future().wait();
  EXPECT_TRUE(workers.TryPush([] {}));
  EXPECT_FALSE(workers.TryPush([] {}));
  EXPECT_FALSE(workers.Finish(Duration::zero()));
  go.set_value();
  EXPECT_TRUE(workers.Finish(seconds(10)));
}

}  // namespace
}  // namespace gateway::mcp
