#include "store/memory_job_store.h"

#include "store_calls.h"

namespace gateway::store {
namespace {

TEST(MemoryJobStoreTest, AnswersInsideTheCall) {
  MemoryJobStore store;
  bool answered = false;
  store.Begin(Begun("j1", "r1"), [&](auto begun) { answered = begun.ok(); });
  EXPECT_TRUE(answered);
}

}  // namespace
}  // namespace gateway::store
