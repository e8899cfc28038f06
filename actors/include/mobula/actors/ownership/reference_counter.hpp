#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "mobula/actors/messages/owner_messages.hpp"
#include "mobula/actors/messages/service_interfaces.hpp"
#include "mobula/actors/objects/entry_stripe.hpp"

namespace mobula {

class node_core;

/// Turns what a node's stripes gathered into what its owner is told, in the order that the owner
/// relies on. No clock, no I/O.
///
/// An object is told of at most three times: that the node refers to it, that it was sealed (if it
/// was not when first told), and that the node refers to it no more. The owner takes each of these
/// as the first of its kind, so this is where their order is kept:
///
/// - all additions of a turn come before its seals, and these before its removals;
/// - turns follow each other, and one sender's messages to one receiver stay in order in CAF.
class reference_relay {
public:
  using owner_message = std::variant<add_references, seal_objects, remove_references>;

  /// A turn: the stripes handed over what happened since the last one. Returns what to send, in the
  /// order of the list: at most one message of each kind, and none of kinds of which nothing
  /// happened.
  [[nodiscard]] std::vector<owner_message> changes_taken(reference_changes changes);

  /// Objects that the owner was told of, and not yet told the end of.
  [[nodiscard]] std::uint64_t references() const noexcept {
    return references_;
  }

private:
  std::uint64_t references_ = 0;
};

/// Starts the reference counter of `core`. It only relays to the local owner, for all objects of a
/// node's entries that have one belong to the node itself, and what is counted is counted by
/// entries and by the owner. An actor all the same: threads that drop handles gather what they have
/// in stripes, and one message has it taken from all of these, so that the owner gets one batch for
/// many changes, and never one for each.
reference_counter_actor spawn_reference_counter(node_core& core);

} // namespace mobula
