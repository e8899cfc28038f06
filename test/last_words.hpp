#pragma once

#include <functional>
#include <string>
#include <utility>

namespace mobula::test {

/// A value that calls a function when it dies, once.
struct last_words {
  std::string text;
  static inline std::function<void()> said;

  ~last_words() {
    if (auto say = std::exchange(said, nullptr))
      say();
  }

  template <class Archive>
  void serialize(Archive& archive) {
    archive(text);
  }
};

} // namespace mobula::test
