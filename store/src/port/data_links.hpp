#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "mobula/serialization/checksum.hpp"
#include "mobula/store/port/address_attempts.hpp"
#include "mobula/store/port/data_port_config.hpp"
#include "mobula/store/port/transfer_port.hpp"
#include "mobula/store/port/wire_compression.hpp"
#include "mobula/store/transfer/transfer_frames.hpp"

/// The connections of a data port. Everything here belongs to the port's one thread.

namespace mobula {

class data_link;

/// What links need of their port.
class link_owner {
public:
  virtual ~link_owner() = default;

  [[nodiscard]] virtual const data_port_config& config() const = 0;
  [[nodiscard]] virtual transfer_events& events() = 0;

  /// Returns whether the greeting names this node and comes with its sender's token.
  [[nodiscard]] virtual bool believes(const hello_frame& greeting) const = 0;

  /// Gives a link that has been greeted its name.
  [[nodiscard]] virtual reader_connection greeted(data_link& link, const incarnation_id& node) = 0;

  /// A node that was asked has greeted there.
  virtual void reached(const incarnation_id& node, const boost::asio::ip::tcp::endpoint& where) = 0;

  /// The link is closed; nothing more comes from it.
  virtual void closed(data_link& link) = 0;
};

/// A chunk of so many bytes ends the port's turn: a message costs little beside them, and whoever
/// hears of one can go on while others come.
inline constexpr std::size_t turn_ending_bytes = std::size_t{256} << 10;

/// A frame on its way out.
struct outgoing_frame {
  frame_header header{};
  served_bytes payload{};
  std::optional<send_number> send{}; ///< of a chunk
  std::size_t written = 0;           ///< of header and payload together
};

/// One connection: what both ends have in common. It waits for its socket to be ready and reads and
/// writes at once; so nothing but its own functions ever touches bytes that it was given.
class data_link : public std::enable_shared_from_this<data_link> {
public:
  using tcp = boost::asio::ip::tcp;

  data_link(link_owner& owner, tcp::socket socket);
  virtual ~data_link() = default;

  data_link(const data_link&) = delete;
  data_link& operator=(const data_link&) = delete;

  /// Closes the connection and reports all ends. With a reason, says so.
  void close(std::string_view why);

  [[nodiscard]] bool is_closed() const noexcept {
    return closed_;
  }

protected:
  /// Reads what is there. Returns whether there may be more.
  enum class reading : std::uint8_t { more, would_block };

  virtual reading read_some() = 0;

  /// The first frame after an idle time is about to be written.
  virtual void writing_begins();

  /// A frame has been written.
  virtual void frame_written(const outgoing_frame& frame) = 0;

  /// The link has just closed.
  virtual void report_ends() = 0;

  /// There was no greeting in time.
  virtual void greeting_overdue();

  /// The other side has closed the connection, or it broke.
  virtual void connection_ended();

  void start_reading();
  void start_greeting_timer(std::chrono::milliseconds limit);
  void end_greeting();

  /// Gives the connection up, but not the link: forgets what was to be written, and may connect
  /// anew.
  void disconnect();
  void enqueue(outgoing_frame frame);

  /// Says what `read_some` of the socket gave. Tells of the end of the stream.
  [[nodiscard]] reading after_read(const boost::system::error_code& error);

  [[nodiscard]] std::deque<outgoing_frame>& outgoing() noexcept {
    return outgoing_;
  }

  [[nodiscard]] link_owner& owner() noexcept {
    return *owner_;
  }

  tcp::socket socket_;

private:
  void set_options(boost::system::error_code& error);
  void wait_readable();
  void read_turn();
  void write_gathered();
  void write_turn();
  [[nodiscard]] std::size_t write_once(boost::system::error_code& error);
  void advance(std::size_t bytes);

  link_owner* owner_;
  boost::asio::steady_timer greeting_timer_;
  std::deque<outgoing_frame> outgoing_; ///< at most `max_waiting_frames`
  bool waits_to_write_ = false;         ///< until the socket takes more
  bool writes_soon_ = false;            ///< when what is queued now has been done
  bool ready_ = false;                  ///< connected
  bool closed_ = false;
};

/// A connection that a node made to ask this one.
class reader_link final : public data_link {
public:
  reader_link(link_owner& owner, tcp::socket socket);

