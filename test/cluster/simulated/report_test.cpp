// What nodes tell the `mobula` command of their objects: who holds them, where they are, and where
// in the program they were made.

#include "report_fixture.hpp"

#include <mobula/json.hpp>

using namespace mobula;

namespace {

struct with_lines : with_reports {
  /// The line where `ref` was made, in this file.
  template <class T>
  std::uint32_t line_of(const ObjectRef<T>& ref) {
    auto report = ask(home);
    auto index = told(ref).call_site;
    REQUIRE(index > 0);
    const auto& site = report.call_sites.at(index - 1);
    CHECK(site.file.ends_with("report_test.cpp"));
    return site.line;
  }
};

/// A function that makes objects for others.
text_ref put_for_caller(node& on, const call_site& where = call_site::here()) {
  return on.put("text", where);
}

} // namespace

// -- what there is --------------------------------------------------------------------------------

TEST_CASE_FIXTURE(with_reports, "a node tells of small objects what it tells of large ones") {
  auto small = home.put("text");
  auto large = home.put(large_text);
  for (const auto* ref : {&small, &large}) {
    CHECK(told(*ref).type == "string");
    CHECK(told(*ref).local == 1);
    CHECK(told(*ref).references() == 1);
  }
  CHECK(told(small).state == reported_state::inline_value);
  CHECK(told(large).state == reported_state::memory);
}

TEST_CASE_FIXTURE(with_reports, "the largest objects are told first") {
  auto small = home.put("text");
  auto large = home.put(large_text);
  auto report = ask(home, {.max_objects = 1, .only = {}});
  REQUIRE(report.objects.size() == 1);
  CHECK(report.objects[0].sequence == large.id().sequence);
  CHECK(report.objects_left_out == 1);
}

TEST_CASE_FIXTURE(with_reports, "a node that is asked for one object tells of no other") {
  auto small = home.put("text");
  auto large = home.put(large_text);
  auto report = ask(home, {.max_objects = 1, .only = small.id()});
  REQUIRE(report.objects.size() == 1);
  CHECK(report.objects[0].sequence == small.id().sequence);
  CHECK(report.objects_left_out == 0);
  CHECK(ask(away, {.max_objects = 1, .only = small.id()}).objects.empty());
}

TEST_CASE_FIXTURE(with_reports, "objects without a value say why") {
  auto open = home.make_promise<std::string>();
  auto failed = home.make_promise<std::string>();
  failed.set_error({.type = error_type::object_lost, .message = "lost"});
  auto freed = home.put("text");
  home.free(freed);
  CHECK(told(open.ref()).state == reported_state::pending);
  CHECK(told(failed.ref()).state == reported_state::failed);
  CHECK(told(freed).state == reported_state::freed);
}

TEST_CASE_FIXTURE(tight_home, "a spilled object is on disk") {
  auto spilled = home.put(large_text);
  auto resident = home.put(large_text);
  CHECK(told(spilled).state == reported_state::disk);
  CHECK(told(resident).state == reported_state::memory);
}

// -- who holds it ---------------------------------------------------------------------------------

TEST_CASE_FIXTURE(with_reports, "views pin an object, of any size") {
  for (const auto& ref : {home.put("text"), home.put(large_text)}) {
    CHECK_FALSE(told(ref).pinned());
    auto view = home.get(ref);
    CHECK(told(ref).views == 1);
    CHECK(told(ref).pinned());
  }
}

TEST_CASE_FIXTURE(with_reports, "a view in another process pins, too") {
  auto ref = home.put(large_text);
  send_away(ref);
  auto view = away.get(at_away.letters.at(0));
  CHECK(told(ref).readers == 1);
  CHECK(told(ref).views == 0);
}

TEST_CASE_FIXTURE(with_reports, "what another node borrows is not local") {
  auto ref = home.put("text");
  send_away(ref);
  auto object = told(ref);
  CHECK(object.local == 1);
  REQUIRE(object.borrowers.size() == 1);
  CHECK(object.borrowers[0].node == away.incarnation());
  CHECK(object.references() == 2);
}

TEST_CASE_FIXTURE(with_reports, "a node that waits for a value adds no local reference") {
  auto open = home.make_promise<std::string>();
  send_away(open.ref());
  auto reader = sim.system().spawn([&](caf::event_based_actor* self) {
    get(self, at_away.letters.at(0)).then([](const view<std::string>&) {});
  });
  sim.run();
  CHECK(told(open.ref()).local == 2); // the promise, and the reference that is asked for
  open.set_value("text");
}

// -- nested references ----------------------------------------------------------------------------

TEST_CASE_FIXTURE(with_reports, "a reference inside of a value is told with its container") {
  auto inner = home.put("text");
  auto outer = home.put(box{{inner}});
  CHECK(told(inner).local == 1);
  CHECK(told(inner).nested.references == 1);
  CHECK(told(inner).nested.named == std::vector{outer.id()});
  CHECK(told(outer).nested.references == 0);
  CHECK(told(inner).references() == 2);
}

