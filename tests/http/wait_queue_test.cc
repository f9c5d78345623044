#include "http/wait_queue.h"

#include "gtest/gtest.h"

namespace gateway::http {
namespace {

MonoTime At(int second) { return MonoTime(std::chrono::seconds(second)); }

PendingRequest Named(std::string path, MonoTime start_by = MonoTime::max()) {
  PendingRequest pending;
  pending.request.path = std::move(path);
  pending.request.start_by = start_by;
  return pending;
}

TEST(WaitQueue, HandsOutInOrder) {
  WaitQueue queue;
  EXPECT_TRUE(queue.empty());
  queue.Push(Named("a", At(9)));
  queue.Push(Named("b"));
  queue.Push(Named("c", At(1)));
  EXPECT_EQ(queue.Pop().request.path, "a");
  EXPECT_EQ(queue.Pop().request.path, "b");
  EXPECT_EQ(queue.Pop().request.path, "c");
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.next_deadline(), MonoTime::max());
}

TEST(WaitQueue, ExpiresByDeadline) {
  WaitQueue queue;
  queue.Push(Named("a", At(9)));
  queue.Push(Named("b"));
  queue.Push(Named("c", At(5)));
  EXPECT_EQ(queue.next_deadline(), At(5));
  EXPECT_FALSE(queue.PopExpired(At(4)).has_value());
  EXPECT_EQ(queue.PopExpired(At(5))->request.path, "c");
  EXPECT_FALSE(queue.PopExpired(At(5)).has_value());
  EXPECT_EQ(queue.PopExpired(At(10))->request.path, "a");
  EXPECT_FALSE(queue.PopExpired(MonoTime::max()).has_value());
  EXPECT_EQ(queue.Pop().request.path, "b");
}

TEST(WaitQueue, OneThatWasTakenDoesNotExpire) {
  WaitQueue queue;
  queue.Push(Named("a", At(1)));
  queue.Push(Named("b", At(1)));
  EXPECT_EQ(queue.Pop().request.path, "a");
  EXPECT_EQ(queue.PopExpired(At(2))->request.path, "b");
  EXPECT_FALSE(queue.PopExpired(At(2)).has_value());
}

}  // namespace
}  // namespace gateway::http
