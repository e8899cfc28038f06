// An actor reads an object, and handles other messages until it is there.

#include <iostream>
#include <sstream>

#include <caf/scoped_actor.hpp>

#include <mobula/mobula.hpp>

using text_ref = mobula::ObjectRef<std::string>;

/// Answers with the number of words in a text.
caf::behavior counter(caf::event_based_actor* self) {
  return {
    [self](const text_ref& ref) {
      auto answer = self->make_response_promise();
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

int main(int argc, char** argv) {
  return mobula::run_main(argc, argv, [](mobula::node& node, const mobula::config&) {
    auto& system = node.system();
    auto worker = system.spawn(counter);
    caf::scoped_actor self{system};
    self->request(worker, caf::infinite, node.put("the quick brown fox"))
      .receive([](int count) { std::cout << count << " words\n"; },
               [&](caf::error& reason) { std::cerr << system.render(reason) << '\n'; });
    self->send_exit(worker, caf::exit_reason::user_shutdown);
  });
}
