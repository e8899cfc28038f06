// References travel in an application's own messages, and requests end with the node that was
// asked.

#include <algorithm>
#include <chrono>
#include <future>
#include <iostream>

#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>

#include <mobula/mobula.hpp>

/// What one process asks of another: a reference beside plain fields.
struct job {
  mobula::ObjectRef<std::string> text;
  std::int32_t lines_before = 0;
};

/// What CAF writes, reads and prints of it.
MOBULA_MESSAGE(job, text, lines_before)

using worker_actor = caf::typed_actor<caf::replies_to<job>::with<std::int32_t>>;

/// Each process of the cluster has to know each type of message that crosses the network.
struct job_config : mobula::config {
  job_config() {
    load<caf::io::middleman>();
    mobula::add_messages<job>(*this);
  }
};

/// Answers with the number of the last line.
worker_actor::behavior_type worker(worker_actor::pointer self) {
  return {
    [self](const job& work) {
      auto answer = self->make_response_promise<std::int32_t>();
      mobula::get(self, work.text)
        .then(
          [answer, before = work.lines_before](const mobula::view<std::string>& text) mutable {
            auto lines = std::count(text->begin(), text->end(), '\n');
            answer.deliver(before + static_cast<std::int32_t>(lines));
          },
          [answer](caf::error& reason) mutable { answer.deliver(reason); });
      return answer;
    },
  };
}

/// Hands out jobs, and hears of the worker's end, whatever it ends of.
caf::behavior foreman(caf::event_based_actor* self, const worker_actor& worker,
                      std::shared_ptr<std::promise<std::int32_t>> last_line) {
  mobula::watch(self, worker, [self](caf::error&) {
    std::cout << "the worker is gone\n";
    self->quit();
  });
  return {
    [=](const job& work) {
      mobula::request(self, worker, std::nullopt, work).then([=](std::int32_t line) {
        last_line->set_value(line);
      });
    },
  };
}

int main(int argc, char** argv) {
  return mobula::run_main<job_config>(argc, argv, [](mobula::node& node, auto&) {
    mobula::cluster cluster{node};
    auto port = cluster.listen("127.0.0.1", 0);
    auto last_line = std::make_shared<std::promise<std::int32_t>>();
    caf::actor asking;
    {
      // What the other process runs; for once in this one, with an actor system of its own.
      job_config settings;
      caf::actor_system system{settings};
      mobula::node elsewhere{system};
      mobula::cluster joined{elsewhere};
      joined.join("127.0.0.1", port);
      auto there = system.spawn(worker);
      elsewhere.publish("worker", there);

      auto found = node.lookup_actor<worker_actor>("worker", std::chrono::seconds{10});
      asking = node.system().spawn(foreman, found, last_line);
      caf::anon_send(asking, job{.text = node.put("one\ntwo\n"), .lines_before = 40});
      std::cout << "line " << last_line->get_future().get() << '\n';
      caf::anon_send_exit(there, caf::exit_reason::kill);
    }
    caf::scoped_actor self{node.system()};
    self->wait_for(asking);
  });
}
