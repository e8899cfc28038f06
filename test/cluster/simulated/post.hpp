#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include <mobula/mobula.hpp>
#include <mobula/testing.hpp>

#include <cereal/types/vector.hpp>

namespace mobula {

using text_ref = ObjectRef<std::string>;

/// A value that refers to others.
struct box {
  std::vector<text_ref> inner;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(inner);
  }
};

/// Messages of an application.
struct letter {
  std::vector<text_ref> refs;
};
MOBULA_MESSAGE(letter, refs)

struct parcel {
  ObjectRef<box> content;
  ObjectRef<void> anything;
};
MOBULA_MESSAGE(parcel, content, anything)

/// Values are asked for, even small ones.
inline std::unique_ptr<config> post_settings() {
  auto result = std::make_unique<config>();
  result->set("mobula.piggyback", std::string{"0"});
  result->set("mobula.store-size", std::string{"16MiB"});
  add_messages<letter, parcel>(*result);
  return result;
}

/// What an actor of some node has got.
struct mailbox {
  std::vector<text_ref> letters;
  std::vector<parcel> parcels;
  caf::actor owner;

  explicit mailbox(testing::simulation& sim) {
    owner = sim.system().spawn([this](caf::event_based_actor*) {
      return caf::behavior{
        [this](const letter& x) { letters.insert(letters.end(), x.refs.begin(), x.refs.end()); },
        [this](const parcel& x) { parcels.push_back(x); },
        [](int number) { return number + 1; },
      };
    });
  }

  ~mailbox() {
    caf::anon_send_exit(owner, caf::exit_reason::user_shutdown);
  }

  void clear() {
    letters.clear();
    parcels.clear();
  }
};

/// Three nodes of one cluster. At the end of a test, nothing may be left on them.
struct three_nodes {
  testing::simulation sim;
  node& home = sim.add_node();
  node& away = sim.add_node();
  node& third = sim.add_node();
  mailbox at_home{sim};
  mailbox at_away{sim};
  mailbox at_third{sim};

  explicit three_nodes(std::unique_ptr<config> settings = post_settings())
    : sim(1, std::move(settings)) {
    sim.connect_all();
    sim.run();
  }

  ~three_nodes() {
    for (auto* box : {&at_home, &at_away, &at_third})
      box->clear();
    CHECK(sim.leftovers() == "");
    sim.check_invariants();
  }

  template <class Message>
  void send(node& from, node& to, const mailbox& receiver, Message message) {
    caf::anon_send(sim.remote(from, to, receiver.owner), std::move(message));
  }

  void send_away(text_ref ref) {
    send(home, away, at_away, letter{{std::move(ref)}});
    sim.run();
  }

  [[nodiscard]] std::uint64_t peer_messages() const {
    return home.stats().peer_messages + away.stats().peer_messages + third.stats().peer_messages;
  }
};

/// Reads an object that must be an error, and returns its type.
template <class T>
error_type error_behind(const node& reader, const ObjectRef<T>& ref) {
  auto result = reader.try_get(ref);
  REQUIRE(!result);
  return to_error_info(result.error()).type;
}

} // namespace mobula
