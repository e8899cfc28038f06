#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "mobula/actors/caf/caf_compat.hpp"
#include "mobula/store/port/transfer_port.hpp"

namespace mobula {

// What a port has told, as messages to the actor that owns it.

struct reader_came {
  reader_connection connection{};
  incarnation_id node;
};

struct reader_went {
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

struct bytes_came {
  ask_number ask{};
  std::uint64_t bytes = 0;
};

struct ask_complete {
  ask_number ask{};
};

struct ask_turned_down {
  ask_number ask{};
  refusal_reason reason{};
};

struct ask_broken {
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

struct connection_turned_down {
  std::string why;
};

/// Something that a port has to tell.
struct port_told {
  std::variant<reader_came, reader_went, reader_asked, reader_canceled, chunk_sent, chunk_not_sent,
               bytes_came, ask_complete, ask_turned_down, ask_broken, lane_progress,
               source_answered, source_silent, connection_turned_down>
    news;
};

/// Passes on what a port tells, to an actor. The actor must let go of it before it ends: each holds
/// the other.
class port_messenger final : public transfer_events {
public:
  explicit port_messenger(caf::strong_actor_ptr receiver) : receiver_(std::move(receiver)) {
    // nop
  }

  void reader_connected(reader_connection connection, const incarnation_id& node) override {
    tell(reader_came{connection, node});
  }

  void reader_disconnected(reader_connection connection) override {
    tell(reader_went{connection});
  }

  void asked(reader_connection connection, ask_number ask, const object_range& range) override {
    tell(reader_asked{connection, ask, range});
  }

  void canceled(reader_connection connection, ask_number ask) override {
    tell(reader_canceled{connection, ask});
  }

  void sent(send_number send) override {
    tell(chunk_sent{send});
  }

  void send_failed(send_number send, send_failure failure) override {
    tell(chunk_not_sent{send, failure});
  }

  void bytes_arrived(ask_number ask, std::uint64_t bytes) override {
    tell(bytes_came{ask, bytes});
  }

  void ask_finished(ask_number ask) override {
    tell(ask_complete{ask});
  }

  void ask_refused(ask_number ask, refusal_reason reason) override {
    tell(ask_turned_down{ask, reason});
  }

  void ask_lost(ask_number ask) override {
    tell(ask_broken{ask});
  }

  void lane_progressed(const incarnation_id& node, data_lane lane) override {
    tell(lane_progress{node, lane});
  }

  void source_connected(const incarnation_id& node) override {
    tell(source_answered{node});
  }

  void source_unreachable(const incarnation_id& node, connect_failure why) override {
    tell(source_silent{node, why});
  }

  void connection_refused(std::string_view why) override {
    tell(connection_turned_down{std::string{why}});
  }

private:
  template <class News>
  void tell(News news) {
    send_to(receiver_, port_told{std::move(news)});
  }

  caf::strong_actor_ptr receiver_;
};

} // namespace mobula

MOBULA_LOCAL_MESSAGE(mobula::port_told)
