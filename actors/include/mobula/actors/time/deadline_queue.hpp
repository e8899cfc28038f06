#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

namespace mobula {

/// Names what waits in a `deadline_queue`.
struct deadline {
  std::chrono::steady_clock::time_point due = std::chrono::steady_clock::time_point::max();
  std::uint64_t number = 0; ///< zero names nothing

  friend auto operator<=>(const deadline&, const deadline&) = default;
};

/// Returns when `delay` will have passed; the end of time if that is beyond it.
[[nodiscard]] constexpr std::chrono::steady_clock::time_point
deadline_after(std::chrono::steady_clock::time_point now, std::chrono::nanoseconds delay) noexcept {
  constexpr auto never = std::chrono::steady_clock::time_point::max();
  return delay >= never - now ? never : now + delay;
}

/// What is to happen when, the earliest first. Adding and removing cost O(log n), whatever waits.
/// What is due at the end of time never happens.
template <class Content>
class deadline_queue {
public:
  using time_point = std::chrono::steady_clock::time_point;

  deadline add(time_point due, Content content) {
    deadline result{due, ++numbered_};
    waiting_.emplace(result, std::move(content));
    return result;
  }

  /// Returns what was named; nothing if that has been taken or removed.
  std::optional<Content> remove(const deadline& named) {
    auto found = waiting_.extract(named);
    return found.empty() ? std::nullopt : std::optional{std::move(found.mapped())};
  }

  /// Removes and returns the earliest; nothing if it is not due yet.
  std::optional<Content> take_due(time_point now) {
    if (waiting_.empty() || waiting_.begin()->first.due > now)
      return std::nullopt;
    return std::move(waiting_.extract(waiting_.begin()).mapped());
  }

  /// Returns when the earliest is due; nothing if nothing ever is.
  [[nodiscard]] std::optional<time_point> next() const {
    if (waiting_.empty() || waiting_.begin()->first.due == time_point::max())
      return std::nullopt;
    return waiting_.begin()->first.due;
  }

  [[nodiscard]] std::size_t size() const noexcept {
    return waiting_.size();
  }

  void clear() noexcept {
    waiting_.clear();
  }

private:
  std::map<deadline, Content> waiting_;
  std::uint64_t numbered_ = 0;
};

} // namespace mobula
