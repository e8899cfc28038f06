#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "mobula/serialization/ids.hpp"
#include "mobula/store/transfer/pull_effects.hpp"
#include "mobula/store/transfer/push_effects.hpp"
#include "mobula/store/transfer/source_reach.hpp"
#include "mobula/store/transfer/transfer_frames.hpp"

namespace mobula {

/// Where a data port listens. Names are resolved before, by whoever learns of them.
struct data_address {
  std::string ip; ///< such as `127.0.0.1` or `::1`
  std::uint16_t port = 0;

  friend bool operator==(const data_address&, const data_address&) = default;
};

/// Bytes on their way out. They stay as they are while `pin` lives.
struct served_bytes {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> pin;
};

/// Where a data port takes the bytes that it sends. Called in the port's threads, possibly two at a
/// time; calls for files come only from the one that may wait.
class transfer_source {
public:
  virtual ~transfer_source() = default;

  /// Returns exactly the bytes of the chunk; nothing if they cannot be had where it says.
  [[nodiscard]] virtual std::optional<served_bytes> pin(const send_chunk& chunk) = 0;
};

/// What a data port has to tell, in the words of `push_table` and `pull_table`. Called in the
/// port's threads, one call at a time: to be passed on, not to be acted on.
class transfer_events {
public:
  virtual ~transfer_events() = default;

  // -- to the push table ----------------------------------------------------------

  virtual void reader_connected(reader_connection connection, const incarnation_id& node) = 0;
  virtual void reader_disconnected(reader_connection connection) = 0;
  virtual void asked(reader_connection connection, ask_number ask, const object_range& range) = 0;
  virtual void canceled(reader_connection connection, ask_number ask) = 0;
  virtual void sent(send_number send) = 0;
  virtual void send_failed(send_number send, send_failure failure) = 0;

  // -- to the pull table ----------------------------------------------------------

  virtual void bytes_arrived(ask_number ask, std::uint64_t bytes) = 0;
  virtual void ask_finished(ask_number ask) = 0;
  virtual void ask_refused(ask_number ask, refusal_reason reason) = 0;
  virtual void ask_lost(ask_number ask) = 0;

  /// Part of a chunk has come over the connection. Told from time to time while a chunk is on its
  /// way, so that a slow connection can be told from a dead one.
  virtual void lane_progressed(const incarnation_id& node, data_lane lane) = 0;

  // -- to `source_reach` ----------------------------------------------------------

  /// A connection to the node was made, and it greeted.
  virtual void source_connected(const incarnation_id& node) = 0;

  /// None could be made. What was asked over it is told to be lost afterwards.
  virtual void source_unreachable(const incarnation_id& node, connect_failure why) = 0;

  // -- to people ------------------------------------------------------------------

  /// A connection was closed for what came over it, or could not be made: one line, without its
  /// end.
  virtual void connection_refused(std::string_view why) = 0;

  // -- batches --------------------------------------------------------------------

  /// The port has told what it has for now, and goes on or waits: what was gathered of the above is
  /// to be passed on.
  virtual void turn_ended() = 0;
};

/// Moves the bytes of objects between nodes: over sockets (`data_port`) or, in a simulation, within
/// the process. All functions may be called from any thread but the port's own; what they bring
/// about is told to the port's `transfer_events`.
class transfer_port {
public:
  virtual ~transfer_port() = default;

  // -- nodes ----------------------------------------------------------------------

  /// Lets a node connect that greets with this token; replaces its former one.
  virtual void admit(const incarnation_id& node, const transfer_token& token) = 0;

  /// Says where a node listens, in the order in which to try, and the token that it wants to see.
  /// Replaces what was said before, for connections that begin later.
  virtual void add_peer(const incarnation_id& node, std::span<const data_address> addresses,
                        const transfer_token& token) = 0;

  /// Closes all connections to and from a node, and forgets both of the above.
  virtual void remove_node(const incarnation_id& node) = 0;

  // -- effects of the tables ------------------------------------------------------

  /// Asks for bytes, which are written to `buffer`; nobody writes there once the ask has ended.
  /// REQUIRES: `buffer` is as long as the range.
  virtual void ask(const ask_bytes& ask, std::span<std::byte> buffer) = 0;

  virtual void cancel(const cancel_ask& cancel) = 0;

  /// Closes a connection, if there is one. The next ask opens another.
  virtual void close(const close_lane& lane) = 0;

  virtual void send(const send_chunk& chunk) = 0;

  virtual void refuse(const send_refusal& refusal) = 0;
};

} // namespace mobula
