// An actor reads one object after the other, in code that looks as if it waited.

#include <chrono>
#include <iostream>
#include <sstream>

#include <mobula/mobula.hpp>

using text_ref = mobula::ObjectRef<std::string>;

int words_in(const std::string& text) {
  std::istringstream words{text};
  int count = 0;
  for (std::string word; words >> word;)
    ++count;
  return count;
}

/// Sums the words of several texts, one after the other, and sets `sum`.
mobula::coroutine count_all([[maybe_unused]] caf::event_based_actor* self,
                            std::vector<text_ref> texts, mobula::promise<int> sum) {
  int count = 0;
  for (const auto& ref : texts) {
    auto text = co_await ref;
    count += words_in(*text);
  }
  sum.set_value(count);
}

/// Answers with the number of words in two texts, and handles other messages while it waits.
mobula::task<int> count_both([[maybe_unused]] caf::event_based_actor* self, text_ref first,
                             text_ref second) {
  auto one = co_await first;
  auto other = co_await second;
  co_return words_in(*one) + words_in(*other);
}

caf::behavior counter(caf::event_based_actor* self) {
  return {
    [self](const text_ref& first, const text_ref& second) {
      return count_both(self, first, second);
    },
  };
}

/// Asks `counter`, and sets `sum` to what it says.
mobula::coroutine ask(caf::event_based_actor* self, caf::actor counter, text_ref first,
                      text_ref second, mobula::promise<int> sum) {
  auto answer = self->request(counter, std::chrono::seconds{10}, first, second);
  sum.set_value(co_await mobula::expect<int>(answer));
}

int main(int argc, char** argv) {
  return mobula::run_main(argc, argv, [](mobula::node& node, const mobula::config&) {
    auto promise = node.make_promise<int>();
    auto sum = promise.ref();
    std::vector<text_ref> texts{node.put("the quick brown fox"), node.put("jumps over"),
                                node.put("the lazy dog")};
    auto body = std::make_shared<mobula::promise<int>>(std::move(promise));
    node.system().spawn(
      [texts, body](caf::event_based_actor* self) { count_all(self, texts, std::move(*body)); });
    std::cout << *node.get(sum) << " words\n";

    auto worker = node.system().spawn(counter);
    auto later = node.make_promise<int>();
    auto both = later.ref();
    auto asking = std::make_shared<mobula::promise<int>>(std::move(later));
    node.system().spawn([worker, texts, asking](caf::event_based_actor* self) {
      ask(self, worker, texts[0], texts[1], std::move(*asking));
    });
    std::cout << *node.get(both) << " in two of them\n";
  });
}
