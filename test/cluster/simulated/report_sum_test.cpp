// What nodes tell of all their objects together, and of those that are easily overlooked: many
// small ones, old ones, ones that only a view or a lost node keeps.

#include "report_fixture.hpp"

#include <unistd.h>

using namespace mobula;
using namespace std::literals;

namespace {

struct with_sums : with_reports {
  using with_reports::with_reports;

  /// What `home` sums by `grouping`, without a list.
  std::vector<reported_group> sums(reported_grouping grouping) {
    return ask(home, {.max_objects = 0, .only = {}, .grouping = grouping}).groups;
  }

  reported_group sum(reported_grouping grouping, std::string_view name) {
    auto groups = sums(grouping);
    auto found = std::ranges::find(groups, name, &reported_group::name);
    REQUIRE(found != groups.end());
    return *found;
  }

  /// The one object that `home` lists if it may list but one.
  reported_object first(reported_order order) {
    auto report = ask(home, {.max_objects = 1, .only = {}, .order = order});
    REQUIRE(report.objects.size() == 1);
    return report.objects[0];
  }
};

struct tight_sums : spill_place, with_sums {
  tight_sums() : with_sums(tight_home::settings(directory.path().string())) {
    // nop
  }
};

struct sums_without_call_sites : with_sums {
  sums_without_call_sites() : with_sums(settings_without_call_sites()) {
    // nop
  }
};

} // namespace

