// The serving end of a connection between data ports: hears nobody who has not greeted as a known
// node, passes asks on, and measures how fast the link takes bytes.

#include <algorithm>

#include <boost/asio/buffer.hpp>

#include "data_links.hpp"

namespace mobula {

reader_link::reader_link(link_owner& owner, tcp::socket socket)
  : data_link(owner, std::move(socket)), meter_(owner.config().compression) {
}

void reader_link::start() {
  start_greeting_timer(std::chrono::milliseconds{owner().config().greeting_ms});
  start_reading();
}

// -- reading --------------------------------------------------------------------------

data_link::reading reader_link::read_some() {
  boost::system::error_code error;
  auto space = std::span{buffer_}.subspan(filled_);
  auto size = socket_.read_some(boost::asio::buffer(space.data(), space.size()), error);
  filled_ += size;
  std::size_t used = 0;
  while (!is_closed() && filled_ - used >= frame_bytes) {
    handle(std::span{buffer_}.subspan(used).first<frame_bytes>());
    used += frame_bytes;
  }
  std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(used),
            buffer_.begin() + static_cast<std::ptrdiff_t>(filled_), buffer_.begin());
  filled_ -= used;
  return is_closed() ? reading::would_block : after_read(error);
}

void reader_link::handle(std::span<const std::byte, frame_bytes> bytes) {
  auto frame = decode_frame(bytes);
  if (!frame)
    return close(to_string(frame.error()));
  if (!id_)
    return greet(*frame);
  if (const auto* request = std::get_if<request_frame>(&*frame))
    owner().events().asked(*id_, request->ask, request->range);
  else if (const auto* cancel = std::get_if<cancel_frame>(&*frame))
    owner().events().canceled(*id_, cancel->ask);
  else
    close("it sent a frame that only the other end may send");
}

void reader_link::greet(const transfer_frame& frame) {
  const auto* greeting = std::get_if<hello_frame>(&frame);
  if (greeting == nullptr)
    return close("it did not greet first");
  if (!owner().believes(*greeting))
    return close("its greeting is not for this node, or its token is not that of its node");
  end_greeting();
  node_ = greeting->sender;
  id_ = owner().greeted(*this, node_);
  owner().events().reader_connected(*id_, node_);
  enqueue({.header = encode(hello_frame{greeting->token, greeting->receiver, greeting->sender})});
}

// -- writing --------------------------------------------------------------------------

void reader_link::send(outgoing_frame frame) {
  enqueue(std::move(frame));
}

/// The link's speed is that of a backlog: idle time before it does not count, nor what the port did
/// for others while frames were gathered.
void reader_link::writing_begins() {
  last_written_ = std::chrono::steady_clock::now();
}

void reader_link::frame_written(const outgoing_frame& frame) {
  if (!frame.send)
    return;
  auto now = std::chrono::steady_clock::now();
  std::chrono::duration<double> took = now - last_written_;
  meter_.sent(frame.payload.bytes.size(), took.count());
  last_written_ = now;
  owner().events().sent(*frame.send);
  if (frame.payload.bytes.size() >= turn_ending_bytes)
    owner().events().turn_ended();
}

void reader_link::report_ends() {
  for (const auto& frame : outgoing())
    if (frame.send)
      owner().events().send_failed(*frame.send, send_failure::connection_lost);
  if (id_)
    owner().events().reader_disconnected(*id_);
}

} // namespace mobula
