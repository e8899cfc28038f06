#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <mobula/mobula.hpp>

namespace mobula::test {

/// Read where it is, so that what is checked is not a copy.
using content = array<std::byte>;
using content_ref = ObjectRef<content>;

/// What a process of the tests keeps, by name. Threads of the actor system put references in.
class shelf {
public:
  void put(const std::string& name, std::vector<content_ref> refs) {
    std::unique_lock guard{mutex_};
    refs_[name] = std::move(refs);
  }

  std::vector<content_ref> look_up(const std::string& name) {
    std::unique_lock guard{mutex_};
    return refs_.at(name);
  }

  /// Returns none if there are none.
  std::vector<content_ref> take(const std::string& name) {
    std::unique_lock guard{mutex_};
    return std::exchange(refs_[name], {});
  }

  void drop(const std::string& name) {
    std::unique_lock guard{mutex_};
    refs_.erase(name);
  }

private:
  std::mutex mutex_;
  std::map<std::string, std::vector<content_ref>> refs_;
};

/// No two parts of it are the same, as far as a wrong place or order would show.
inline std::vector<std::byte> pattern(std::size_t size) {
  std::vector<std::byte> result(size);
  std::uint64_t state = size;
  for (auto& byte : result) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    byte = static_cast<std::byte>(state >> 56U);
  }
  return result;
}

} // namespace mobula::test
