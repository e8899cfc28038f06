// What a node says of itself, as it travels: whole, or not at all.

#include <doctest/doctest.h>

#include "mobula/actors/wire/cluster_messages.hpp"

using namespace mobula;

namespace {

/// A greeting by a node with so many addresses of each kind.
hello greeting_with(std::size_t addresses) {
  hello result{.speaks = dialect_of("cluster"), .record = {}, .proposal = session_id{7}};
  result.record.incarnation = {.high = 1, .low = 2};
  result.record.name = "host:1";
  result.record.host = {.boot_id = "boot", .user_id = 3, .mount_device = 4};
  result.record.process_id = 5;
  for (std::size_t number = 0; number < addresses; ++number) {
    auto port = static_cast<std::uint16_t>(number + 1);
    result.record.control.push_back({"host7.example", port});
    result.record.data.where.push_back({number % 2 == 0 ? "10.0.0.7" : "fd00::7", port});
  }
  result.record.data.token.bytes.fill(std::byte{6});
  result.record.arena_path = "/dev/shm/arena";
  return result;
}

} // namespace

TEST_CASE("all addresses of a node arrive, in their order") {
  for (std::size_t addresses : {0, 1, 2, 16}) {
    auto sent = greeting_with(addresses);
    auto arrived = open(seal(sent), sent.speaks);
    CHECK(arrived.record == sent.record);
    CHECK(arrived.proposal == sent.proposal);
  }
}

TEST_CASE("a record with more addresses of a data port than a node tells is not read") {
  auto sent = greeting_with(max_advertised_endpoints + 1);
  CHECK(open(seal(sent), sent.speaks).record == node_record{});
}

TEST_CASE("a record that claims more addresses than there are bytes is not read") {
  auto sent = greeting_with(2);
  auto envelope = seal(sent);
  for (std::size_t length = 0; length < envelope.body.size(); ++length) {
    auto cut = envelope;
    cut.body.resize(length);
    CHECK(open(cut, sent.speaks).record == node_record{});
  }
}
