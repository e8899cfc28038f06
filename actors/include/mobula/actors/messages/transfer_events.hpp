#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "mobula/actors/caf/message_type.hpp"
#include "mobula/actors/caf/sending.hpp"
#include "mobula/store/port/transfer_port.hpp"

namespace mobula {

// The events of a port, as messages to the actor that owns it.

struct reader_connected {
  reader_connection connection{};
  incarnation_id node;
};

struct reader_disconnected {
  reader_connection connection{};
};

struct reader_asked {
  reader_connection connection{};
  ask_number ask{};
  object_range range;
};

struct reader_canceled {
  reader_connection connection{};
  ask_number ask{};
};

struct chunk_sent {
  send_number send{};
};

struct chunk_not_sent {
  send_number send{};
  send_failure failure{};
};

struct bytes_arrived {
  ask_number ask{};
  std::uint64_t bytes = 0;
};

struct request_finished {
  ask_number ask{};
};

struct request_refused {
  ask_number ask{};
  refusal_reason reason{};
};

struct request_lost {
  ask_number ask{};
};

struct lane_progress {
  incarnation_id node;
  data_lane lane{};
};

struct source_answered {
  incarnation_id node;
};

struct source_silent {
  incarnation_id node;
  connect_failure why{};
};

struct connection_refused {
  std::string why;
};

using port_event =
  std::variant<reader_connected, reader_disconnected, reader_asked, reader_canceled, chunk_sent,
               chunk_not_sent, bytes_arrived, request_finished, request_refused, request_lost,
               lane_progress, source_answered, source_silent, connection_refused>;

/// Events of a port, in the order in which they happened.
struct port_events {
  std::vector<port_event> events;
};

/// When a port's events become a message.
enum class event_batch : std::uint8_t {
  one, ///< each by itself, as schedules are to mix them
  turn ///< those of a turn of the port's together: a message costs more than most events
};

/// Sends a port's events to an actor. The actor must let go of it before it ends: each holds the
/// other.
class port_messenger final : public transfer_events {
public:
  port_messenger(caf::strong_actor_ptr receiver, event_batch batch)
    : receiver_(std::move(receiver)), batch_(batch) {
    // nop
  }

  void reader_connected(reader_connection connection, const incarnation_id& node) override {
    notify(mobula::reader_connected{connection, node});
  }

  void reader_disconnected(reader_connection connection) override {
    notify(mobula::reader_disconnected{connection});
  }

  void asked(reader_connection connection, ask_number ask, const object_range& range) override {
    notify(reader_asked{connection, ask, range});
  }

  void canceled(reader_connection connection, ask_number ask) override {
    notify(reader_canceled{connection, ask});
  }

  void sent(send_number send) override {
    notify(chunk_sent{send});
  }

  void send_failed(send_number send, send_failure failure) override {
    notify(chunk_not_sent{send, failure});
  }

  void bytes_arrived(ask_number ask, std::uint64_t bytes) override {
    notify(mobula::bytes_arrived{ask, bytes});
  }

  void ask_finished(ask_number ask) override {
    notify(request_finished{ask});
  }

  void ask_refused(ask_number ask, refusal_reason reason) override {
    notify(request_refused{ask, reason});
  }

  void ask_lost(ask_number ask) override {
    notify(request_lost{ask});
  }

  void lane_progressed(const incarnation_id& node, data_lane lane) override {
    notify(lane_progress{node, lane});
  }

  void source_connected(const incarnation_id& node) override {
    notify(source_answered{node});
  }

  void source_unreachable(const incarnation_id& node, connect_failure why) override {
    notify(source_silent{node, why});
  }

  void connection_refused(std::string_view why) override {
    notify(mobula::connection_refused{std::string{why}});
  }

  void turn_ended() override {
    if (!gathered_.empty())
      send_to(receiver_, port_events{std::exchange(gathered_, {})});
  }

private:
  template <class Event>
  void notify(Event event) {
    gathered_.emplace_back(std::move(event));
    if (batch_ == event_batch::one)
      turn_ended();
  }

  caf::strong_actor_ptr receiver_;
  event_batch batch_;
  std::vector<port_event> gathered_;
};

} // namespace mobula

MOBULA_LOCAL_MESSAGE(mobula::port_events)
