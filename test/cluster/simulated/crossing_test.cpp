// References that cross between nodes, without failures.

#include "post.hpp"

#include <caf/binary_serializer.hpp>
#include <caf/scoped_actor.hpp>

using namespace mobula;

TEST_CASE_FIXTURE(three_nodes, "a reference that was sent to another node can be read there") {
  send_away(home.put("a text"));
  REQUIRE(at_away.letters.size() == 1);
  CHECK(away.get(at_away.letters[0]).copy() == "a text");
}

TEST_CASE_FIXTURE(three_nodes, "a borrowed reference names its object and owner") {
  auto ref = home.put("a text");
  send_away(ref);
  const auto& borrowed = at_away.letters.at(0);
  CHECK(borrowed == ref);
  CHECK(borrowed.id() == ref.id());
  CHECK(borrowed.owner() == home.incarnation());
  CHECK(borrowed.stored_type() == "string");
}

TEST_CASE_FIXTURE(three_nodes, "an object lives as long as another node holds it") {
  send_away(home.put("a text"));
  CHECK(home.stats().owned.objects == 1);
  CHECK(home.stats().exported_objects == 1);
  CHECK(away.stats().borrowed_objects == 1);
  at_away.clear();
  sim.run();
  CHECK(home.stats().owned.objects == 0);
  CHECK(home.stats().exported_objects == 0);
}

TEST_CASE_FIXTURE(three_nodes, "a sender may let go before its message arrives") {
  auto ref = home.put("a text");
  send(home, away, at_away, letter{{ref}});
  ref = {};
  CHECK(home.stats().owned.objects == 1);
  sim.run();
  CHECK(away.get(at_away.letters.at(0)).copy() == "a text");
}

TEST_CASE_FIXTURE(three_nodes,
                  "a message under way holds what it refers to, and then its receiver") {
  auto ref = home.put("a text");
  send(home, away, at_away, letter{{ref, ref}});
  CHECK(ref.handle()->handles() == 3);
  sim.run();
  CHECK(home.stats().open_transits == 0);
  CHECK(ref.handle()->handles() == 2);
  at_away.clear();
  sim.run();
  CHECK(ref.handle()->handles() == 1);
}

TEST_CASE_FIXTURE(three_nodes, "copies of a borrowed reference cost no message") {
  send_away(home.put("a text"));
  auto before = peer_messages();
  std::vector<text_ref> copies(1000, at_away.letters.at(0));
  copies.clear();
  sim.run();
  CHECK(peer_messages() == before);
}

TEST_CASE_FIXTURE(three_nodes, "a borrower may pass a reference on and forget it") {
  send_away(home.put("a text"));
  send(away, third, at_third, letter{{at_away.letters.at(0)}});
  at_away.clear();
  sim.run();
  CHECK(away.stats().borrowed_objects == 0);
  CHECK(third.get(at_third.letters.at(0)).copy() == "a text");
}

TEST_CASE_FIXTURE(three_nodes, "a reference that comes home is the one that left") {
  auto ref = home.put("a text");
  send_away(ref);
  send(away, home, at_home, letter{{at_away.letters.at(0)}});
  at_away.clear();
  sim.run();
  CHECK(at_home.letters.at(0).handle().get() == ref.handle().get());
  CHECK(home.stats().exported_objects == 0);
}

TEST_CASE_FIXTURE(three_nodes, "a reference may come home after its owner has let go") {
  send_away(home.put("a text"));
  send(away, home, at_home, letter{{at_away.letters.at(0)}});
  at_away.clear();
  sim.run();
  CHECK(home.get(at_home.letters.at(0)).copy() == "a text");
}

TEST_CASE_FIXTURE(three_nodes, "a node sees one object, however often it arrives") {
  auto ref = home.put("a text");
  send(home, away, at_away, letter{{ref, ref}});
  send(home, third, at_third, letter{{ref}});
  sim.run();
  send(third, away, at_away, letter{{at_third.letters.at(0)}});
  sim.run();
  REQUIRE(at_away.letters.size() == 3);
  CHECK(at_away.letters[0].handle().get() == at_away.letters[2].handle().get());
  CHECK(away.stats().borrowed_objects == 1);
}

TEST_CASE_FIXTURE(three_nodes, "an empty reference stays empty") {
  send_away({});
  CHECK(at_away.letters.at(0).empty());
  CHECK(peer_messages() == 0);
}

TEST_CASE_FIXTURE(three_nodes, "a reference of any type brings its type along") {
  send(home, away, at_away, parcel{{}, home.put(42)});
  sim.run();
  auto any = at_away.parcels.at(0).anything;
  CHECK(*away.get(any.as<int>()) == 42);
  CHECK_THROWS_AS(static_cast<void>(any.as<std::string>()), object_error);
}

