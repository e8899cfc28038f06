#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "mobula/serialization/ids.hpp"
#include "mobula/store/port/data_port_config.hpp"
#include "mobula/store/port/transfer_port.hpp"
#include "mobula/store/transfer/pull_effects.hpp"
#include "mobula/store/transfer/push_effects.hpp"
#include "mobula/store/transfer/transfer_frames.hpp"

namespace mobula {

struct data_port_failure {
  std::string message;
};

/// Moves the bytes of objects between nodes, from where they are to where they stay, without a copy
/// in between and without a thought of its own: `push_table` and `pull_table` say what goes where.
///
/// The idea: one thread owns every socket and all that belongs to one, so there is nothing to lock.
/// It waits for sockets to be ready and then reads or writes what is possible at once; no operation
/// in flight holds an address. So an ask can end at any moment, and from then on nobody writes into
/// its buffer, as the table requires. (Asynchronous reads would have to be waited for, from a
/// sender that may be silent for good.) A second thread does what takes long: reads files and
/// compresses.
///
/// Bytes do not go through actors' mailboxes: each hop would cost a copy, and a 4 MiB chunk would
/// hold up the small messages behind it.
///
/// *Trust.* A connection must greet with the token that its node was given, in time, before
/// anything else is read from it. Frames that are damaged, out of bounds, or unasked for close
/// their connection, with one line to `connection_refused`, and do nothing else.
///
/// *Addresses.* A node may have several, of which some lead nowhere, or to others: they are tried
/// one after the other until the node greets, and where it did is tried first from then on.
///
/// *Dead connections.* TCP alone notices a silent one after minutes, or never. So the system tests
/// idle ones, which also keeps firewalls from forgetting them, and whoever asks in vain has its
/// connection closed.
///
/// *Ends.* Every ask ends in `ask_finished`, `ask_refused` or `ask_lost`, every send in `sent` or
/// `send_failed`, exactly once, also when the port is destroyed.
///
/// Bounded by the tables: asks, sends and, since nodes only connect to ask, connections.
class data_port final : public transfer_port {
public:
  using opened = std::variant<std::unique_ptr<data_port>, data_port_failure>;

  /// Listens. Both interfaces must outlive the port.
  [[nodiscard]] static opened open(const data_port_config& config, transfer_source& source,
                                   transfer_events& events);

  /// Closes every connection and reports all ends.
  ~data_port() override;

  data_port(const data_port&) = delete;
  data_port& operator=(const data_port&) = delete;

  /// Returns where the port listens.
  [[nodiscard]] data_address address() const;

  // -- transfer_port --------------------------------------------------------------

  void admit(const incarnation_id& node, const transfer_token& token) override;
  void add_peer(const incarnation_id& node, std::span<const data_address> addresses,
                const transfer_token& token) override;
  void remove_node(const incarnation_id& node) override;
  void ask(const ask_bytes& ask, std::span<std::byte> buffer) override;
  void cancel(const cancel_ask& cancel) override;
  void close(const close_lane& lane) override;
  void send(const send_chunk& chunk) override;
  void refuse(const send_refusal& refusal) override;

private:
  class state;

  explicit data_port(std::unique_ptr<state> content);

  std::unique_ptr<state> state_;
};

} // namespace mobula