  void start();
  void send(outgoing_frame frame);

  [[nodiscard]] const incarnation_id& node() const noexcept {
    return node_;
  }

  /// REQUIRES: greeted.
  [[nodiscard]] reader_connection id() const noexcept {
    return *id_;
  }

  [[nodiscard]] bool is_greeted() const noexcept {
    return id_.has_value();
  }

  [[nodiscard]] compression_meter& meter() noexcept {
    return meter_;
  }

protected:
  reading read_some() override;
  void writing_begins() override;
  void frame_written(const outgoing_frame& frame) override;
  void report_ends() override;

private:
  /// Asks are short: several are read at once.
  static constexpr std::size_t frames_at_once = 32;

  void handle(std::span<const std::byte, frame_bytes> bytes);
  void greet(const transfer_frame& frame);

  std::optional<reader_connection> id_;
  incarnation_id node_;
  std::array<std::byte, frames_at_once * frame_bytes> buffer_{};
  std::size_t filled_ = 0;
  compression_meter meter_;
  std::chrono::steady_clock::time_point last_written_;
};

/// A connection that this node made to ask another one.
class source_link final : public data_link {
public:
  source_link(link_owner& owner, tcp::socket socket, const incarnation_id& node, data_lane lane,
              const transfer_token& token);

  /// Connects to the first of these that leads to the node. REQUIRES: there is one.
  void connect(std::vector<tcp::endpoint> endpoints);
  void ask(const ask_bytes& ask, std::span<std::byte> buffer);

  /// Ends an ask. What still comes for it is dropped.
  void cancel(ask_number ask);

  [[nodiscard]] bool has(ask_number ask) const {
    return asks_.contains(ask);
  }

  [[nodiscard]] const incarnation_id& node() const noexcept {
    return node_;
  }

  [[nodiscard]] data_lane lane() const noexcept {
    return lane_;
  }

protected:
  reading read_some() override;
  void frame_written(const outgoing_frame& frame) override;
  void report_ends() override;
  void greeting_overdue() override;
  void connection_ended() override;

private:
  struct open_ask {
    object_range range;
    std::span<std::byte> buffer;
    std::uint64_t arrived = 0; ///< in whole, checked chunks
  };

  /// The chunk whose payload is being read.
  struct incoming_chunk {
    chunk_frame frame;
    std::uint32_t received = 0;
  };

  void start_attempt();
  void connect_failed(const boost::system::error_code& error);
  [[nodiscard]] bool tries_another(connect_failure why);
  void attempt_failed(connect_failure why);
  void offended(std::string_view why);
  void handle_header();
  void handle(const hello_frame& greeting);
  void handle(const chunk_frame& chunk);
  void handle(const refusal_frame& refusal);
  [[nodiscard]] std::span<std::byte> payload_target();
  void payload_read(std::span<const std::byte> bytes);
  void finish_chunk();
  void tell_progress();
  void ask_ended();
  [[nodiscard]] bool was_asked(ask_number ask) const noexcept;

  incarnation_id node_;
  data_lane lane_;
  transfer_token token_;
  bool greeted_ = false;
  std::vector<tcp::endpoint> endpoints_;
  std::optional<address_attempts> attempts_; ///< over these
  std::map<ask_number, open_ask> asks_;
  std::uint64_t last_ask_ = 0;
  frame_header header_{};
  std::size_t header_filled_ = 0;
  std::optional<incoming_chunk> chunk_;
  std::chrono::steady_clock::time_point told_; ///< of progress, or that the chunk began
  running_checksum sum_;                       ///< of what was read of the chunk
  std::vector<std::byte> compressed_; ///< payload of a compressed chunk; none without an ask
  std::vector<std::byte> dropped_;    ///< where the payload of a canceled ask goes; likewise
};

} // namespace mobula
