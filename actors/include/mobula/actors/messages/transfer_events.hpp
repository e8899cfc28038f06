#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

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

/// An event of a port.
struct port_event {
  std::variant<reader_connected, reader_disconnected, reader_asked, reader_canceled, chunk_sent,
               chunk_not_sent, bytes_arrived, request_finished, request_refused, request_lost,
               lane_progress, source_answered, source_silent, connection_refused>
    event;
};

/// Sends a port's events to an actor. The actor must let go of it before it ends: each holds the
/// other.
class port_messenger final : public transfer_events {
public:
  explicit port_messenger(caf::strong_actor_ptr receiver) : receiver_(std::move(receiver)) {
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

private:
  template <class Event>
  void notify(Event event) {
    send_to(receiver_, port_event{std::move(event)});
  }

  caf::strong_actor_ptr receiver_;
};

} // namespace mobula

MOBULA_LOCAL_MESSAGE(mobula::port_event)
