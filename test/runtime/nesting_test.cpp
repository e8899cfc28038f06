// Values that refer to other objects: what they keep alive, and for how long.

#include "one_node.hpp"

#include <map>
#include <optional>
#include <variant>

#include <cereal/types/map.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/variant.hpp>
#include <cereal/types/vector.hpp>

#include <mobula/json.hpp>
#include <mobula/message_pack.hpp>

using namespace mobula;

namespace {

struct folder {
  std::vector<ObjectRef<std::string>> files;
  std::map<std::string, ObjectRef<int>> sizes;
  std::optional<ObjectRef<int>> note;
  std::variant<int, ObjectRef<std::string>> title;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(files, sizes, note, title);
  }
};

/// A list of which each element refers to the next.
struct link {
  ObjectRef<link> next;
  int value = 0;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(next), CEREAL_NVP(value));
  }

  MSGPACK_DEFINE(next, value)
};

/// Refers to objects of any type.
struct box {
  std::vector<ObjectRef<void>> contents;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(contents));
  }

  MSGPACK_DEFINE(contents)
};

/// Puts two objects of different types in a box, and reads them as what they are.
template <codec_id Codec>
void check_box(node& node) {
  auto outer = node.put_as<Codec>(box{{node.put(7), node.put("text"), ObjectRef<void>{}}});
  CHECK(node.stats().owned.objects == 3);
  auto read = node.get(outer);
  CHECK(*node.get(read->contents[0].template as<int>()) == 7);
  CHECK(node.get(read->contents[1].template as<std::string>()).copy() == "text");
  CHECK(read->contents[2].empty());
  CHECK_THROWS_AS(static_cast<void>(read->contents[0].template as<double>()), object_error);
}

} // namespace

TEST_CASE_FIXTURE(one_node, "a value may refer to objects of any type") {
  check_box<codec_id::cereal_binary>(node);
  check_box<codec_id::cereal_json>(node);
  check_box<codec_id::message_pack>(node);
  CHECK(node.stats().owned.objects == 0);
}

TEST_CASE_FIXTURE(one_node, "references are found anywhere within a value") {
  ObjectRef<folder> outer;
  {
    folder value{.files = {node.put("one"), node.put("two")},
                 .sizes = {{"one", node.put(3)}},
                 .note = node.put(4),
                 .title = node.put("title")};
    outer = node.put(value);
  }
  CHECK(node.stats().owned.objects == 6);
  auto read = node.get(outer);
  CHECK(node.get(read->files[1]).copy() == "two");
  CHECK(*node.get(read->sizes.at("one")) == 3);
  CHECK(*node.get(*read->note) == 4);
  CHECK(node.get(std::get<1>(read->title)).copy() == "title");
}

TEST_CASE_FIXTURE(one_node, "nested objects go when the outer object goes") {
  auto outer = node.put(std::vector{node.put(1), node.put(2)});
  CHECK(node.stats().owned.objects == 3);
  outer = {};
  CHECK(node.stats().owned.objects == 0);
}

TEST_CASE_FIXTURE(one_node, "a nested object outlives its container if somebody holds it") {
  auto outer = node.put(std::vector{node.put(7)});
  auto inner = node.get(outer)->front();
  outer = {};
  CHECK(*node.get(inner) == 7);
}

TEST_CASE_FIXTURE(one_node, "a large container keeps its nested objects, too") {
  std::vector<ObjectRef<int>> many;
  for (int value = 0; value < 10'000; ++value)
    many.push_back(node.put(value));
  auto outer = node.put(many);
  many.clear();
  CHECK(node.stats().owned.objects == 10'001);
  CHECK(node.stats().stored.objects == 1);
  CHECK(*node.get(node.get(outer)->at(9'999)) == 9'999);
}

TEST_CASE_FIXTURE(one_node, "empty references nest as empty ones") {
  auto outer = node.put(std::vector{ObjectRef<int>{}, node.put(1)});
  CHECK(node.get(outer)->front().empty());
}

TEST_CASE_FIXTURE(one_node, "a pending reference may be nested before it is set") {
  auto promise = node.make_promise<int>();
  auto outer = node.put(std::vector{promise.ref()});
  auto inner = node.get(outer)->front();
  CHECK_FALSE(inner.ready());
  promise.set_value(5);
  CHECK(*node.get(inner) == 5);
}

TEST_CASE_FIXTURE(one_node, "references nest through every codec that takes them") {
  link value{.next = node.put(link{.next = {}, .value = 1}), .value = 2};
  auto json = node.put_as<codec_id::cereal_json>(value);
  auto packed = node.put_as<codec_id::message_pack>(value);
  value = {};
  CHECK(node.get(node.get(json)->next)->value == 1);
  CHECK(node.get(node.get(packed)->next)->value == 1);
}

TEST_CASE_FIXTURE(one_node, "a long chain of references is freed without recursion") {
  auto head = node.put(link{});
  for (int value = 1; value < 200'000; ++value)
    head = node.put(link{.next = head, .value = value});
  CHECK(node.stats().owned.objects == 200'000);
  head = {};
}

TEST_CASE_FIXTURE(one_node, "a long chain that the owner never heard of is freed likewise") {
  auto head = node.put(link{});
  for (int value = 1; value < 200'000; ++value)
    head = node.put(link{.next = head, .value = value});
}

TEST_CASE_FIXTURE(one_node, "figures do not wait for the end of what others keep doing") {
  std::vector<ObjectRef<int>> kept;
  // Two that call on each other: an actor that calls on itself alone leaves no turn to others here.
  auto putter = [&](caf::event_based_actor* self) {
    return caf::behavior{[&, self](const caf::actor& next) {
      kept.push_back(node.put(1));
      self->send(next, caf::actor{self});
    }};
  };
  auto busy = sim.system().spawn(putter);
  caf::anon_send(sim.system().spawn(putter), busy);
  CHECK(node.stats().owned.objects > 0);
  CHECK(kept.size() < 1'000);
  caf::anon_send_exit(busy, caf::exit_reason::user_shutdown);
  sim.run();
}

TEST_CASE_FIXTURE(one_node, "a reference refuses to be written outside of a put") {
  auto ref = node.put(1);
  byte_buffer buffer;
  CHECK(error_of([&] { codec<std::vector<ObjectRef<int>>>::append({ref}, buffer); })
        == error_type::reference_not_portable);
}