TEST_CASE_FIXTURE(with_reports, "a container with several references to one object is named once") {
  auto inner = home.put("text");
  auto other = home.put("other");
  auto outer = home.put(box{{inner, other, inner}});
  CHECK(told(inner).nested.references == 2);
  CHECK(told(inner).nested.containers == 1);
  CHECK(told(inner).nested.named == std::vector{outer.id()});
}

TEST_CASE_FIXTURE(with_reports, "containers in the store count as small ones do") {
  auto inner = home.put("text");
  auto outer = home.put(box{std::vector<text_ref>(10'000, inner)});
  REQUIRE(told(outer).state == reported_state::memory);
  CHECK(told(inner).local == 1);
  CHECK(told(inner).nested.references == 10'000);
  CHECK(told(inner).nested.named == std::vector{outer.id()});
}

TEST_CASE_FIXTURE(with_reports, "a promise's value is a container from its seal on") {
  auto inner = home.put("text");
  auto promise = home.make_promise<box>();
  CHECK(told(inner).nested.references == 0);
  promise.set_value(box{{inner}});
  CHECK(told(inner).nested.named == std::vector{promise.ref().id()});
}

TEST_CASE_FIXTURE(with_reports, "of many containers the first are named and all are counted") {
  auto inner = home.put("text");
  std::vector<ObjectRef<box>> outer;
  for (int count = 0; count < 20; ++count)
    outer.push_back(home.put(box{{inner}}));
  CHECK(told(inner).nested.containers == 20);
  CHECK(told(inner).nested.named.size() == reported_nesting::max_named);
}

TEST_CASE_FIXTURE(with_reports, "a borrower tells in which of its values a reference is") {
  auto inner = home.put("text");
  send_away(inner);
  auto outer = away.put(box{{at_away.letters.at(0)}});
  auto report = ask(away);
  REQUIRE(report.nested_elsewhere.size() == 1);
  CHECK(report.nested_elsewhere[0].object == inner.id());
  CHECK(report.nested_elsewhere[0].nested.named == std::vector{outer.id()});
  CHECK(ask(away, {.max_objects = 1, .only = outer.id()}).nested_elsewhere.empty());
}

TEST_CASE_FIXTURE(with_reports, "another node's value that was read here is a container, too") {
  auto inner = home.put("text");
  send_away(inner);
  auto outer = away.put(box{{at_away.letters.at(0)}});
  send(away, home, at_home, parcel{outer, outer});
  sim.run();
  auto view = home.get(at_home.parcels.at(0).content);
  CHECK(told(inner).nested.named == std::vector{outer.id()});
  // That in the value which the view shows was decoded, and is like any other.
  CHECK(told(inner).local == 2);
}

// -- where it was made ----------------------------------------------------------------------------

struct without_call_sites : with_reports {
  without_call_sites() : with_reports(settings_without_call_sites()) {
    // nop
  }
};

TEST_CASE_FIXTURE(without_call_sites, "nothing is recorded unless it is asked for") {
  auto ref = home.put("text");
  CHECK(told(ref).call_site == 0);
  CHECK(ask(home).call_sites.empty());
}

TEST_CASE_FIXTURE(with_lines, "each way to make an object records its place") {
  const auto here = call_site::here().line;
  auto text = home.put("text");                             // here + 1
  auto number = home.put(1);                                // here + 2
  auto stored = home.put(large_text);                       // here + 3
  auto json = home.put_as<codec_id::cereal_json>(2);        // here + 4
  auto filled = home.create<bytes>(10);                     // here + 5
  auto matrix = home.create<array<int>>(array_shape{2, 2}); // here + 6
  auto promise = home.make_promise<int>();                  // here + 7
  CHECK(line_of(text) == here + 1);
  CHECK(line_of(number) == here + 2);
  CHECK(line_of(stored) == here + 3);
  CHECK(line_of(json) == here + 4);
  CHECK(line_of(filled.seal()) == here + 5);
  CHECK(line_of(matrix.seal()) == here + 6);
  CHECK(line_of(promise.ref()) == here + 7);
}

TEST_CASE_FIXTURE(with_lines, "a promise's object is made with the promise") {
  const auto here = call_site::here().line;
  auto promise = home.make_promise<std::string>();
  promise.set_value(large_text);
  CHECK(line_of(promise.ref()) == here + 1);
}

TEST_CASE_FIXTURE(with_lines, "a function that makes objects for others passes their place on") {
  auto ref = put_for_caller(home);
  CHECK(line_of(ref) == call_site::here().line - 1);
}

TEST_CASE_FIXTURE(with_reports, "a call site names its function") {
  auto make = [this] {
    return home.put("text");
  };
  auto ref = make();
  auto report = ask(home);
  REQUIRE(report.call_sites.size() == 1);
  CHECK(report.call_sites[0].function == "operator()");
}

TEST_CASE_FIXTURE(with_reports, "objects of one call site share one") {
  std::vector<text_ref> refs;
  for (int count = 0; count < 10; ++count)
    refs.push_back(home.put("text"));
  auto report = ask(home);
  CHECK(report.objects.size() == 10);
  CHECK(report.call_sites.size() == 1);
}

TEST_CASE_FIXTURE(with_reports, "other nodes' objects have no call site here") {
  send_away(home.put("text"));
  CHECK(at_away.letters.at(0).entry().made_at() == nullptr);
}
