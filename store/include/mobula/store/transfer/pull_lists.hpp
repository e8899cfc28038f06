#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>

#include "mobula/store/transfer/pull_state.hpp"

namespace mobula {

/// The pulls of `pull_table` in their order, each in the list of what it waits for, and how many of
/// them run. One that may change its place is delisted before, and enlisted afterwards.
class pull_lists {
public:
  using list = std::map<pull_place, object_id>;

  void enlist(const object_id& id, const pull_state& entry);

  void delist(const pull_state& entry);

  /// An active one would ask for more, but for the limit.
  void note_hungry(const pull_place& place, const object_id& id) {
    hungry_.emplace(place, id);
  }

  /// REQUIRES: there is one. Returns the first one, which is none of them any more.
  std::pair<pull_place, object_id> take_hungry();

  /// Nothing is held back any more. Returns what was.
  list release_held();

  /// Whether a pull that has a buffer can get on. One that has nobody to ask does not keep others
  /// from their buffers.
  enum class prospects : std::uint8_t { some, none };

  /// Counts anew whether a pull runs.
  void recount(pull_state& entry, prospects ahead);

  // -- properties ---------------------------------------------------------------------------------

  /// Exactly the waiting ones with a copy that are not held.
  [[nodiscard]] const list& queue() const noexcept {
    return queue_;
  }

  /// Exactly the waiting ones with a copy that are held.
  [[nodiscard]] const list& held() const noexcept {
    return held_;
  }

  [[nodiscard]] const list& hungry() const noexcept {
    return hungry_;
  }

  /// Exactly those that are not waiting.
  [[nodiscard]] const list& admitted() const noexcept {
    return admitted_;
  }

  /// Pulls that have a buffer, or ask for it, and can get on.
  [[nodiscard]] std::size_t running() const noexcept {
    return running_;
  }

  /// Their buffers.
  [[nodiscard]] std::uint64_t running_bytes() const noexcept {
    return running_bytes_;
  }

  /// Pulls that are active or draining.
  [[nodiscard]] std::size_t buffers() const noexcept {
    return buffers_;
  }

  /// Asserts that the pull is in the lists of its phase.
  void check(const pull_state& entry) const;

private:
  list queue_;
  list held_;
  list hungry_;
  list admitted_;
  std::size_t running_ = 0;
  std::uint64_t running_bytes_ = 0;
  std::size_t buffers_ = 0;
};

} // namespace mobula
