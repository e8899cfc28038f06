#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "mobula/actors/protocol/references/reference_effects.hpp"

namespace mobula {

struct export_stats {
  std::size_t objects = 0;     ///< that others hold, now
  std::size_t borrows = 0;     ///< pairs of an object and a session that holds it, now
  std::size_t ghosts = 0;      ///< pairs of an object and an ended session that held it, now
  std::uint64_t borrowed = 0;  ///< occurrences
  std::uint64_t returned = 0;  ///< occurrences
  std::uint64_t unknown = 0;   ///< occurrences for which the object did not exist any more
  std::uint64_t came_home = 0; ///< occurrences
  std::uint64_t strange = 0;   ///< returns of what was not borrowed: the peer is not in its senses
};

/// The owner's side: which of this node's objects other nodes hold. One handle is kept on each such
/// object, so that an object nobody else holds costs nothing here.
///
/// *Counting.* A node counts each occurrence that arrives there and returns all of them at once
/// when its last reference is gone. It may borrow anew before that return has been sent; a mere
/// mark for "holds it" would be wiped out by the late return.
///
/// *Order.* Each occurrence names the transit that brought it. The object is held for the borrower
/// first, and only then its sender is told that the transit ended.
///
/// *What makes an object known* is that its entry is alive: held here, by an open transit of this
/// node or by anybody on it. The protocol sees to it that a reference which arrives anywhere finds
/// its object alive; entries that are gone never come back.
///
/// *Ghosts.* What a session held when it ended is kept for the grace period. The dead node may have
/// sent references whose receivers have not told yet, and these relied on its hold.
///
/// *Bounds.* Objects and borrows are bounded by live references on nodes that have a session; what
/// ended is gone after one grace period.
///
/// | field            | raised by                         | lowered by                            |
/// |------------------|-----------------------------------|---------------------------------------|
/// | objects_         | `borrowed`: first holder          | last holder: `returned`, `grace_over` |
/// | object::holders  | `borrowed`: first of its session  | `returned`: last of its session;      |
/// |                  |                                   | `grace_over`; a session that ends     |
/// |                  |                                   | becomes a ghost, which holds on       |
/// | peers_           | `session_started`                 | `session_ended`                       |
/// | peer::held       | `borrowed`, by one for each       | `returned`, by what it says           |
/// | ghosts_          | `session_ended`                   | `grace_over`                          |
class export_table {
public:
  explicit export_table(const incarnation_id& self) : self_(self) {
    // nop
  }

  export_table(const export_table&) = delete;
  export_table& operator=(const export_table&) = delete;

  // -- sessions ---------------------------------------------------------------

  /// REQUIRES: there is no session with that node.
  void session_started(const peer_session& peer);

  /// Ignored if it is not the current session with that node.
  void session_ended(const peer_session& peer, grace_number grace);

  void grace_over(grace_number grace, reference_effects& effects);

  // -- references -------------------------------------------------------------

  /// A node tells what arrived there. `found` has a handle on each object in turn, or none if there
  /// is no living entry for it; whoever knows that the table `holds` an object may say none, too.
  /// Transits of this node itself are left to the caller, who ends them afterwards. In a session
  /// that is over it gives the handles back and changes nothing.
  void borrowed(const incarnation_id& from, const borrow_references& batch,
                std::span<const kept_handle> found, reference_effects& effects);

  void returned(const incarnation_id& from, const return_references& batch,
                reference_effects& effects);

  /// References to own objects arrived here: tells their senders. Whether the objects are alive has
  /// been seen by who deserialized them. Transits of this node itself are left to the caller.
  void came_home(std::span<const arrived_reference> arrived, reference_effects& effects);

  /// Gives back all handles and forgets everything.
  void shut_down(reference_effects& effects);

  // -- properties -------------------------------------------------------------

  [[nodiscard]] bool holds(std::uint64_t sequence) const {
    return objects_.contains(sequence);
  }

  /// Returns whether the node borrows the object in its current session.
  [[nodiscard]] bool borrows(const incarnation_id& node, std::uint64_t sequence) const {
    auto known = peers_.find(node);
    return known != peers_.end() && known->second.held.contains(sequence);
  }

  /// Returns whether nothing is left: no object is held, for nobody. Sessions do not count.
  [[nodiscard]] bool empty() const noexcept {
    return objects_.empty() && ghosts_.empty();
  }

  [[nodiscard]] export_stats stats() const noexcept;

  /// Calls `f(sequence)` for each object held. For inspection: O(n).
  template <class F>
  void for_each(F&& f) const {
    for (const auto& [sequence, object] : objects_)
      f(sequence);
  }

  /// Returns who borrows the object, and how often. For inspection: O(sessions).
  [[nodiscard]] std::vector<std::pair<incarnation_id, std::uint32_t>>
  borrowers_of(std::uint64_t sequence) const;

  /// A node that held the object when its session ended, until the grace period is over.
  struct lost_holder {
    incarnation_id node;
    grace_number grace{};
    std::uint32_t count = 0;
  };

  /// Returns lost nodes that held the object. For inspection: O(sessions that ended lately).
  [[nodiscard]] std::vector<lost_holder> lost_holders_of(std::uint64_t sequence) const;

  /// Recomputes all holders and asserts that they agree. O(n).
  void check_invariants() const;

private:
  /// How often a session borrowed which object; never zero.
  using holdings = std::unordered_map<std::uint64_t, std::uint32_t>;

  struct object {
    kept_handle handle = kept_handle::none;
    std::uint32_t holders = 0; ///< sessions and ghosts that have it
  };

  struct peer {
    session_id session = session_id::none;
    holdings held;
  };

  struct ghost {
    incarnation_id node;
    holdings held;
  };

  struct senders;

  [[nodiscard]] peer* find(const incarnation_id& node, session_id session);
  [[nodiscard]] bool hold(peer& borrower, std::uint64_t sequence, kept_handle found,
                          drop_handles& spare);
  void let_go(std::uint64_t sequence, drop_handles& dropped);
  void tell(senders&& ended, reference_effects& effects);

  incarnation_id self_;
  std::unordered_map<std::uint64_t, object> objects_;
  std::map<incarnation_id, peer> peers_;
  std::map<grace_number, ghost> ghosts_;
  export_stats counters_; ///< only its second half
};

} // namespace mobula
