// A source that includes neither mobula/json.hpp nor mobula/message_pack.hpp, in a program that has
// another one that does.

#include "one_node.hpp"

#include "other_codecs.hpp"

using namespace mobula;

namespace {

void check_names(const error_info& failure, std::string_view header) {
  CHECK(failure.type == error_type::decode_failed);
  CHECK(failure.message.find(header) != std::string::npos);
}

/// Returns the error that `read` throws.
template <class F>
error_info failure_of(F&& read) {
  try {
    read();
  } catch (const object_error& error) {
    return error.info();
  }
  FAIL("no object_error was thrown");
  return {};
}

} // namespace

TEST_CASE_FIXTURE(one_node, "a reader in JSON needs its header, and the error says which") {
  auto ref = put_in_json(node, 7);
  check_names(failure_of([&] { static_cast<void>(node.get(ref)); }), "mobula/json.hpp");
}

TEST_CASE_FIXTURE(one_node, "a reader in MessagePack needs its header, and the error says which") {
  auto ref = put_in_message_pack(node, 7);
  check_names(failure_of([&] { static_cast<void>(node.get(ref)); }), "mobula/message_pack.hpp");
}

TEST_CASE_FIXTURE(one_node, "what was written raw needs no header in any source") {
  CHECK(*node.get(node.put(7)) == 7);
}
