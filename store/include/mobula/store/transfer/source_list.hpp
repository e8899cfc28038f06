#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "mobula/store/transfer/pull_asks.hpp"
#include "mobula/store/transfer/pull_effects.hpp"

namespace mobula {

/// The nodes that have one object, or are about to, as a pull of it sees them: which of them can be
/// asked, and which one is. Part of `pull_table`.
class source_list {
public:
  /// What the owner says takes the place of what it said before. A node that failed stays backed
  /// off.
  void adopt(const location_news& news, const incarnation_id& self, std::size_t max_sources);

  /// Leaves the node alone until `trust_all`.
  void distrust(const incarnation_id& node);

  void trust_all();

  /// The node has no copy, until other news.
  void drop(const incarnation_id& node);

  /// Returns the present source while it is one, else the best of those that are not backed off:
  /// the closest, then the one that is asked least.
  [[nodiscard]] std::optional<incarnation_id> pick(const object_id& id, const incarnation_id& self,
                                                   const pull_asks& asks) const;

  /// Whom the next bytes are asked of.
  [[nodiscard]] const std::optional<incarnation_id>& current() const noexcept {
    return current_;
  }

  void turn_to(const std::optional<incarnation_id>& node) {
    current_ = node;
  }

  [[nodiscard]] bool empty() const noexcept {
    return sources_.empty();
  }

  [[nodiscard]] bool contains(const incarnation_id& node) const;

private:
  enum class trust : std::uint8_t {
    usable,
    backed_off ///< since it failed
  };

  struct source {
    copy_location copy;
    trust state = trust::usable;
  };

  std::vector<source> sources_; ///< set by news; lowered by refusals and deaths
  std::optional<incarnation_id> current_;
};

} // namespace mobula
