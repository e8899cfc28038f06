#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "mobula/actors/protocol/session_id.hpp"
#include "mobula/serialization/ids.hpp"

namespace mobula {

/// Names one occurrence of a reference in one message. Unique in the life of the node that
/// serialized it; zero stands for none.
enum class transit_number : std::uint64_t { none = 0 };

/// Names one batch of borrows within a session; counts up by one.
enum class batch_number : std::uint64_t {};

/// Names one barrier of the node that asks for it.
enum class barrier_number : std::uint64_t {};

/// One session with one other node.
struct peer_session {
  incarnation_id node;
  session_id session = session_id::none;

  friend auto operator<=>(const peer_session&, const peer_session&) = default;
};

// What nodes say to each other about references. Every message names its session; in a session that
// is over it changes nothing. Between two nodes messages arrive in the order in which they were
// sent, and behind the user's messages that were sent before them.

/// One occurrence of a reference that arrived at the node that says so.
struct borrowed_reference {
  std::uint64_t sequence = 0;
  incarnation_id sender; ///< empty for a reference found in a value
  transit_number transit = transit_number::none;

  friend bool operator==(const borrowed_reference&, const borrowed_reference&) = default;
};

/// To the owner: the sender holds these objects. Each occurrence counts once.
struct borrow_references {
  session_id session = session_id::none;
  batch_number batch{};
  std::vector<borrowed_reference> references;
};

/// From the owner: it knows that the receiver holds what is in the batch.
struct references_confirmed {
  session_id session = session_id::none;
  batch_number batch{};
  std::vector<std::uint64_t> unknown; ///< objects of the batch that do not exist any more
};

/// A transit, and the object that it was for: numbers count up, so that anybody can name one.
struct ended_transit {
  std::uint64_t sequence = 0;
  transit_number transit = transit_number::none;

  friend bool operator==(const ended_transit&, const ended_transit&) = default;
};

/// From the owner: who received these references is known to it.
struct transits_ended {
  session_id session = session_id::none;
  std::vector<ended_transit> transits;
};

struct returned_reference {
  std::uint64_t sequence = 0;
  std::uint32_t count = 0; ///< as often as it was borrowed

  friend bool operator==(const returned_reference&, const returned_reference&) = default;
};

/// To the owner: the sender has let go.
struct return_references {
  session_id session = session_id::none;
  std::vector<returned_reference> references;
};

/// To the owner: somebody freed the values of these objects, which the sender holds. Their readers
/// are told of an error.
struct free_objects {
  session_id session = session_id::none;
  std::vector<std::uint64_t> sequences;
};

/// Asks the receiver to answer once the owners of all references that it got before have confirmed
/// it.
struct pass_barrier {
  session_id session = session_id::none;
  barrier_number number{};
};

struct barrier_passed {
  session_id session = session_id::none;
  barrier_number number{};
};

using reference_message =
  std::variant<borrow_references, references_confirmed, transits_ended, free_objects,
               return_references, pass_barrier, barrier_passed>;

} // namespace mobula
