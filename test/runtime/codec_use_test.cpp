// Codecs as users choose and write them, and what becomes of exceptions that theirs throw.

#include "one_node.hpp"

#include <memory>
#include <vector>

#include <cereal/types/memory.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>

#include <mobula/json.hpp>
#include <mobula/message_pack.hpp>

#include "other_codecs.hpp"

using namespace mobula;

namespace {

struct person {
  std::string name;
  std::int32_t age = 0;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(name), CEREAL_NVP(age));
  }

  MSGPACK_DEFINE_MAP(name, age)
};

/// Refuses to be written, or to be read back.
struct stubborn {
  bool writable = true;
  ObjectRef<int> inner;

  template <class Archive>
  void save(Archive& archive) const {
    archive(inner);
    if (!writable)
      throw std::domain_error("will not be written");
  }

  template <class Archive>
  void load(Archive& archive) {
    archive(inner);
    throw std::range_error("will not be read");
  }
};

int decodings = 0;

struct counting {
  int value = 0;

  template <class Archive>
  void save(Archive& archive) const {
    archive(value);
  }

  template <class Archive>
  void load(Archive& archive) {
    archive(value);
    ++decodings;
  }
};

struct pod {
  std::int32_t x;
  double y;
};

} // namespace

ObjectRef<int> mobula::put_in_json(mobula::node& where, int value) {
  return where.put_as<codec_id::cereal_json>(value);
}

ObjectRef<int> mobula::put_in_message_pack(mobula::node& where, int value) {
  return where.put_as<codec_id::message_pack>(value);
}

TEST_CASE_FIXTURE(one_node, "trivially copyable values are read in place") {
  auto value = node.get(node.put(pod{1, 2.5}));
  CHECK(value->y == 2.5);
  CHECK(static_cast<const void*>(value.get()) == value.raw_bytes().data());
}

TEST_CASE_FIXTURE(one_node, "a type with cereal support needs nothing else") {
  auto value = node.get(node.put(person{"Ada", 36}));
  CHECK(value->name == "Ada");
  CHECK(value->age == 36);
}

TEST_CASE_FIXTURE(one_node, "the caller may choose JSON for readers in other languages") {
  auto ref = node.put_as<codec_id::cereal_json>(person{"Ada", 36});
  auto value = node.get(ref);
  CHECK(value->name == "Ada");
  auto bytes = value.raw_bytes();
  std::string_view text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  CHECK(text.find("\"Ada\"") != std::string_view::npos);
}

TEST_CASE_FIXTURE(one_node, "the caller may choose MessagePack for readers in other languages") {
  auto value = node.get(node.put_as<codec_id::message_pack>(person{"Ada", 36}));
  CHECK(value->age == 36);
  // A map of two entries.
  CHECK(value.raw_bytes()[0] == std::byte{0x82});
}

TEST_CASE_FIXTURE(one_node,
                  "cereal's header for smart pointers gives readers a function of its own") {
  using pointers = std::vector<std::shared_ptr<int>>;
  auto value = node.get(node.put(pointers{std::make_shared<int>(7), nullptr}));
  REQUIRE(value->size() == 2);
  CHECK(*value->front() == 7);
  CHECK(value->back() == nullptr);
  // A source that includes these codecs and not that header has another one.
  constexpr auto json = encodable_with<pointers, codec_id::cereal_json>;
  constexpr auto message_pack = encodable_with<pointers, codec_id::message_pack>;
  internal::value_decoder without = &internal::decode<pointers, false, json, message_pack>;
  auto differs = internal::decoder_here<pointers> != without;
  CHECK(differs);
}

TEST_CASE_FIXTURE(one_node, "what has the headers reads what was written in JSON and MessagePack") {
  CHECK(*node.get(put_in_json(node, 7)) == 7);
  CHECK(*node.get(put_in_message_pack(node, 8)) == 8);
}

TEST_CASE_FIXTURE(one_node,
                  "an exception of a user's codec passes through put and leaves nothing") {
  auto inner = node.put(1);
  CHECK_THROWS_AS(static_cast<void>(node.put(stubborn{.writable = false, .inner = inner})),
                  std::domain_error);
  CHECK(inner.handle()->handles() == 1);
}

TEST_CASE_FIXTURE(one_node, "an exception of a user's codec leaves a promise to be set again") {
  auto promise = node.make_promise<stubborn>();
  CHECK_THROWS_AS(promise.set_value(stubborn{.writable = false, .inner = {}}), std::domain_error);
  CHECK_FALSE(promise.is_set());
  promise.set_value(stubborn{});
}

TEST_CASE_FIXTURE(one_node,
                  "an exception of a user's codec becomes the reader's error, with cause") {
  auto ref = node.put(stubborn{.writable = true, .inner = node.put(1)});
  for (int attempt = 0; attempt < 2; ++attempt) {
    try {
      node.get(ref);
      FAIL("there is no value");
    } catch (const object_error& error) {
      CHECK(error.type() == error_type::decode_failed);
      CHECK(error.info().exception_type == "std::range_error");
      CHECK(error.info().message.find("will not be read") != std::string::npos);
    }
  }
}

TEST_CASE_FIXTURE(one_node, "a value is decoded once for all its readers") {
  decodings = 0;
  auto ref = node.put(counting{7});
  auto first = node.get(ref);
  CHECK(node.get(ref)->value == 7);
  auto second = node.get(ref);
  CHECK(second.get() == first.get());
  CHECK(decodings == 1);
}
