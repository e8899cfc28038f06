#include "cases.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <thread>

#include "../actors/raw_socket.hpp"
#include "../actors/transfer_host.hpp"

namespace mobula::bench {

namespace {

using test::raw_socket;
using test::transfer_bytes;
using test::transfer_host;

constexpr std::size_t kib = 1024;
constexpr std::size_t mib = 1024 * kib;

/// Read and written at once by the plain stream.
constexpr std::size_t stream_piece_bytes = mib;

/// Bytes that no codec makes shorter, in objects of one size. Made when first needed: listing the
/// cases takes no memory.
struct wares {
  std::size_t objects;
  std::size_t object_bytes;
  std::vector<std::shared_ptr<transfer_bytes>> sent{};
  std::vector<std::shared_ptr<transfer_bytes>> rooms{}; ///< faulted in once, as a store's

  void make() {
    std::mt19937_64 random{1};
    while (sent.size() < objects) {
      rooms.push_back(std::make_shared<transfer_bytes>(object_bytes, std::byte{1}));
      auto& bytes = *sent.emplace_back(std::make_shared<transfer_bytes>(object_bytes));
      for (std::size_t at = 0; at + sizeof(std::uint64_t) <= object_bytes;
           at += sizeof(std::uint64_t)) {
        auto word = random();
        std::memcpy(&bytes[at], &word, sizeof(word));
      }
    }
  }
};

/// Two data ports in this process, which both ends of the plain stream share as well.
struct two_hosts {
  transfer_host sender{1};
  transfer_host receiver{2};

  explicit two_hosts(const wares& goods) {
    sender.befriend(receiver);
    for (std::size_t i = 0; i < goods.objects; ++i) {
      sender.put(i + 1, goods.sent[i]);
      receiver.give_room(i + 1, goods.rooms[i]);
    }
  }
};

side pulls(std::shared_ptr<wares> goods) {
  return [goods = std::move(goods)](benchmark::State& state) {
    goods->make();
    two_hosts hosts{*goods};
    for (auto _ : state) {
      for (std::size_t i = 0; i < goods->objects; ++i)
        hosts.receiver.pull(i + 1, goods->object_bytes, {hosts.sender.self()});
      hosts.receiver.wait([&] { return hosts.receiver.objects() == goods->objects; });
      state.PauseTiming();
      for (std::size_t i = 0; i < goods->objects; ++i)
        hosts.receiver.forget(i + 1);
      state.ResumeTiming();
    }
  };
}

void stream_out(const raw_socket& socket, const wares& goods) {
  for (const auto& object : goods.sent)
    for (std::size_t at = 0; at < object->size(); at += stream_piece_bytes)
      socket.send(
        std::span{*object}.subspan(at, std::min(stream_piece_bytes, object->size() - at)));
}

/// One connection, already open; one thread writes and one reads, each with blocking calls.
side streams(std::shared_ptr<wares> goods) {
  return [goods = std::move(goods)](benchmark::State& state) {
    goods->make();
    auto listener = raw_socket::listen_anywhere();
    auto in = raw_socket::connect_to(listener.port());
    auto out = listener.accept();
    for (auto _ : state) {
      std::thread writer{[&] {
        stream_out(out, *goods);
      }};
      for (auto& room : goods->rooms)
        in.receive_into(*room);
      writer.join();
    }
  };
}

comparison transfer_case(std::string name, std::size_t objects, std::size_t bytes, double limit) {
  auto goods = std::make_shared<wares>(wares{objects, bytes});
  return {.name = "pull/" + std::move(name),
          .unit = unit::gigabytes_per_second,
          .measured = pulls(goods),
          .baseline = "the same bytes as one plain TCP stream",
          .reference = streams(goods),
          .budget = budget{budget::subject::ratio, budget::bound::at_least, limit},
          .bytes = objects * bytes};
}

} // namespace

void add_transfer_cases(std::vector<comparison>& cases) {
  cases.push_back(transfer_case("256MiB", 1, 256 * mib, 0.8));
  cases.push_back(transfer_case("1kx200KiB", 1'000, 200 * kib, 0.6));
}

} // namespace mobula::bench
