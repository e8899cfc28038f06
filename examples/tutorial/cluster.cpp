// A node lets another one join, which finds an object and an actor of the first by their names.

#include <chrono>
#include <iostream>
#include <sstream>

#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>

#include <mobula/mobula.hpp>

using namespace std::chrono_literals;

using text_ref = mobula::ObjectRef<std::string>;
using counter_actor = caf::typed_actor<caf::replies_to<text_ref>::with<int>>;

/// All nodes of a cluster know the types that are sent between them, and need CAF's network.
struct cluster_config : mobula::config {
  cluster_config() {
    load<caf::io::middleman>();
    mobula::add_message<text_ref>(*this, "text_ref");
  }
};

/// Answers with the number of words in a text, wherever that is.
counter_actor::behavior_type counter(counter_actor::pointer self) {
  return {
    [self](const text_ref& ref) {
      auto answer = self->make_response_promise<int>();
      mobula::get(self, ref).then(
        [answer](const mobula::view<std::string>& text) mutable {
          std::istringstream words{*text};
          int count = 0;
          for (std::string word; words >> word;)
            ++count;
          answer.deliver(count);
        },
        [answer](caf::error& reason) mutable { answer.deliver(reason); });
      return answer;
    },
  };
}

/// What another process runs.
void visit(mobula::node& node, std::uint16_t port) {
  mobula::cluster cluster{node};
  cluster.join("127.0.0.1", port);

  auto motto = node.lookup<std::string>("motto", 10s);
  std::cout << node.get(motto).copy() << '\n';

  auto worker = node.lookup_actor<counter_actor>("counter", 10s);
  caf::scoped_actor self{node.system()};
  mobula::request(self, worker, std::nullopt, node.put("one text of mine"))
    .receive(
      [](int count) { std::cout << count << " words\n"; },
      [](caf::error& reason) { std::cerr << mobula::to_error_info(reason).message << '\n'; });
}

int main(int argc, char** argv) {
  return mobula::run_main<cluster_config>(argc, argv, [](mobula::node& node, auto&) {
    mobula::cluster cluster{node};
    auto port = cluster.listen("127.0.0.1", 0);
    auto worker = node.system().spawn(counter);
    node.publish("motto", node.put("the quick brown fox"));
    node.publish("counter", worker);
    {
      // For once in the same process, with an actor system of its own.
      cluster_config settings;
      caf::actor_system system{settings};
      mobula::node visitor{system};
      visit(visitor, port);
    }
    node.unpublish("motto");
    node.unpublish("counter");
    caf::anon_send_exit(worker, caf::exit_reason::user_shutdown);
  });
}
