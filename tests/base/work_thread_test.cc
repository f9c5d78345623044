#include "base/work_thread.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace gateway
