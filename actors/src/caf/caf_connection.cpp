// Connections for CAF's broker. A scribe, in CAF's words, moves bytes between a socket and a broker
// that says how many it wants next: a header, then as many as the header announces. That is where
// lengths are looked at. A long payload is read in pieces into a buffer that grows with them, and
// handed to the broker when it is whole.

#include "mobula/actors/caf/caf_connection.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/network/native_socket.hpp>
#include <caf/io/network/stream_impl.hpp>
#include <caf/policy/tcp.hpp>
#include <fmt/format.h>
#include <sys/socket.h>

#include "mobula/actors/caf/caf_log.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

namespace {

using caf::io::receive_policy;

/// Payloads up to this size are read at once.
constexpr std::size_t piece_bytes = 1U << 20U;

/// Above all numbers of descriptors, which CAF's own connections have.
constexpr std::int64_t first_handle = std::int64_t{1} << 40;

caf::io::connection_handle next_handle() {
  static std::atomic<std::int64_t> last{first_handle};
  return caf::io::connection_handle::from_int(++last);
}

class checked_connection final : public caf::io::scribe {
public:
  checked_connection(caf::io::network::default_multiplexer& multiplexer, owned_socket socket,
                     const connection_rules& rules, std::shared_ptr<const void> place)
    : scribe(next_handle()), rules_(rules), place_(std::move(place)),
      stream_(multiplexer, socket.release()), socket_(std::make_shared<const int>(stream_.fd())) {
    // nop
  }

  [[nodiscard]] connection_grip grip() const {
    return connection_grip{socket_};
  }

  void configure_read(receive_policy::config config) override;

  bool consume(caf::execution_unit* context, const void* data, std::size_t size) override;

  void ack_writes(bool enable) override {
    stream_.ack_writes(enable);
  }

  std::vector<char>& wr_buf() override {
    return stream_.wr_buf();
  }

  std::vector<char>& rd_buf() override {
    return awaited_bytes_ > 0 ? collected_ : stream_.rd_buf();
  }

  void graceful_shutdown() override {
    stream_.graceful_shutdown();
    detach(&stream_.backend(), false);
  }

  void flush() override {
    stream_.flush(this);
  }

  std::string addr() const override {
    auto result = caf::io::network::remote_addr_of_fd(*socket_);
    return result ? *result : std::string{};
  }

  std::uint16_t port() const override {
    auto result = caf::io::network::remote_port_of_fd(*socket_);
    return result ? *result : std::uint16_t{0};
  }

  void add_to_loop() override {
    stream_.activate(this);
  }

  void remove_from_loop() override {
    stream_.passivate();
  }

private:
  enum class phase : std::uint8_t { first_header, handshake, messages };

  bool deliver(caf::execution_unit* context, const void* data, std::size_t size);
  void read_next_piece();
  [[nodiscard]] bool refuse(caf::execution_unit* context, const std::string& why);

