// The asking end of a connection between data ports: tries a node's addresses in turn, greets, and
// reads chunks straight into the memory they are for, each against its checksum.

#include <algorithm>
#include <utility>

#include <boost/asio/buffer.hpp>

#include "data_links.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

namespace asio = boost::asio;

namespace {

/// Read at once, so that the checksum finds the bytes in the processor's cache.
constexpr std::size_t piece_bytes = std::size_t{256} << 10;

constexpr std::size_t dropped_bytes = std::size_t{64} << 10;

} // namespace

source_link::source_link(link_owner& owner, tcp::socket socket, const incarnation_id& node,
                         data_lane lane, const transfer_token& token)
  : data_link(owner, std::move(socket)), node_(node), lane_(lane), token_(token) {
}

// -- connecting -----------------------------------------------------------------------

void source_link::connect(std::vector<tcp::endpoint> endpoints) {
  endpoints_ = std::move(endpoints);
  attempts_.emplace(endpoints_.size(), std::chrono::milliseconds{owner().config().greeting_ms});
  start_attempt();
}

/// What was said at an address before is said again.
void source_link::start_attempt() {
  enqueue({.header = encode(hello_frame{token_, owner().config().self, node_})});
  for (const auto& [number, open] : asks_) {
    enqueue({.header = encode(request_frame{number, open.range})});
    // More than may wait: the link has closed, and ended all asks.
    if (is_closed())
      return;
  }
  start_greeting_timer(attempts_->patience());
  auto self = std::static_pointer_cast<source_link>(shared_from_this());
  auto tried = attempts_->current();
  socket_.async_connect(endpoints_[tried], [self, tried](const boost::system::error_code& error) {
    if (self->is_closed() || self->attempts_->current() != tried)
      return;
    if (error)
      self->connect_failed(error);
    else
      self->start_reading();
  });
}

/// What is wrong with the address is told once for the node, by who keeps count; what is wrong with
/// this process is told here.
void source_link::connect_failed(const boost::system::error_code& error) {
  if (error == asio::error::connection_refused || error == asio::error::connection_reset)
    attempt_failed(connect_failure::refused);
  else if (error == asio::error::host_unreachable || error == asio::error::network_unreachable
           || error == asio::error::network_down
           || error == asio::error::address_family_not_supported)
    attempt_failed(connect_failure::no_route);
  else if (error == asio::error::timed_out)
    attempt_failed(connect_failure::silent);
  else if (!tries_another(connect_failure::no_route))
    close("cannot connect: " + error.message());
}

void source_link::greeting_overdue() {
  attempt_failed(connect_failure::silent);
}

/// A node that does not know what to make of a greeting closes the connection without a word.
void source_link::connection_ended() {
  if (greeted_ || !tries_another(connect_failure::another_node))
    close({});
}

void source_link::attempt_failed(connect_failure why) {
  if (tries_another(why))
    return;
  owner().events().source_unreachable(node_, attempts_->worst());
  close({});
}

/// Goes on with the next address, if there is one.
bool source_link::tries_another(connect_failure why) {
  if (!attempts_->failed(why))
    return false;
  disconnect();
  header_filled_ = 0;
  start_attempt();
  return true;
}

/// Closes the connection for what came over it. Before the greeting that says no more of the node
/// than that it is not there.
void source_link::offended(std::string_view why) {
  if (greeted_ || !tries_another(connect_failure::another_node))
    close(why);
}

// -- asks -----------------------------------------------------------------------------

void source_link::ask(const ask_bytes& ask, std::span<std::byte> buffer) {
  MOBULA_ASSERT(buffer.size() == ask.range.length_bytes);
  auto fresh = asks_.emplace(ask.ask, open_ask{ask.range, buffer}).second;
  MOBULA_ASSERT(fresh);
  last_ask_ = std::max(last_ask_, static_cast<std::uint64_t>(ask.ask));
  enqueue({.header = encode(request_frame{ask.ask, ask.range})});
}

void source_link::cancel(ask_number ask) {
  if (asks_.erase(ask) == 0)
    return;
  owner().events().ask_lost(ask);
  ask_ended();
  enqueue({.header = encode(cancel_frame{ask})});
}

/// A link lives as long as the session, and there is one for each peer: it keeps no memory while
/// there is nothing to read.
void source_link::ask_ended() {
  if (!asks_.empty())
    return;
  compressed_ = {};
  if (!chunk_)
    dropped_ = {};
}

/// Numbers rise: one that is not open any more was canceled, a larger one was never asked.
bool source_link::was_asked(ask_number ask) const noexcept {
  return static_cast<std::uint64_t>(ask) <= last_ask_;
}

void source_link::frame_written(const outgoing_frame&) {
}

void source_link::report_ends() {
  for (const auto& [number, open] : std::exchange(asks_, {}))
    owner().events().ask_lost(number);
}

// -- reading --------------------------------------------------------------------------

