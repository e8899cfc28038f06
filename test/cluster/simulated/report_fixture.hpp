#pragma once

#include "../../temporary_directory.hpp"
#include "post.hpp"

#include <algorithm>
#include <optional>

#include <mobula/actors/reports/node_report.hpp>

namespace mobula {

inline const std::string large_text(300'000, 'x');

/// A simulation records them unless it is told otherwise.
inline std::unique_ptr<config> settings_without_call_sites() {
  auto result = post_settings();
  result->set("mobula.record-call-sites", false);
  return result;
}

/// Nodes that are asked what they hold.
struct with_reports : three_nodes {
  using three_nodes::three_nodes;

  node_report ask(const node& of, const ask_report& question = {.max_objects = 100, .only = {}}) {
    std::optional<node_report> result;
    auto asker = sim.system().spawn([&](caf::event_based_actor* self) {
      self->request(of.core().cluster(), caf::infinite, question).then([&](node_report& report) {
        result = std::move(report);
      });
    });
    sim.run();
    return result.value();
  }

  /// What `home` says of its object.
  template <class T>
  reported_object told(const ObjectRef<T>& ref) {
    auto report = ask(home);
    auto found = std::ranges::find(report.objects, ref.id().sequence, &reported_object::sequence);
    REQUIRE(found != report.objects.end());
    return *found;
  }
};

struct spill_place {
  test::temporary_directory directory;
};

/// A home with one shard of 512 KiB that spills.
struct tight_home : spill_place, with_reports {
  static std::unique_ptr<config> settings(const std::string& directory) {
    auto result = post_settings();
    result->set("mobula.store-size", std::string{"512KiB"});
    result->set("mobula.shards", std::int64_t{1});
    result->set("mobula.spill-dirs", std::vector<std::string>{directory});
    return result;
  }

  tight_home() : with_reports(settings(directory.path().string())) {
    // nop
  }
};

} // namespace mobula