TEST_CASE_FIXTURE(three_nodes, "10,000 references cost one borrow and one confirmation") {
  std::vector<text_ref> refs;
  for (int number = 0; number < 10'000; ++number)
    refs.push_back(home.put("a text"));
  send(home, away, at_away, letter{refs});
  sim.run();
  CHECK(at_away.letters.size() == 10'000);
  CHECK(peer_messages() == 2);
}

TEST_CASE_FIXTURE(three_nodes, "a reference of the wrong type is refused, and given back") {
  send(home, away, at_away, letter{{text_ref{home.put(42).handle()}}});
  sim.run();
  CHECK(at_away.letters.empty());
  REQUIRE(sim.lost_messages().size() == 1);
  CHECK(sim.lost_messages()[0].type == error_type::type_mismatch);
  CHECK(sim.lost_messages()[0].message.find("int32") != std::string::npos);
  CHECK(home.stats().owned.objects == 0);
}

TEST_CASE_FIXTURE(three_nodes, "references read before the one that fails are given back") {
  send(home, away, at_away, letter{{home.put("a text"), text_ref{home.put(42).handle()}}});
  sim.run();
  CHECK(home.stats().owned.objects == 0);
  CHECK(away.stats().entries == 0);
}

TEST_CASE_FIXTURE(three_nodes, "a message to a dead actor leaks nothing once the lease is over") {
  caf::anon_send_exit(at_away.owner, caf::exit_reason::kill);
  sim.run();
  send_away(home.put("a text"));
  CHECK(home.stats().owned.objects == 1);
  sim.advance(home.options().transit_lease);
  sim.run();
  CHECK(home.stats().owned.objects == 0);
}

TEST_CASE_FIXTURE(three_nodes, "a slow message outlives its lease") {
  send(home, away, at_away, letter{{home.put("a text")}});
  sim.advance(10 * home.options().transit_lease);
  sim.run();
  CHECK(away.get(at_away.letters.at(0)).copy() == "a text");
}

TEST_CASE_FIXTURE(three_nodes, "an actor answers requests from another node") {
  int seen = 0;
  auto asker = sim.system().spawn(
    [&, target = sim.remote(home, away, at_away.owner)](caf::event_based_actor* self) {
      self->request(target, caf::infinite, 1).then([&](int answer) { seen = answer; });
    });
  asker = nullptr;
  sim.run();
  CHECK(seen == 2);
}

TEST_CASE_FIXTURE(three_nodes, "references of another node are not a node's to send") {
  send(third, away, at_away, letter{{home.put("a text")}});
  sim.run();
  REQUIRE(sim.lost_messages().size() == 1);
  CHECK(sim.lost_messages()[0].type == error_type::reference_not_portable);
}

TEST_CASE_FIXTURE(three_nodes, "a reference does not leave in bytes that are no message") {
  letter sent{{home.put("a text")}};
  std::vector<char> buffer;
  caf::binary_serializer to_file{nullptr, buffer};
  CHECK(to_error_info(to_file(sent)).type == error_type::reference_not_portable);
  caf::binary_serializer to_buffer{sim.system(), buffer};
  CHECK(to_error_info(to_buffer(sent)).type == error_type::reference_not_portable);
}

TEST_CASE_FIXTURE(three_nodes, "printing a message opens no transit") {
  auto message = caf::make_message(letter{{home.put("a text")}});
  CHECK(!to_string(message).empty());
  CHECK(home.stats().open_transits == 0);
}

namespace {

/// Home and third are connected to away only.
struct three_in_a_row {
  testing::simulation sim{1, post_settings()};
  node& home = sim.add_node();
  node& away = sim.add_node();
  node& third = sim.add_node();
  mailbox at_away{sim};
  mailbox at_third{sim};

  three_in_a_row() {
    sim.connect(home, away);
    sim.connect(away, third);
    caf::anon_send(sim.remote(home, away, at_away.owner), letter{{home.put("a text")}});
    sim.run();
    caf::anon_send(sim.remote(away, third, at_third.owner), letter{at_away.letters});
    at_away.letters.clear();
  }

  ~three_in_a_row() {
    at_third.letters.clear();
    CHECK(sim.leftovers() == "");
    sim.check_invariants();
  }
};

} // namespace

TEST_CASE_FIXTURE(three_in_a_row, "nodes meet the owners of references that others send them") {
  sim.run();
  CHECK(third.get(at_third.letters.at(0)).copy() == "a text");
}

TEST_CASE_FIXTURE(three_in_a_row, "a reader may ask before the owner is found") {
  while (at_third.letters.empty())
    REQUIRE(sim.run_one());
  CHECK(third.get(at_third.letters.at(0)).copy() == "a text");
}
