#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "mobula/actors/exchange/object_reply.hpp"
#include "mobula/actors/objects/entry_watch.hpp"
#include "mobula/actors/wire/peer_messages.hpp"
#include "mobula/store/transfer/copy_directory.hpp"

namespace mobula {

/// Bounds of an owner's replies in one message.
struct answer_limits {
  /// An answer is sent when it is as large as this; one object may be larger.
  static constexpr std::size_t answer_bytes = std::size_t{1} << 20U;

  /// An answer to one event is no longer than this and one more object; the rest is deferred.
  static constexpr std::size_t event_bytes = std::size_t{4} << 20U;

  /// A value larger than this is pulled over the data port, if its reader can do that.
  static constexpr std::size_t value_bytes = std::size_t{256} << 10U;
};

/// A node that waits for an object, the form in which it wants the reply, and how much it takes.
struct awaiting_peer {
  peer_session session;
  reply_form form = reply_form::bytes;
  reply_form large_form = reply_form::bytes; ///< of what is in no arena, and large for a message
  std::uint32_t max_message_bytes = 0;       ///< that it lets in
};

/// An owner's side of reading: replies to other nodes for the objects that they request, at once or
/// when these can be read. Nothing polls: an object that is pending or on disk is watched as by any
/// reader.
///
/// *Size*: control messages and heartbeats share a connection, in order. So an answer has a limit
/// in bytes, and a value that is large for it is pulled over the data port by whoever can do so,
/// wherever it is. What one event brings about has a limit as well, since CAF takes all that it is
/// given into memory, for as long as the other side takes to read it: the reply for the rest is
/// `deferred`: the reader requests it again when it has got what comes before. A window without any
/// state here; each round names the rest once more, in 30 bytes for each of its values. A value
/// that is larger than a message may be, by this node's limit or its reader's, and cannot be
/// pulled, is refused until it can.
///
/// | field             | raised by                          | lowered by                         |
/// |-------------------|------------------------------------|------------------------------------|
/// | waiting_          | `requested`, of what is not there  | `ready`; its last reader's end     |
/// | waiting::readers  | `requested`, once for each session | `let_go`, `session_ended`, `ready` |
/// | answers_, states_ | every reply                        | `take_answers`                     |
/// | latest_           | the same                           | the same                           |
/// | spent_            | every reply                        | `begin_event`                      |
///
/// *Bounds*: one watch for each object that others borrow and wait for; answers by `answer_limits`.
class value_server {
public:
  /// REQUIRES: both outlive this; the directory knows all nodes that readers are on.
  value_server(node_core& core, copy_directory& copies);

  value_server(const value_server&) = delete;
  value_server& operator=(const value_server&) = delete;

  ~value_server();

  /// Replies to former events do not count any more.
  void begin_event() noexcept {
    spent_.clear();
  }

  /// REQUIRES: the reader borrows these objects; `let_go` follows when it returns one.
  void requested(const awaiting_peer& reader, std::span<const std::uint64_t> sequences);

  /// The gateway says that a watched object is there.
  void ready(std::uint64_t sequence);

  /// The reader does not hold the object any more.
  void let_go(const incarnation_id& reader, std::uint64_t sequence);

  void session_ended(const incarnation_id& reader);

  /// Nobody waits for an answer any more. REQUIRES: nothing else follows.
  void stop();

  /// Replies to a node that did not ask just now.
  void reply(object_reply object, const peer_session& reader);

  /// Returns the messages that the last event brought about, each with whom to send it to.
  [[nodiscard]] std::vector<std::pair<peer_session, object_replies>> take_answers();

  /// Returns whether a reader waits for this object.
  [[nodiscard]] bool awaited(std::uint64_t sequence) const {
    return waiting_.contains(sequence);
  }

  [[nodiscard]] std::size_t waiting() const noexcept {
    return waiting_.size();
  }

private:
  struct watched_object {
    entry_watch watch;
    std::vector<awaiting_peer> readers;
  };

  struct answer_state {
    std::size_t bytes = 0;
    carried_bytes metadata; ///< metadata of the latest object
  };

  bool reply_if_readable(const object_handle& entry, std::span<const awaiting_peer> readers);
  void watch(object_handle entry, const awaiting_peer& reader);
  void reply_with_value_of(const object_handle& entry, pinned_value pin,
                           std::span<const awaiting_peer> readers);
  void reply_with_description_of(const object_handle& entry,
                                 std::span<const awaiting_peer> readers);
  void reply_in_form(object_reply object, const awaiting_peer& reader);
  [[nodiscard]] std::uint64_t max_object_bytes_for(const awaiting_peer& reader) const noexcept;
  [[nodiscard]] object_reply refuse_size(const object_reply& object, std::size_t size,
                                         std::uint64_t max_bytes) const;
  void reply_to_all(const object_reply& object, std::span<const awaiting_peer> readers);
  [[nodiscard]] bool deferred(std::uint64_t sequence, const peer_session& reader);

  node_core& core_;
  copy_directory& copies_;
  const std::uint64_t max_object_bytes_; ///< in a message, by this node's own limit
  std::unordered_map<std::uint64_t, watched_object> waiting_;
  std::vector<std::pair<peer_session, object_replies>> answers_;
  std::vector<answer_state> states_;           ///< of each answer
  std::map<peer_session, std::size_t> latest_; ///< each reader's answer that is not full
  std::map<peer_session, std::size_t> spent_;  ///< bytes of replies to this event
  metadata_writer writer_;
};

} // namespace mobula
