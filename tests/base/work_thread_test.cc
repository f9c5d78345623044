#include "base/work_thread.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace gateway {
namespace {

TEST(WorkThread, WorksInOrderOnItsOwnThread) {
  std::vector<int> done;  // written by the one thread, read after Close
  std::thread::id where;
  WorkThread work("test");
  for (int i = 0; i < 100; ++i) work.Post([&done, i] { done.push_back(i); });
  work.Post([&] { where = std::this_thread::get_id(); });
  work.Close();
  ASSERT_EQ(done.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(done[static_cast<std::size_t>(i)], i);
  EXPECT_NE(where, std::this_thread::get_id());
}

TEST(WorkThread, WhatATaskPostsIsDoneBeforeCloseReturns) {
  int done = 0;
  WorkThread work("test");
  work.Post([&] { work.Post([&] { ++done; }); });
  work.Close();
  EXPECT_EQ(done, 1);
  work.Post([&] { ++done; });  // here, at once
  EXPECT_EQ(done, 2);
}

TEST(WorkThread, SlicesTakeTurns) {
  std::vector<std::string> done;
  WorkThread work("test");
  std::promise<void> gate;
  work.Post([&] { gate.get_future().wait(); });
  for (const char* name : {"a", "b"}) {
    work.Post([&done, name, left = 3]() mutable {
      done.push_back(name);
      return --left > 0;
    });
  }
  gate.set_value();
  work.WaitIdle();
  EXPECT_THAT(done, testing::ElementsAre("a", "b", "a", "b", "a", "b"));
}

TEST(WorkThread, WhatIsLeftIsDroppedIfItIsToBe) {
  WorkThread work("test", WorkThread::Rest::kDropped);
  std::promise<void> begun;
  std::promise<void> gate;
  std::atomic<int> slices = 0;
  work.Post([&] {
    if (++slices == 1) begun.set_value();
    gate.get_future().wait();
    return true;  // for ever, if nobody stops it
  });
  auto owned = std::make_shared<int>(0);
  work.Post([owned] { ++*owned; });
  begun.get_future().wait();
  std::thread closer([&] { work.Close(); });
  while (owned.use_count() > 1) std::this_thread::yield();  // dropped, while the slice goes on
  gate.set_value();
  closer.join();
  work.Post([owned] { ++*owned; });
  EXPECT_EQ(slices, 1);
  EXPECT_EQ(*owned, 0);
  EXPECT_EQ(owned.use_count(), 1);
}

TEST(WorkThread, ThatDoesNotEndInTimeIsLeftToGoOn) {
  WorkThread work("test");
  std::promise<void> begun;
  std::promise<void> gate;
  work.Post([&] {
    begun.set_value();
    gate.get_future().wait();
  });
  begun.get_future().wait();
  EXPECT_FALSE(work.CloseUntil(std::chrono::steady_clock::now()));
  gate.set_value();
  EXPECT_TRUE(work.CloseUntil(MonoTime::max()));
  EXPECT_TRUE(work.CloseUntil(std::chrono::steady_clock::now())) << "it has ended already";
}

TEST(WorkThread, WithoutAThreadItsSlicesRunWhereTheyAreGiven) {
  std::vector<WorkThread::Slice> elsewhere;
  WorkThread work([&](WorkThread::Slice slice) { elsewhere.push_back(std::move(slice)); });
  int done = 0;
  work.Post([&] { ++done; });
  EXPECT_EQ(done, 0);
  ASSERT_EQ(elsewhere.size(), 1u);
  EXPECT_FALSE(elsewhere[0]());
  EXPECT_EQ(done, 1);
}

}  // namespace
}  // namespace gateway
