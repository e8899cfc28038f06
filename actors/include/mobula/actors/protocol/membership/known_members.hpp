#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "mobula/actors/protocol/membership/member_effects.hpp"

namespace mobula {

/// A node that has a session with this one, or may get one.
struct known_member {
  node_record record; ///< without a session: only `incarnation` and `control`
  /// Raised by a handshake; lowered by the link's loss, a leave, or a hello that ends it.
  session_id session = session_id::none;
  link_id link{}; ///< meaningless without a session
  /// Raised by `members_changed::connected` and `welcome::members`; lowered by
  /// `members_changed::disconnected` and by the end of the voucher's session.
  std::vector<incarnation_id> vouchers;
  /// Raised by the loss of a session; lowered by each round of dials in vain.
  std::uint32_t rounds_left = 0;
  /// Where a dial of this node reached it last; nothing if it has only dialed itself.
  std::optional<endpoint> reached;
  /// Why there is no session although others have one; empty if that is not known to be so.
  /// Raised by rounds in vain; lowered by a session.
  std::string obstacle;

  [[nodiscard]] bool connected() const noexcept {
    return session != session_id::none;
  }
};

/// The nodes that a membership table knows, which of them have a session with it, and over which
/// link.
///
/// *Bounds*: `max_members`, which whoever adds one sees to by `fits`.
class known_members {
public:
  using members_map = std::map<incarnation_id, known_member>;

  explicit known_members(std::size_t max_members) : max_members_(max_members) {
    // nop
  }

  known_members(const known_members&) = delete;
  known_members& operator=(const known_members&) = delete;

  // -- one of them --------------------------------------------------------------------------------

  /// Returns null for a node that is not known.
  [[nodiscard]] known_member* find(const incarnation_id& incarnation);

  /// REQUIRES: the node is known.
  [[nodiscard]] known_member& at(const incarnation_id& incarnation) {
    return members_.at(incarnation);
  }

  [[nodiscard]] bool contains(const incarnation_id& incarnation) const {
    return members_.contains(incarnation);
  }

  /// Returns null for a node that is not known, or that has no session now.
  [[nodiscard]] const known_member* find_connected(const incarnation_id& incarnation) const;

  [[nodiscard]] bool has_session(const incarnation_id& incarnation) const {
    return find_connected(incarnation) != nullptr;
  }

  /// Returns the node whose session uses the link; null if there is none.
  [[nodiscard]] const known_member* find_link(link_id link) const;

  /// Returns whether this node or one of its members has a session with that node.
  [[nodiscard]] bool is_vouched_for(const incarnation_id& incarnation) const;

  // -- all ----------------------------------------------------------------------------------------

  [[nodiscard]] members_map& all() noexcept {
    return members_;
  }

  [[nodiscard]] const members_map& all() const noexcept {
    return members_;
  }

  /// Returns who has a session, by link.
  [[nodiscard]] const std::unordered_map<link_id, incarnation_id>& sessions() const noexcept {
    return sessions_;
  }

  /// Returns all with a session, ordered by incarnation.
  [[nodiscard]] std::vector<const known_member*> connected() const;

  /// Returns all that others are connected to and this node cannot be, ordered by incarnation.
  [[nodiscard]] std::vector<const known_member*> unreachable() const;

  /// Returns what a node is told of the others.
  [[nodiscard]] std::vector<member_hint> hints_without(const incarnation_id& receiver) const;

  // -- places -------------------------------------------------------------------------------------

  /// Whether a node is known, or can be without anybody else being forgotten.
  [[nodiscard]] bool fits(const incarnation_id& incarnation) const;

  /// The same, or somebody who is lost can be forgotten for it.
  [[nodiscard]] bool has_place_for(const incarnation_id& incarnation) const {
    return fits(incarnation) || longest_lost() != nullptr;
  }

  /// Returns a node that is lost and that nobody vouches for; null if there is none. One whose
  /// rounds are nearly over is the least likely to come back.
  [[nodiscard]] const known_member* longest_lost() const;

  // -- changes ------------------------------------------------------------------------------------

  /// Returns the record of a node, which is new if it was not known. REQUIRES: it fits.
  known_member& add(const incarnation_id& incarnation) {
    return members_[incarnation];
  }

  /// REQUIRES: the node fits, neither it nor the link has a session.
  known_member& connect(const node_record& record, session_id session, link_id link);

  /// The session is over.
  void disconnect(known_member& who);

  void erase(const incarnation_id& incarnation) {
    members_.erase(incarnation);
  }

  void clear();

private:
  std::size_t max_members_;
  members_map members_;                                  ///< at most `max_members`
  std::unordered_map<link_id, incarnation_id> sessions_; ///< those with a session
};

} // namespace mobula
