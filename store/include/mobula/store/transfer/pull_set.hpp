#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "mobula/store/transfer/pull_state.hpp"

namespace mobula {

/// The pulls of a `pull_table`: one for each object that is wanted, or whose asks have not ended.
class pull_set {
public:
  struct insertion {
    pull_state& entry;
    bool fresh;
  };

  pull_set() = default;

  pull_set(const pull_set&) = delete;
  pull_set& operator=(const pull_set&) = delete;

  /// Returns the object's pull; if there was none, a new one behind all others.
  insertion insert(const object_id& id);

  /// Returns null if there is none.
  [[nodiscard]] pull_state* find(const object_id& id);
  [[nodiscard]] const pull_state* find(const object_id& id) const;

  /// REQUIRES: there is one.
  [[nodiscard]] pull_state& get(const object_id& id);

  void erase(const object_id& id) {
    pulls_.erase(id);
  }

  // -- properties ---------------------------------------------------------------------------------

  /// Returns the objects that the node has a copy of, in an order that a replay sees again.
  [[nodiscard]] std::vector<object_id> with_source(const incarnation_id& node) const;

  [[nodiscard]] const std::unordered_map<object_id, pull_state>& all() const noexcept {
    return pulls_;
  }

private:
  std::unordered_map<object_id, pull_state> pulls_;
  std::uint64_t numbered_ = 0;
};

} // namespace mobula
