#include "partner.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <iostream>
#include <stdexcept>

#include <caf/io/middleman.hpp>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mobula/get.hpp"

namespace mobula::bench {

namespace {

constexpr auto actor_name = "partner";
constexpr auto loopback = "127.0.0.1";

/// 1 KiB is to be stored, not inline.
constexpr auto small_limit = "1000";

caf::behavior partner(caf::event_based_actor* self, mobula::node* node) {
  return {
    [node](const make_object& question) {
      return object_made{
        node->put(array<std::byte>{std::vector<std::byte>(question.bytes, std::byte{1})})};
    },
    [self](const handed_over& message) {
      auto promise = self->make_response_promise();
      mobula::get(self, message.ref).then([promise, message](const view<payload<1024>>&) mutable {
        promise.deliver(message);
      });
      return promise;
    },
    [self](const handed_over_many& message) {
      auto promise = self->make_response_promise();
      mobula::get_all(self, message.refs)
        .then([promise](const outcomes<payload<64>>& results) mutable {
          promise.deliver(std::uint64_t{results.size()});
        });
      return promise;
    },
    [](const std::string& content) { return content; },
    [](const std::vector<std::string>& content) { return std::uint64_t{content.size()}; },
  };
}

/// Starts this program as a partner of the process at `port`; `input` becomes its standard input.
pid_t start_partner(std::string port, int input) {
  std::string program = "/proc/self/exe";
  std::string argument = partner_argument;
  std::array<char*, 4> arguments{program.data(), argument.data(), port.data(), nullptr};
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

} // namespace

partner_config::partner_config() {
  load<caf::io::middleman>();
  set("mobula.cluster", std::string{"mobula_bench"});
  set("mobula.store-size", std::string{"2GiB"});
  add_message_type<make_object>("make_object");
  add_message_type<object_made>("object_made");
  add_message_type<handed_over>("handed_over");
  add_message_type<handed_over_many>("handed_over_many");
}

partner_process::partner_process() {
  auto port = cluster_.listen(loopback, 0);
  std::array<int, 2> input{};
  if (::pipe2(input.data(), O_CLOEXEC) != 0)
    throw std::runtime_error{"cannot make a pipe for another process"};
  input_ = input[1];
  process_ = start_partner(std::to_string(port), input[0]);
  ::close(input[0]);
  actor_ = node_.lookup_actor<caf::actor>(actor_name, std::chrono::seconds{30});
}

partner_process::~partner_process() {
  actor_ = {};
  ::close(input_);
  ::waitpid(process_, nullptr, 0);
}

int run_partner(const std::string& port) {
  partner_config settings;
  settings.set("mobula.inline-limit", std::string{small_limit});
  caf::actor_system system{settings};
  mobula::node node{system};
  mobula::cluster cluster{node};
  cluster.join(loopback, static_cast<std::uint16_t>(std::stoi(port)));
  auto actor = system.spawn(partner, &node);
  node.publish(actor_name, actor);
  while (std::cin.get() != std::istream::traits_type::eof())
    ;
  cluster.leave();
  caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  return EXIT_SUCCESS;
}

} // namespace mobula::bench
