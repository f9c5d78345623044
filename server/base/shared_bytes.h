// SharedBytes are bytes that live as long as anybody has a copy of this object: bytes of its own,
// or a slice of something larger. Copies share them, and they never change.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace gateway {

class SharedBytes {
 public:
  SharedBytes() = default;
  SharedBytes(std::string bytes) {  // NOLINT: as good as a string
    auto own = std::make_shared<const std::string>(std::move(bytes));
    view_ = *own;
    owner_ = std::move(own);
  }
  SharedBytes(const char* text) : SharedBytes(std::string(text)) {}  // NOLINT
  // `slice` lies in what `owner` keeps.
  SharedBytes(std::shared_ptr<const void> owner, std::string_view slice)
      : owner_(std::move(owner)), view_(slice) {}

  operator std::string_view() const { return view_; }  // NOLINT: may be read as one
  const char* data() const { return view_.data(); }
  std::size_t size() const { return view_.size(); }

 private:
  std::shared_ptr<const void> owner_;
  std::string_view view_;
};

}  // namespace gateway
