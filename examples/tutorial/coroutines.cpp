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
  });
}
