#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "mobula/actors/exchange/told_value.hpp"
#include "mobula/actors/objects/object_handle.hpp"
#include "mobula/actors/objects/wait_group.hpp"
#include "mobula/actors/wire/peer_messages.hpp"
#include "mobula/store/transfer/copy_directory.hpp"

namespace mobula {

/// Bounds of what an owner tells in one message.
struct answer_limits {
  /// An answer is sent when it is as large as this; one object may be larger.
  static constexpr std::size_t answer_bytes = std::size_t{1} << 20U;

  /// An answer to one event is no longer than this and one more object; the rest is deferred.
  static constexpr std::size_t event_bytes = std::size_t{4} << 20U;

  /// A value larger than this is pulled over the data port, if its reader can do that.
  static constexpr std::size_t value_bytes = std::size_t{256} << 10U;
};

/// Watches one own object for the cluster actor.
class seal_watch;

/// A node that waits for an object, and how it wants to be told.
struct awaiting_peer {
  peer_session session;
  told_form form = told_form::bytes;
  told_form large_form = told_form::bytes; ///< of what is in no arena, and large for a message
};

/// An owner's side of reading: tells other nodes the objects that they ask for, at once or when
/// they are there. Nothing polls: an object that is pending or on disk is watched as by any reader.
///
/// *Size*: control messages and heartbeats share a connection, in order. So an answer has a limit
/// in bytes, and a value that is large for it is pulled over the data port by whoever can do so,
/// wherever it is. What one event brings about has a limit as well, since CAF takes all that it is
/// given into memory, for as long as the other side takes to read it: a reader is told of the rest
/// that it is to be asked for again, which it does when it has got what comes before that. A window
/// without any state here; each round names the rest once more, in 30 bytes for each of its values.
/// A value that is larger than a message may be, and cannot be pulled, is refused until it can.
///
/// | field            | raised by                       | lowered by                         |
/// |------------------|---------------------------------|------------------------------------|
/// | waiting_         | `wanted`, of what is not there  | `ready`; its last reader's end     |
/// | waiting::readers | `wanted`, once for each session | `let_go`, `session_ended`, `ready` |
/// | answers_, states_| all that is told                | `take_answers`                     |
/// | latest_          | the same                        | the same                           |
/// | spent_           | all that is told                | `begin_event`                      |
///
/// *Bounds*: one watch for each object that others borrow and wait for; answers by `answer_limits`.
class value_teller {
public:
  /// REQUIRES: both outlive this; the directory knows all nodes that readers are on.
  value_teller(node_core& core, copy_directory& copies);

  value_teller(const value_teller&) = delete;
  value_teller& operator=(const value_teller&) = delete;

  ~value_teller();

  /// What was told in former events does not count any more.
  void begin_event() noexcept {
    spent_.clear();
  }

  /// REQUIRES: the reader borrows these objects; `let_go` follows when it returns one.
  void wanted(const awaiting_peer& reader, std::span<const std::uint64_t> sequences);

  /// The border says that a watched object is there.
  void ready(std::uint64_t sequence);

  /// The reader does not hold the object any more.
  void let_go(const incarnation_id& reader, std::uint64_t sequence);

  void session_ended(const incarnation_id& reader);

  /// Tells a node what it did not ask for now.
  void tell(told_object object, const peer_session& reader);

  /// Returns the messages that the last event brought about, each with whom to send it to.
  [[nodiscard]] std::vector<std::pair<peer_session, objects_told>> take_answers();

  /// Returns whether a reader waits for this object.
  [[nodiscard]] bool awaited(std::uint64_t sequence) const {
    return waiting_.contains(sequence);
  }

  [[nodiscard]] std::size_t waiting() const noexcept {
    return waiting_.size();
  }

private:
  struct watched_object {
    object_handle entry;
    wait_handle<seal_watch> watch; ///< ends before the handle
    std::vector<awaiting_peer> readers;
  };

  struct answer_state {
    std::size_t bytes = 0;
    carried_bytes about; ///< metadata of the latest object
  };

  bool tell_if_there(const object_handle& entry, std::span<const awaiting_peer> readers);
  void watch(object_handle entry, const awaiting_peer& reader);
  void tell_value_of(const object_handle& entry, pinned_value pin,
                     std::span<const awaiting_peer> readers);
  void tell_description_of(const object_handle& entry, std::span<const awaiting_peer> readers);
  void tell_in_form(told_object object, const peer_session& reader);
  [[nodiscard]] told_object refuse_size(const told_object& object, std::size_t size) const;
  void tell_all(const told_object& object, std::span<const awaiting_peer> readers);
  [[nodiscard]] bool deferred(std::uint64_t sequence, const peer_session& reader);

  node_core& core_;
  copy_directory& copies_;
  const std::uint64_t max_object_bytes_; ///< in a message
  std::unordered_map<std::uint64_t, watched_object> waiting_;
  std::vector<std::pair<peer_session, objects_told>> answers_;
  std::vector<answer_state> states_;           ///< of each answer
  std::map<peer_session, std::size_t> latest_; ///< each reader's answer that is not full
  std::map<peer_session, std::size_t> spent_;  ///< bytes told in this event
  metadata_writer writer_;
};

} // namespace mobula