  connection_rules rules_;
  std::shared_ptr<const void> place_;
  caf::io::network::stream_impl<caf::policy::tcp> stream_; ///< closes the socket
  std::shared_ptr<const int> socket_;                      ///< goes before the stream
  phase phase_ = phase::first_header;
  bool launched_ = false;
  std::size_t awaited_bytes_ = 0; ///< of a payload that is collected; 0: none is
  std::vector<char> collected_;
  std::string objection_; ///< to what the broker was about to read
};

/// Called by the broker, from within `consume` but for the first time.
void checked_connection::configure_read(receive_policy::config config) {
  auto [policy, size] = config;
  if (phase_ == phase::messages && size > rules_.max_message_bytes) {
    objection_ = fmt::format("announced a message of {} bytes, but mobula.message-limit is {}; "
                             "put large values into the store and send references, or raise the "
                             "limit on all nodes",
                             size, rules_.max_message_bytes);
    return;
  }
  if (policy == caf::io::receive_policy_flag::exactly && size > piece_bytes) {
    awaited_bytes_ = size;
    read_next_piece();
  } else {
    stream_.configure_read(config);
  }
  if (!std::exchange(launched_, true))
    stream_.start(this);
}

void checked_connection::read_next_piece() {
  stream_.configure_read(
    receive_policy::exactly(std::min(piece_bytes, awaited_bytes_ - collected_.size())));
}

bool checked_connection::consume(caf::execution_unit* context, const void* data, std::size_t size) {
  if (detached())
    return false;
  // The broker may let go of its connection meanwhile.
  caf::intrusive_ptr<checked_connection> guard{this};
  if (phase_ == phase::first_header) {
    MOBULA_ASSERT(size == caf_header_bytes);
    auto header = std::span<const std::byte, caf_header_bytes>{static_cast<const std::byte*>(data),
                                                               caf_header_bytes};
    auto read = read_first_header(header, rules_.peer);
    if (const auto* why = std::get_if<std::string>(&read))
      return refuse(context, *why);
    phase_ = phase::handshake;
    return deliver(context, data, size);
  }
  phase_ = phase::messages;
  if (awaited_bytes_ == 0)
    return deliver(context, data, size);
  const auto* bytes = static_cast<const char*>(data);
  collected_.insert(collected_.end(), bytes, bytes + size);
  if (collected_.size() < awaited_bytes_) {
    read_next_piece();
    return true;
  }
  auto goes_on = deliver(context, collected_.data(), collected_.size());
  awaited_bytes_ = 0;
  collected_ = {};
  return goes_on;
}

/// Hands a header or a whole payload to the broker, out of `rd_buf`.
bool checked_connection::deliver(caf::execution_unit* context, const void* data, std::size_t size) {
  // The actor that a handshake names gets a proxy. Nobody but this broker has such connections.
  forget_last_hop(static_cast<caf::io::basp_broker&>(*parent()));
  auto goes_on = scribe::consume(context, data, size);
  if (!objection_.empty() && !detached())
    return refuse(context, std::exchange(objection_, {}));
  return goes_on;
}

/// Any peer that can connect can have this happen again and again: of many the log has few.
bool checked_connection::refuse(caf::execution_unit* context, const std::string& why) {
  static std::atomic<std::uint64_t> refused{0};
  if (auto count = ++refused; std::has_single_bit(count))
    log_warning(stream_.backend().system(),
                fmt::format("closed the connection with {}:{}, since it {} ({} of these so far)",
                            addr(), port(), why, count));
  // What waits to be written goes to nobody, and must not keep the connection.
  ::shutdown(*socket_, SHUT_RDWR);
  io_failure(context, caf::io::network::operation::read);
  return false;
}

} // namespace

// -- grips ----------------------------------------------------------------------------------------

void connection_grip::drop(caf::actor_system& system) const {
  if (socket_.expired())
    return;
  // In CAF's thread, where connections end: the descriptor cannot be another's meanwhile.
  system.middleman().backend().post([socket = socket_] {
    if (auto open = socket.lock())
      ::shutdown(*open, SHUT_RDWR);
  });
}

// -- handing over ---------------------------------------------------------------------------------

caf_connection make_connection(caf::actor_system& system, owned_socket socket,
                               const connection_rules& rules, std::shared_ptr<const void> place) {
  auto& backend =
    dynamic_cast<caf::io::network::default_multiplexer&>(system.middleman().backend());
  constexpr int yes = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes));
  auto result =
    caf::make_counted<checked_connection>(backend, std::move(socket), rules, std::move(place));
  auto grip = result->grip();
  return {std::move(result), std::move(grip)};
}

void forget_last_hop(caf::io::basp_broker& broker) noexcept {
  broker.set_last_hop(nullptr);
}

caf::strong_actor_ptr network_broker(caf::actor_system& system) {
  auto broker = system.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
  return caf::actor_cast<caf::strong_actor_ptr>(broker);
}

void serve(caf::actor_system& system, const published_service& service, caf_connection connection) {
  // A message that CAF's tests use: it greets over a connection that no acceptor of CAF's brought.
  network_broker(system)->enqueue(
    caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, caf::publish_atom_v,
                              std::move(connection.connection), service.port, service.actor,
                              service.interface),
    nullptr);
}

void greet(caf::scheduled_actor& self, caf::message_id request, caf_connection connection,
           std::uint16_t port) {
  network_broker(self.system())
    ->enqueue(caf::make_mailbox_element(caf::actor_cast<caf::strong_actor_ptr>(self.address()),
                                        request, {}, caf::connect_atom_v,
                                        std::move(connection.connection), port),
              self.context());
}

} // namespace mobula
