// The other process of the cases that need one: this program itself, started as a node that does
// what it is asked.

#include "partner.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <iostream>
#include <random>
#include <span>
#include <stdexcept>
#include <thread>

#include <caf/io/middleman.hpp>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../raw_socket.hpp"
#include "mobula/get.hpp"

namespace mobula::bench {

namespace {

constexpr auto loopback = "127.0.0.1";

/// 1 KiB is to be stored, not inline.
constexpr auto small_limit = "1000";

/// Written at once by the plain stream.
constexpr std::size_t stream_piece_bytes = std::size_t{1} << 20U;

using bytes_ref = ObjectRef<array<std::byte>>;

/// What a partner keeps for others to pull.
class warehouse {
public:
  explicit warehouse(mobula::node& owner) : node_(owner) {
    // nop
  }

  void fill(const stock_objects& wanted) {
    for (std::uint64_t count = 0; count < wanted.count; ++count) {
      auto builder = node_.create<array<std::byte>>(wanted.bytes);
      fill_at_random(builder.elements());
      refs_.push_back(builder.seal());
    }
  }

  [[nodiscard]] const std::vector<bytes_ref>& refs() const noexcept {
    return refs_;
  }

  /// Has a thread write all bytes, as often as it is told to, until the connection ends.
  void stream_to(std::uint16_t port) {
    streamer_ = std::jthread{[port, content = node_.get_all(refs_)] {
      auto socket = test::raw_socket::connect_to(port);
      while (is_told_to_write(socket))
        for (const auto& object : content)
          write(socket, {object.value()->data(), object.value()->size()});
    }};
  }

private:
  void fill_at_random(std::span<std::byte> bytes) {
    for (std::size_t at = 0; at + sizeof(std::uint64_t) <= bytes.size();
         at += sizeof(std::uint64_t)) {
      auto word = random_();
      std::memcpy(&bytes[at], &word, sizeof(word));
    }
  }

  static bool is_told_to_write(const test::raw_socket& socket) {
    std::array<std::byte, 1> word{};
    socket.receive_into(word);
    return word.front() != std::byte{};
  }

  static void write(const test::raw_socket& socket, std::span<const std::byte> bytes) {
    for (; !bytes.empty(); bytes = bytes.subspan(std::min(stream_piece_bytes, bytes.size())))
      socket.send(bytes.first(std::min(stream_piece_bytes, bytes.size())));
  }

  mobula::node& node_;
  std::mt19937_64 random_{1};
  std::vector<bytes_ref> refs_;
  std::jthread streamer_;
};

/// Answers with what `f` makes of the value, once it is here.
template <class T, class F>
caf::response_promise answer_when_read(caf::event_based_actor* self, const ObjectRef<T>& ref, F f) {
  auto promise = self->make_response_promise();
  mobula::get(self, ref).then(
    [promise, f](const view<T>& value) mutable { promise.deliver(f(value)); });
  return promise;
}

caf::behavior partner(caf::event_based_actor* self, mobula::node* node, warehouse* goods) {
  return {
    [node](const make_object& question) {
      return object_made{
        node->put(array<std::byte>{std::vector<std::byte>(question.bytes, std::byte{1})})};
    },
    [self](const handed_over& message) {
      return answer_when_read(self, message.ref, [message](const auto&) { return message; });
    },
    [self](const handed_over_many& message) {
      auto promise = self->make_response_promise();
      mobula::get_all(self, message.refs)
        .then([promise](const outcomes<payload<64>>& results) mutable {
          promise.deliver(std::uint64_t{results.size()});
        });
      return promise;
    },
    [self](const read_object& message) {
      return answer_when_read(self, message.ref, [](const view<array<std::byte>>& value) {
        return object_read{value->size()};
      });
    },
    [goods](const stock_objects& wanted) {
      goods->fill(wanted);
      return std::uint64_t{goods->refs().size()};
    },
    [goods](show_stock) { return stock{goods->refs()}; },
    [goods](const stream_stock& wanted) {
      goods->stream_to(wanted.port);
      return std::uint64_t{goods->refs().size()};
    },
    [](const std::string& content) { return content; },
    [](const std::vector<std::string>& content) { return std::uint64_t{content.size()}; },
  };
}

/// Starts this program as a partner; `input` becomes its standard input.
pid_t start_partner(std::vector<std::string> words, int input) {
  std::string program = "/proc/self/exe";
  words.insert(words.begin(), {program, partner_argument});
  std::vector<char*> arguments;
  for (auto& word : words)
    arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  pid_t result = -1;
  auto error =
    ::posix_spawn(&result, program.c_str(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    throw std::runtime_error{"cannot start another process of this program"};
  return result;
}

std::string name_of(std::size_t partner) {
  return "partner/" + std::to_string(partner);
}

} // namespace

partner_config::partner_config(const partner_setup& setup) {
  load<caf::io::middleman>();
  set("mobula.cluster", std::string{"mobula_bench"});
  set("mobula.store-size", setup.store_size);
  set("mobula.same-host-reading", setup.reading);
  add_messages<make_object, object_made, handed_over, handed_over_many, stock_objects, show_stock,
               stock, stream_stock, read_object, object_read>(*this);
}

partner_process::partner_process(const partner_setup& setup)
  : settings_(setup), system_(settings_) {
  auto port = std::to_string(cluster_.listen(loopback, 0));
  for (std::size_t index = 0; index < setup.partners; ++index) {
    std::array<int, 2> input{};
    if (::pipe2(input.data(), O_CLOEXEC) != 0)
      throw std::runtime_error{"cannot make a pipe for another process"};
    inputs_.push_back(input[1]);
    processes_.push_back(
      start_partner({port, name_of(index), setup.store_size, setup.reading}, input[0]));
    ::close(input[0]);
  }
  for (std::size_t index = 0; index < setup.partners; ++index)
    actors_.push_back(node_.lookup_actor<caf::actor>(name_of(index), std::chrono::minutes{1}));
}

partner_process::~partner_process() {
  actors_.clear();
  for (auto input : inputs_)
    ::close(input);
  for (auto process : processes_)
    ::waitpid(process, nullptr, 0);
}

int run_partner(const std::vector<std::string>& arguments) {
  const auto& port = arguments.at(0);
  const auto& name = arguments.at(1);
  partner_config settings{{.store_size = arguments.at(2), .reading = arguments.at(3)}};
  settings.set("mobula.inline-limit", std::string{small_limit});
  caf::actor_system system{settings};
  mobula::node node{system};
  mobula::cluster cluster{node};
  cluster.join(loopback, static_cast<std::uint16_t>(std::stoi(port)));
  warehouse goods{node};
  auto actor = system.spawn(partner, &node, &goods);
  node.publish(name, actor);
  while (std::cin.get() != std::istream::traits_type::eof())
    ;
  cluster.leave();
  caf::scoped_actor self{system};
  self->send_exit(actor, caf::exit_reason::user_shutdown);
  // It uses what goes with this function.
  self->wait_for(actor);
  return EXIT_SUCCESS;
}

} // namespace mobula::bench
