// Cases of data ports alone, over TCP on the loopback device, against plain sockets, with and
// without compression.

#include "cases.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>

#include "../raw_socket.hpp"
#include "../store/port/transfer_host.hpp"

namespace mobula::bench {

namespace {

using test::raw_socket;
using test::transfer_bytes;
using test::transfer_host;

constexpr std::size_t kib = 1024;
constexpr std::size_t mib = 1024 * kib;

/// Read and written at once by the plain stream.
constexpr std::size_t stream_piece_bytes = mib;

/// What compression makes of bytes.
enum class content : std::uint8_t {
  random, ///< nothing
  dull    ///< much less
};

/// Objects of one size. Made when first needed: listing the cases takes no memory.
struct wares {
  std::size_t objects;
  std::size_t object_bytes;
  content made_of = content::random;
  std::vector<std::shared_ptr<transfer_bytes>> sent{};
  std::vector<std::shared_ptr<transfer_bytes>> buffers{}; ///< faulted in once, as a store's

  void make() {
    std::mt19937_64 random{1};
    while (sent.size() < objects) {
      buffers.push_back(std::make_shared<transfer_bytes>(object_bytes, std::byte{1}));
      auto& bytes = *sent.emplace_back(std::make_shared<transfer_bytes>(object_bytes));
      for (std::size_t at = 0; at + sizeof(std::uint64_t) <= object_bytes;
           at += sizeof(std::uint64_t)) {
        auto word = made_of == content::random ? random() : at / kib;
        std::memcpy(&bytes[at], &word, sizeof(word));
      }
    }
  }
};

/// Two data ports in this process, which both ends of the plain stream share as well.
struct two_hosts {
  transfer_host sender;
  transfer_host receiver{2};

  two_hosts(const wares& goods, compression_mode mode) : sender(1, {.compression = mode}) {
    sender.befriend(receiver);
    for (std::size_t i = 0; i < goods.objects; ++i) {
      sender.put(i + 1, goods.sent[i]);
      receiver.give_buffer(i + 1, goods.buffers[i]);
    }
  }
};

side pulls(std::shared_ptr<wares> goods, compression_mode mode = compression_mode::automatic) {
  return [goods = std::move(goods), mode](benchmark::State& state) {
    goods->make();
    two_hosts hosts{*goods, mode};
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
      for (auto& buffer : goods->buffers)
        in.receive_into(*buffer);
      writer.join();
    }
  };
}

comparison transfer_case(std::string name, std::size_t objects, std::size_t bytes, double limit) {
  auto goods = std::make_shared<wares>(wares{objects, bytes});
  return {.name = "data_port/" + std::move(name),
          .unit = unit::gigabytes_per_second,
          .measured = pulls(goods),
          .baseline = "the same bytes as one plain TCP stream",
          .reference = streams(goods),
          .budget = budget{budget::subject::ratio, budget::bound::at_least, limit},
          .bytes = objects * bytes};
}

/// Whether compressing pays depends on the link. Loopback is one on which it does not.
comparison compression_case(std::string name, content made_of, compression_mode mode) {
  constexpr auto bytes = 64 * mib;
  auto goods = std::make_shared<wares>(wares{1, bytes, made_of});
  return {.name = "compression/" + std::move(name),
          .unit = unit::gigabytes_per_second,
          .measured = pulls(goods, mode),
          .baseline = "the same bytes, never compressed",
          .reference = pulls(goods, compression_mode::off),
          .bytes = bytes};
}

} // namespace

void add_transfer_cases(std::vector<comparison>& cases) {
  cases.push_back(transfer_case("256MiB", 1, 256 * mib, 0.8));
  cases.push_back(transfer_case("1kx200KiB", 1'000, 200 * kib, 0.6));
  for (auto [mode, name] :
       {std::pair{compression_mode::automatic, "auto"}, std::pair{compression_mode::on, "on"}})
    for (auto [made_of, text] :
         {std::pair{content::dull, "/dull"}, std::pair{content::random, "/random"}})
      cases.push_back(compression_case(std::string{name} + text, made_of, mode));
}

} // namespace mobula::bench