/// Reads what is missing of a payload, and the next header behind it in the same call.
data_link::reading source_link::read_some() {
  auto target = payload_target();
  auto left = chunk_ ? chunk_->frame.wire_bytes - chunk_->received : 0;
  auto header = asio::buffer(header_) + header_filled_;
  // Bytes behind a payload are a header only if the payload ends in this read.
  if (target.size() < left)
    header = asio::buffer(header, 0);
  std::array<asio::mutable_buffer, 2> parts{asio::buffer(target.data(), target.size()), header};
  boost::system::error_code error;
  auto size = socket_.read_some(parts, error);
  auto of_payload = std::min(size, target.size());
  if (of_payload > 0)
    payload_read(target.first(of_payload));
  header_filled_ += size - of_payload;
  if (!is_closed() && header_filled_ == frame_bytes) {
    header_filled_ = 0;
    handle_header();
  }
  return is_closed() ? reading::would_block : after_read(error);
}

std::span<std::byte> source_link::payload_target() {
  if (!chunk_)
    return {};
  auto left = chunk_->frame.wire_bytes - chunk_->received;
  auto wanted = std::min<std::size_t>(left, piece_bytes);
  auto open = asks_.find(chunk_->frame.ask);
  if (open == asks_.end()) {
    dropped_.resize(dropped_bytes);
    return std::span{dropped_}.first(std::min(wanted, dropped_bytes));
  }
  if (chunk_->frame.encoding == chunk_encoding::zstd)
    return std::span{compressed_}.subspan(chunk_->received, wanted);
  return open->second.buffer.subspan(open->second.arrived + chunk_->received, wanted);
}

void source_link::payload_read(std::span<const std::byte> bytes) {
  sum_.add(bytes);
  chunk_->received += static_cast<std::uint32_t>(bytes.size());
  if (chunk_->received == chunk_->frame.wire_bytes)
    finish_chunk();
  else
    tell_progress();
}

void source_link::tell_progress() {
  auto now = std::chrono::steady_clock::now();
  if (now - told_ < std::chrono::milliseconds{owner().config().progress_ms})
    return;
  told_ = now;
  owner().events().lane_progressed(node_, lane_);
}

void source_link::finish_chunk() {
  auto frame = std::exchange(chunk_, std::nullopt)->frame;
  if (sum_.value() != frame.checksum)
    return close("the checksum of a chunk does not match");
  auto open = asks_.find(frame.ask);
  if (open == asks_.end())
    return ask_ended();
  auto& [number, ask] = *open;
  auto length = frame.range.length_bytes;
  if (frame.encoding == chunk_encoding::zstd
      && !decompress(std::span{compressed_}.first(frame.wire_bytes),
                     ask.buffer.subspan(ask.arrived, length)))
    return close("a compressed chunk does not hold what it says");
  ask.arrived += length;
  auto ended = ask.arrived == ask.range.length_bytes;
  if (ended)
    asks_.erase(open);
  owner().events().bytes_arrived(frame.ask, length);
  if (ended) {
    ask_ended();
    owner().events().ask_finished(frame.ask);
  }
  if (length >= turn_ending_bytes)
    owner().events().turn_ended();
}

// -- frames ---------------------------------------------------------------------------

void source_link::handle_header() {
  auto frame = decode_frame(header_);
  if (!frame)
    return offended(to_string(frame.error()));
  const auto* greeting = std::get_if<hello_frame>(&*frame);
  if ((greeting != nullptr) == greeted_)
    return offended(greeted_ ? "it greeted twice" : "it did not greet first");
  if (greeting != nullptr)
    handle(*greeting);
  else if (const auto* chunk = std::get_if<chunk_frame>(&*frame))
    handle(*chunk);
  else if (const auto* refusal = std::get_if<refusal_frame>(&*frame))
    handle(*refusal);
  else
    close("it sent a frame that only the other end may send");
}

void source_link::handle(const hello_frame& greeting) {
  if (!same_token(greeting.token, token_) || greeting.sender != node_
      || greeting.receiver != owner().config().self) {
    if (tries_another(connect_failure::another_node))
      return;
    owner().events().source_unreachable(node_, attempts_->worst());
    return close("it is another node than the one that was to be asked");
  }
  greeted_ = true;
  end_greeting();
  owner().reached(node_, endpoints_[attempts_->current()]);
  owner().events().source_connected(node_);
}

void source_link::handle(const chunk_frame& chunk) {
  auto open = asks_.find(chunk.ask);
  if (open == asks_.end()) {
    if (!was_asked(chunk.ask))
      return close("it sent bytes that nobody asked for");
  } else {
    const auto& ask = open->second;
    auto expected = ask.range.offset_bytes + ask.arrived;
    if (chunk.range.id != ask.range.id || chunk.range.offset_bytes != expected
        || chunk.range.length_bytes > ask.range.length_bytes - ask.arrived)
      return close("it sent other bytes than those that were asked for");
    if (chunk.encoding == chunk_encoding::zstd && compressed_.size() < chunk.wire_bytes)
      compressed_.resize(chunk.wire_bytes);
  }
  chunk_ = incoming_chunk{chunk};
  told_ = std::chrono::steady_clock::now();
  sum_.reset();
}

void source_link::handle(const refusal_frame& refusal) {
  if (asks_.erase(refusal.ask) == 1) {
    owner().events().ask_refused(refusal.ask, refusal.reason);
    ask_ended();
  } else if (!was_asked(refusal.ask)) {
    close("it refused what nobody asked for");
  }
}

} // namespace mobula