// -- sums -----------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(with_sums, "sums are over all objects, however few are listed") {
  std::vector<ObjectRef<int>> many;
  for (int value = 0; value < 1'000; ++value)
    many.push_back(home.put(value));
  auto large = home.put(large_text);
  auto report = ask(home, {.max_objects = 1, .only = {}, .grouping = reported_grouping::type});
  CHECK(report.objects.size() == 1);
  CHECK(report.objects_left_out == 1'000);
  REQUIRE(report.groups.size() == 2);
  CHECK(sum(reported_grouping::type, "int32").objects == 1'000);
  CHECK(sum(reported_grouping::type, "int32").references == 1'000);
  CHECK(sum(reported_grouping::type, "string").bytes == report.objects[0].size_bytes);
}

TEST_CASE_FIXTURE(with_sums, "a node that is asked for no sums gives none") {
  auto ref = home.put("text");
  CHECK(ask(home).groups.empty());
}

TEST_CASE_FIXTURE(with_sums, "sums count the references of all who hold them, each once") {
  auto ref = home.put("text");
  auto copy = ref;
  auto outer = home.put(box{{ref}});
  send_away(ref);
  auto text = sum(reported_grouping::type, "string");
  CHECK(text.objects == 1);
  CHECK(text.references == 4); // two here, one in a value, one elsewhere
  CHECK(text.references == told(ref).references());
}

TEST_CASE_FIXTURE(with_sums, "a node's sum is one") {
  auto text = home.put("text");
  auto number = home.put(1);
  auto groups = sums(reported_grouping::node);
  REQUIRE(groups.size() == 1);
  CHECK(groups[0].objects == 2);
}

TEST_CASE_FIXTURE(tight_sums, "sums by state tell memory from disk") {
  auto spilled = home.put(large_text);
  auto resident = home.put(large_text);
  auto small = home.put("text");
  REQUIRE(told(spilled).state == reported_state::disk);
  CHECK(sum(reported_grouping::state, "disk").objects == 1);
  CHECK(sum(reported_grouping::state, "disk").bytes == told(spilled).size_bytes);
  CHECK(sum(reported_grouping::state, "memory").objects == 1);
  CHECK(sum(reported_grouping::state, "memory").references == 1);
  CHECK(sum(reported_grouping::state, "inline").objects == 1);
}

TEST_CASE_FIXTURE(sums_without_call_sites, "objects whose place is not recorded are one sum") {
  auto text = home.put("text");
  auto number = home.put(1);
  CHECK(sum(reported_grouping::call_site, "").objects == 2);
}

// -- order ----------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(with_sums, "the most referenced come first if they are asked for") {
  auto large = home.put(large_text);
  auto wanted = home.put("text");
  auto copies = std::vector<text_ref>(5, wanted);
  CHECK(first(reported_order::size).sequence == large.id().sequence);
  CHECK(first(reported_order::references).sequence == wanted.id().sequence);
}

TEST_CASE_FIXTURE(with_sums, "references elsewhere count in the order") {
  auto large = home.put(large_text);
  auto copy = large;
  auto wanted = home.put("text");
  for (int count = 0; count < 3; ++count)
    send_away(wanted);
  CHECK(first(reported_order::references).sequence == wanted.id().sequence);
}

TEST_CASE_FIXTURE(with_sums, "the oldest come first if they are asked for") {
  auto old = home.put("text");
  sim.run();
  sim.advance(100s);
  sim.run();
  auto young = home.put(large_text);
  auto listed = first(reported_order::age);
  CHECK(listed.sequence == old.id().sequence);
  CHECK(listed.age_s == 100);
  CHECK(told(young).age_s == 0);
}

// -- use ------------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(with_sums, "a value in the store that nobody has read says so") {
  auto ref = home.put(large_text);
  CHECK(told(ref).use == reported_use::never);
  static_cast<void>(home.get(ref));
  CHECK(told(ref).use == reported_use::read);
}

TEST_CASE_FIXTURE(with_sums, "a report says for how long a value has not been read, at least") {
  auto ref = home.put(large_text);
  static_cast<void>(home.get(ref));
  CHECK(told(ref).unused_s == 0);
  sim.advance(100s);
  CHECK(told(ref).unused_s == 100);
  sim.advance(50s);
  CHECK(told(ref).unused_s == 150);
  static_cast<void>(home.get(ref));
  CHECK(told(ref).unused_s == 0);
  sim.advance(7s);
  CHECK(told(ref).unused_s == 7);
}

TEST_CASE_FIXTURE(with_sums, "a reader in another process has read a value, too") {
  auto ref = home.put(large_text);
  send_away(ref);
  CHECK(told(ref).use == reported_use::never);
  static_cast<void>(away.get(at_away.letters.at(0)));
  CHECK(told(ref).use == reported_use::read);
}

TEST_CASE_FIXTURE(with_sums, "however many reports are made, an old use stays an old one") {
  auto ref = home.put(large_text);
  static_cast<void>(home.get(ref));
  for (std::uint32_t count = 0; count < 100; ++count) {
    CHECK(told(ref).unused_s == count);
    sim.advance(1s);
  }
}

TEST_CASE_FIXTURE(with_sums, "nothing is known of the use of small values") {
  auto ref = home.put("text");
  static_cast<void>(home.get(ref));
  CHECK(told(ref).use == reported_use::unknown);
}

// -- what is easily overlooked --------------------------------------------------------------------

TEST_CASE_FIXTURE(with_sums, "memory that only a view keeps is told, with who does") {
  auto ref = home.put(large_text);
  auto id = ref.id();
  auto view = home.get(ref);
  ref = {};
  sim.run();
  auto report = ask(home);
  CHECK(report.objects.empty());
  REQUIRE(report.pinned_only.size() == 1);
  const auto& kept = report.pinned_only[0];
  CHECK(kept.sequence == id.sequence);
  CHECK(kept.size_bytes >= large_text.size());
  CHECK(kept.views == 1);
  CHECK(kept.readers == 0);
  CHECK(kept.references() == 0);
  CHECK(sum(reported_grouping::state, "memory, no reference").bytes == kept.size_bytes);
}

TEST_CASE_FIXTURE(with_sums, "memory that only a view in another process keeps is told, too") {
  auto ref = home.put(large_text);
  send_away(ref);
  auto view = away.get(at_away.letters.at(0));
  at_away.clear();
  ref = {};
  sim.run();
  auto report = ask(home);
  REQUIRE(report.pinned_only.size() == 1);
  CHECK(report.pinned_only[0].views == 0);
  CHECK(report.pinned_only[0].readers == 1);
  // All nodes of a simulation are in one process.
  auto here = static_cast<std::uint64_t>(::getpid());
  CHECK(report.pinned_only[0].reader_processes == std::vector{here});
}

TEST_CASE_FIXTURE(with_sums, "what nobody pins is gone with its last reference") {
  auto ref = home.put(large_text);
  ref = {};
  sim.run();
  CHECK(ask(home).pinned_only.empty());
}

TEST_CASE_FIXTURE(with_sums, "what a lost node held says so, with the time that is left") {
  auto ref = home.put("text");
  send_away(ref);
  sim.cut(home, away);
  sim.run();
  auto object = told(ref);
  CHECK(object.borrowers.empty());
  REQUIRE(object.lost_holders.size() == 1);
  CHECK(object.lost_holders[0].node == away.incarnation());
  CHECK(object.lost_holders[0].count == 1);
  CHECK(object.lost_holders[0].left_ms == 30'000);
  CHECK(object.references() == 2);
  sim.advance(10s);
  sim.run();
  CHECK(told(ref).lost_holders.at(0).left_ms == 20'000);
  sim.advance(20s);
  sim.run();
  CHECK(told(ref).lost_holders.empty());
}

TEST_CASE_FIXTURE(with_sums, "a published object is told with its names") {
  auto ref = home.put("text");
  CHECK(told(ref).names.empty());
  home.publish("motto", ref);
  home.publish("device", ref);
  CHECK(told(ref).names == std::vector<std::string>{"device", "motto"});
  home.unpublish("device");
  CHECK(told(ref).names == std::vector<std::string>{"motto"});
  home.unpublish("motto");
}

TEST_CASE_FIXTURE(with_sums, "a failed object is told with its error") {
  auto failed = home.make_promise<std::string>();
  failed.set_error({.type = error_type::object_lost, .message = "the disk is gone\nfor good"});
  CHECK(told(failed.ref()).error == "object_lost: the disk is gone ...");
  CHECK(told(home.put("text")).error.empty());
}

TEST_CASE_FIXTURE(with_sums, "a report tells what the process takes of the system") {
  auto report = ask(home, {.max_objects = 0, .only = {}});
  CHECK(figure(report, "process_resident_bytes") > 0);
  CHECK(figure(report, "process_shared_bytes") <= figure(report, "process_resident_bytes"));
}
