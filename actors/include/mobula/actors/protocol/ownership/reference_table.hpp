#pragma once

#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

#include "mobula/actors/objects/entry_stripe.hpp"

namespace mobula {

/// State machine of the reference counter: turns what a node's stripes gathered into what its owner
/// is told, in the order that the owner relies on. No CAF, no clock, no I/O.
///
/// An object is told of at most three times: that the node refers to it, that it was sealed (if it
/// was not when first told), and that the node refers to it no more. The owner takes each of these
/// as the first of its kind, so this table is where their order is kept:
///
/// - all additions of a turn come before its seals, and these before its removals;
/// - turns follow each other, and one sender's messages to one receiver stay in order in CAF.
///
/// All objects of a node's entries belong to the node itself, so there is one owner to tell.
class reference_table {
public:
  struct tell_added {
    std::vector<object_record> references;
  };

  struct tell_sealed {
    std::vector<object_record> objects;
  };

  struct tell_removed {
    std::vector<release_token> tokens;
  };

  /// What the caller has to send, in the order of the list.
  using effect = std::variant<tell_added, tell_sealed, tell_removed>;

  /// A turn: the stripes handed over what happened since the last one. Returns at most one effect
  /// of each kind, and none for kinds of which nothing happened.
  std::vector<effect> changes_taken(reference_changes changes);

  /// Objects that the owner was told of, and not yet told the end of.
  [[nodiscard]] std::uint64_t references() const noexcept {
    return references_;
  }

private:
  std::uint64_t references_ = 0;
};

} // namespace mobula
