// What both ends of a connection between data ports have in common: waiting, writing and closing,
// in the port's thread, which nothing here blocks.

#include <algorithm>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <netinet/tcp.h>

#include "data_links.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

namespace asio = boost::asio;

namespace {

/// Reads and writes before others get their turn.
constexpr int steps_a_turn = 64;

/// Tests of an idle connection until it counts as dead.
constexpr int tests_of_life = 4;

using tests_begin = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPIDLE>;
using tests_follow = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPINTVL>;
using tests_needed = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPCNT>;
using time_to_acknowledge = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_USER_TIMEOUT>;

/// Parts of one gathering write: a few small chunks, or header and payload of a large one.
constexpr std::size_t parts_at_once = 16;

/// As many frames, with their payloads, are written without waiting for more.
constexpr std::size_t frames_to_gather = parts_at_once / 2;

} // namespace

data_link::data_link(link_owner& owner, tcp::socket socket)
  : socket_(std::move(socket)), owner_(&owner), greeting_timer_(socket_.get_executor()) {
}

void data_link::start_greeting_timer(std::chrono::milliseconds limit) {
  greeting_timer_.expires_after(limit);
  greeting_timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    // The time of an earlier attempt may have ended just before that was given up.
    auto is_due = self->greeting_timer_.expiry() <= std::chrono::steady_clock::now();
    if (!error && is_due && !self->closed_)
      self->greeting_overdue();
  });
}

void data_link::greeting_overdue() {
  close("it did not greet in time");
}

void data_link::connection_ended() {
  close({});
}

void data_link::writing_begins() {
  // nop
}

void data_link::disconnect() {
  boost::system::error_code ignored;
  greeting_timer_.cancel();
  socket_.close(ignored);
  outgoing_.clear();
  ready_ = false;
  waits_to_write_ = false;
}

void data_link::end_greeting() {
  greeting_timer_.cancel();
}

void data_link::close(std::string_view why) {
  if (closed_)
    return;
  closed_ = true;
  boost::system::error_code ignored;
  if (!why.empty()) {
    auto remote = socket_.remote_endpoint(ignored);
    auto name = ignored ? std::string{"a node"}
                        : remote.address().to_string() + ":" + std::to_string(remote.port());
    owner_->events().connection_refused("data port: closed the connection with " + name + ": "
                                        + std::string{why});
  }
  greeting_timer_.cancel();
  // What only waited for more to be written with it was to go before the end.
  if (writes_soon_ && ready_ && !waits_to_write_ && !outgoing_.empty())
    advance(write_once(ignored));
  socket_.close(ignored); // Whatever it says, the descriptor is gone.
  report_ends();
  outgoing_.clear();
  owner_->closed(*this);
}

// -- reading --------------------------------------------------------------------------

void data_link::start_reading() {
  boost::system::error_code error;
  socket_.non_blocking(true, error);
  if (!error)
    set_options(error);
  if (error)
    return close({});
  ready_ = true;
  wait_readable();
  write_turn();
}

void data_link::set_options(boost::system::error_code& error) {
  auto silence_ms = static_cast<int>(owner_->config().silence_ms);
  auto silence = std::max(1, silence_ms / 1'000);
  auto set = [&](const auto& option) {
    if (!error)
      socket_.set_option(option, error);
  };
  set(tcp::no_delay(true));
  set(asio::socket_base::keep_alive(true));
  set(tests_begin(silence));
  set(tests_follow(std::max(1, silence / tests_of_life)));
  set(tests_needed(tests_of_life));
  set(time_to_acknowledge(silence_ms));
}

void data_link::wait_readable() {
  socket_.async_wait(tcp::socket::wait_read,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       if (!error)
                         self->read_turn();
                     });
}

void data_link::read_turn() {
  for (int step = 0; step < steps_a_turn; ++step) {
    if (closed_ || !ready_)
      return;
    if (read_some() == reading::would_block)
      break;
  }
  if (!closed_ && ready_)
    wait_readable();
}

data_link::reading data_link::after_read(const boost::system::error_code& error) {
  if (!error)
    return reading::more;
  // A stream that ends, or breaks, is no offense: the other node may have died.
  if (error != asio::error::would_block && error != asio::error::try_again
      && error != asio::error::interrupted)
    connection_ended();
  return reading::would_block;
}

// -- writing --------------------------------------------------------------------------

/// What the port was told at one time goes out in few calls.
void data_link::enqueue(outgoing_frame frame) {
  if (closed_)
    return;
  outgoing_.push_back(std::move(frame));
  if (outgoing_.size() > owner_->config().max_waiting_frames)
    return close("it asks and does not read the answers");
  if (outgoing_.size() >= frames_to_gather)
    return write_gathered();
  if (std::exchange(writes_soon_, true))
    return;
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    self->writes_soon_ = false;
    self->write_gathered();
  });
}

/// Older frames that wait for the socket take these with them.
void data_link::write_gathered() {
  if (!ready_ || waits_to_write_)
    return;
  writing_begins();
  write_turn();
}

void data_link::write_turn() {
  if (!ready_ || waits_to_write_)
    return;
  boost::system::error_code error;
  for (int step = 0; step < steps_a_turn && !closed_ && !outgoing_.empty() && !error; ++step)
    advance(write_once(error));
  if (error && error != asio::error::would_block && error != asio::error::try_again)
    return connection_ended();
  if (closed_ || outgoing_.empty())
    return;
  waits_to_write_ = true;
  socket_.async_wait(tcp::socket::wait_write,
                     [self = shared_from_this()](const boost::system::error_code& failure) {
                       self->waits_to_write_ = false;
                       if (!failure)
                         self->write_turn();
                     });
}

/// Writes the first frames, straight from where their bytes are.
std::size_t data_link::write_once(boost::system::error_code& error) {
  std::array<asio::const_buffer, parts_at_once> parts;
  std::size_t count = 0;
  for (const auto& frame : outgoing_) {
    if (count + 2 > parts.size())
      break;
    auto skip = frame.written;
    if (skip < frame_bytes)
      parts[count++] = asio::buffer(frame.header) + skip;
    auto skip_payload = skip > frame_bytes ? skip - frame_bytes : 0;
    if (!frame.payload.bytes.empty())
      parts[count++] =
        asio::buffer(frame.payload.bytes.data(), frame.payload.bytes.size()) + skip_payload;
  }
  return socket_.write_some(std::span{parts}.first(count), error);
}

void data_link::advance(std::size_t bytes) {
  while (bytes > 0) {
    MOBULA_ASSERT(!outgoing_.empty());
    auto& front = outgoing_.front();
    auto rest = frame_bytes + front.payload.bytes.size() - front.written;
    if (bytes < rest) {
      front.written += bytes;
      return;
    }
    bytes -= rest;
    auto written = std::move(front);
    outgoing_.pop_front();
    frame_written(written);
  }
}

} // namespace mobula
