// A Mailbox takes messages from several threads to one. It may have a bound: while it is full,
// those who push wait. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>

namespace pictory_jobs::cli {

template <class Message>
class Mailbox {
 public:
  explicit Mailbox(std::size_t most = std::numeric_limits<std::size_t>::max()) : most_(most) {}

  // With a bound somebody must pop until the last has pushed.
  void Push(Message message) {
    {
      std::unique_lock lock(mutex_);
      room_.wait(lock, [this] { return messages_.size() < most_; });
      messages_.push_back(std::move(message));
    }
    some_.notify_one();
  }

  // Takes the oldest message; unset if none came in this time.
  std::optional<Message> Pop(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    if (!some_.wait_for(lock, patience, [this] { return !messages_.empty(); })) {
      return std::nullopt;
    }
    Message message = std::move(messages_.front());
    messages_.pop_front();
    lock.unlock();
    room_.notify_one();
    return message;
  }

  std::size_t size() {
    const std::lock_guard lock(mutex_);
    return messages_.size();
  }

 private:
  const std::size_t most_;
  std::mutex mutex_;
  std::condition_variable some_;
  std::condition_variable room_;
  std::deque<Message> messages_;
};

}  // namespace pictory_jobs::cli
