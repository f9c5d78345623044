#include "store/memory_job_store.h"

#include "job_store_suite.h"

namespace gateway::store {
namespace {

struct MemoryBackend {
  std::unique_ptr<jobs::JobStore> Open() { return std::make_unique<MemoryJobStore>(); }
};

INSTANTIATE_TYPED_TEST_SUITE_P(Memory, JobStoreTest, MemoryBackend);

TEST(MemoryJobStoreTest, AnswersInsideTheCall) {
  MemoryJobStore store;
  bool answered = false;
  store.Begin(Begun("j1", "r1"), [&](auto begun) { answered = begun.ok(); });
  EXPECT_TRUE(answered);
}

}  // namespace
}  // namespace gateway::store
