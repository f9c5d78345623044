// Freed is the deleter of a std::unique_ptr that owns what a C library has made; `release` is the
// library's function that frees it.
#pragma once

namespace gateway {

template <auto release>
struct Freed {
  template <class T>
  void operator()(T* owned) const {
    release(owned);
  }
};

}  // namespace gateway
