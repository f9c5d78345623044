// A Mailbox takes messages from several threads to one. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace pictory_jobs::cli {

template <class Message>
class Mailbox {
 public:
  void Push(Message message) {
    {
      const std::lock_guard lock(mutex_);
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
    return message;
  }

 private:
  std::mutex mutex_;
  std::condition_variable some_;
  std::deque<Message> messages_;
};

}  // namespace pictory_jobs::cli
