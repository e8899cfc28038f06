#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "mobula/actors/wire_compression.hpp"
#include "mobula/serialization/ids.hpp"
#include "mobula/store/pull_effects.hpp"
#include "mobula/store/push_effects.hpp"
#include "mobula/store/transfer_frames.hpp"

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

  // -- to people ------------------------------------------------------------------

  /// A connection was closed for what came over it, or could not be made: one line, without its
  /// end.
  virtual void connection_refused(std::string_view why) = 0;
};

struct data_port_config {
  incarnation_id self{};
  data_address listen{.ip = "127.0.0.1"}; ///< port 0: any that is free
  compression_mode compression = compression_mode::automatic;
  /// How long a connection may take until both sides have greeted.
  std::uint64_t greeting_ms = 5'000;
  /// Connections that have not greeted yet; more are closed at once.
  std::size_t max_strangers = 64;
  /// Frames that wait for a reader that does not read; more end its connection.
  std::size_t max_waiting_frames = 4'096;
};

struct data_port_failure {
  std::string message;
};

/// Moves the bytes of objects between nodes, from where they are to where they stay, without a copy
/// in between and without a thought of its own: `push_table` and `pull_table` say what goes where.
///
/// The idea: one thread owns every socket and all that belongs to one, so there is nothing to lock.
/// It waits for sockets to be ready and then reads or writes what is possible at once; no operation
/// in flight holds an address. So an ask can end at any moment, and from then on nobody writes into
/// its room, as the table requires. (Asynchronous reads would have to be waited for, from a sender
/// that may be silent for good.) A second thread does what takes long: reads files and compresses.
///
/// Bytes do not go through actors' mailboxes: each hop would cost a copy, and a 4 MiB chunk would
/// hold up the small messages behind it.
///
/// *Trust.* A connection must greet with the token that its node was given, in time, before
/// anything else is read from it. Frames that are damaged, out of bounds, or unasked for close
/// their connection, with one line to `connection_refused`, and do nothing else.
///
/// *Ends.* Every ask ends in `ask_finished`, `ask_refused` or `ask_lost`, every send in `sent` or
/// `send_failed`, exactly once, also when the port is destroyed.
///
/// Bounded by the tables: asks, sends and, since nodes only connect to ask, connections. All
/// functions may be called from any thread but the port's own.
class data_port {
public:
  using opened = std::variant<std::unique_ptr<data_port>, data_port_failure>;

  /// Listens. Both interfaces must outlive the port.
  [[nodiscard]] static opened open(const data_port_config& config, transfer_source& source,
                                   transfer_events& events);

  /// Closes every connection and reports all ends.
  ~data_port();

  data_port(const data_port&) = delete;
  data_port& operator=(const data_port&) = delete;

  /// Returns where the port listens.
  [[nodiscard]] data_address address() const;

  // -- nodes ----------------------------------------------------------------------

  /// Lets a node connect that greets with this token; replaces its former one.
  void admit(const incarnation_id& node, const transfer_token& token);

  /// Says where a node listens, and the token that it wants to see.
  void add_peer(const incarnation_id& node, const data_address& address,
                const transfer_token& token);

  /// Closes all connections to and from a node, and forgets both of the above.
  void remove_node(const incarnation_id& node);

  // -- effects of the tables ------------------------------------------------------

  /// Asks for bytes, which are written to `room`; nobody writes there once the ask has ended.
  /// REQUIRES: `room` is as long as the range.
  void ask(const ask_bytes& ask, std::span<std::byte> room);

  void cancel(const cancel_ask& cancel);

  void send(const send_chunk& chunk);

  void refuse(const send_refusal& refusal);

private:
  class state;

  explicit data_port(std::unique_ptr<state> content);

  std::unique_ptr<state> state_;
};

} // namespace mobula
