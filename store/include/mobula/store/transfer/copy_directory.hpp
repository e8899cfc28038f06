#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "mobula/serialization/ids.hpp"

namespace mobula {

/// Names one copy of an object that its owner knows of; drawn by the owner, in order. What is said
/// of a copy bears its ticket, so that late news of a former copy of the same node change nothing.
enum class copy_ticket : std::uint64_t { none = 0 };

/// What a node says of its copy.
enum class copy_news : std::uint8_t {
  whole = 0, ///< all bytes are there
  gone = 1   ///< it was dropped, or never got whole
};

struct copy_report {
  std::uint64_t sequence = 0; ///< the object's
  copy_ticket ticket{};
  copy_news news{};

  friend bool operator==(const copy_report&, const copy_report&) = default;
};

/// Where a reader is sent.
struct assigned_source {
  incarnation_id node;
  copy_ticket ticket{}; ///< of the reader's own copy
};

/// What an owner knows of the copies of its values on other nodes, and whom each reader is sent to.
///
/// *A tree.* Each reader is sent to one copy: of those that have fewer than `max_readers` whose
/// copies are still arriving, to one on the reader's host if there is any, then to the one that
/// is nearest to the owner and has had the fewest readers, counted together. Copies that are still
/// arriving count as well: they pass on what they have. So readers that come at once make a binary
/// tree, and those that come one after the other a binomial one; in both, each node sends an object
/// to O(log n) readers, and a copy is O(log n) hops away from the owner.
///
/// *Nobody waits in a circle.* A copy that is still arriving is only named to nodes that began
/// after it did. A node that had a copy before and lost it may still be waited for: it is sent to
/// whole copies only, until no copy is arriving.
///
/// *A hint.* The owner's own copy is there for whoever finds nothing where it was sent, so that
/// nothing here need be right: neither a node that says nothing nor one that drops its copy at this
/// moment costs more than a detour.
///
/// | field           | raised by               | lowered by                            |
/// |-----------------|-------------------------|---------------------------------------|
/// | nodes_          | `node_joined`           | `node_left`                           |
/// | node::objects   | `assign`                | `copy_gone`, `node_left`, news of it  |
/// | object::copies  | `assign`                | the same                              |
/// | object::retired | the end of a copy       | the end of the last one that arrives  |
/// | copy::arriving  | `assign` of its reader  | that reader's copy is whole or gone   |
///
/// *Bounds*: one copy for each borrower of an object.
class copy_directory {
public:
  /// Readers that fetch from one copy at the same time.
  static constexpr std::size_t max_readers = 2;

  /// Hosts are told apart by a name, the same for all nodes of one host.
  copy_directory(const incarnation_id& owner, std::string host);

  // -- nodes --------------------------------------------------------------------------------------

  void node_joined(const incarnation_id& node, std::string host);

  /// Ends all copies of the node. Ignored if it is not known.
  void node_left(const incarnation_id& node);

  // -- copies -------------------------------------------------------------------------------------

  /// A node is about to fetch an object, anew if it did so before. REQUIRES: it has joined.
  [[nodiscard]] assigned_source assign(std::uint64_t sequence, const incarnation_id& reader);

  /// Ignored if the ticket is not that of the node's present copy.
  void report(const incarnation_id& node, const copy_report& reported);

  /// The node does not hold the object any more. Ignored if it has no copy.
  void copy_gone(std::uint64_t sequence, const incarnation_id& node);

  // -- properties ---------------------------------------------------------------------------------

  [[nodiscard]] bool has_copy(std::uint64_t sequence, const incarnation_id& node) const;

  /// Copies on other nodes, whole or arriving.
  [[nodiscard]] std::size_t copies() const noexcept;

  /// Nodes that have the whole object, the owner aside, in the order in which they began.
  [[nodiscard]] std::vector<incarnation_id> whole_copies(std::uint64_t sequence) const;

  /// Asserts that all counts agree. O(n).
  void check_invariants() const;

private:
  struct copy {
    incarnation_id node;
    bool whole = false;
    copy_ticket source = copy_ticket::none; ///< `none`: the owner
    std::size_t depth = 0;                  ///< hops from the owner
    std::size_t arriving = 0;               ///< readers sent here that are not done
    std::size_t readers = 0;                ///< sent here ever; never lowered
  };

  using copy_map = std::map<copy_ticket, copy>; ///< in the order in which they began

  struct object {
    copy_map copies; ///< the owner's own under `none`
    std::map<incarnation_id, copy_ticket> tickets;
    std::set<incarnation_id> retired; ///< may still be waited for
  };

  struct node {
    std::string host;
    std::set<std::uint64_t> objects; ///< exactly those that it has a copy of
  };

  using object_map = std::map<std::uint64_t, object>;

  [[nodiscard]] const copy_map::value_type& pick(const object& from,
                                                 const incarnation_id& reader) const;
  [[nodiscard]] const std::string& host_of(const copy_map::value_type& known) const;
  void end_copy(object_map::iterator position, const incarnation_id& node);
  static void leave_source(object& of, const copy& done);
  static void forget_retired(object& of);

  incarnation_id owner_;
  std::string host_;
  std::map<incarnation_id, node> nodes_;
  object_map objects_; ///< exactly those that others have copies of
  std::uint64_t tickets_drawn_ = 0;
};

} // namespace mobula
