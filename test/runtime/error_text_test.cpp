// What people read of errors: it is true wherever it appears, and CAF shows it as a sentence.

#include "one_node.hpp"

#include <string>

#include "../contains.hpp"

using namespace mobula;
using test::contains;

TEST_CASE("CAF shows an error of ours as a sentence, with the name of its kind") {
  testing::simulation sim;
  auto error = to_caf_error(
    {.type = error_type::store_full, .message = "there is no space; raise mobula.store-size"});
  CHECK(sim.system().render(error) == "there is no space; raise mobula.store-size (store_full)");
}

TEST_CASE("CAF shows what a node answers with in the same way") {
  testing::simulation sim;
  auto& node = sim.add_node();
  auto ref = node.make_promise<int>().ref();
  auto value = node.try_get(ref);
  REQUIRE(!value);
  auto text = sim.system().render(value.error());
  CHECK(text.starts_with("the promise of object " + to_string(ref.id()) + " was dropped unset"));
  CHECK(contains(text, "(promise_broken)"));
}

TEST_CASE("an error of ours that comes without its text is shown by its kind") {
  testing::simulation sim;
  CHECK(sim.system().render(error_without_text(error_type::name_not_found))
        == "name_not_found (without a text)");
}

TEST_CASE("CAF shows its own errors as it always does") {
  testing::simulation sim;
  auto error = caf::make_error(caf::sec::request_timeout);
  CHECK(contains(sim.system().render(error), "request_timeout"));
}

TEST_CASE("a put into a node that has shut down is told so, and nothing of reading") {
  testing::simulation sim;
  auto& node = sim.add_node();
  node.shutdown();
  auto text = message_of([&] { static_cast<void>(node.put(1)); });
  CHECK(contains(text, "has shut down, or is about to: it takes no more values"));
  CHECK_FALSE(contains(text, "read"));
}

TEST_CASE("a request that timed out is told as one, and not as a get") {
  auto error = to_error_info(caf::make_error(caf::sec::request_timeout));
  CHECK(error.type == error_type::get_timed_out);
  CHECK(error.message.starts_with("no answer came before the time limit"));
}
