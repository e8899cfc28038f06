// The table of objects that `mobula memory` prints: how its cells are cut.

#include <string>
#include <string_view>
#include <utility>

#include <doctest/doctest.h>

#include "views.hpp"

using namespace mobula;
using namespace mobula::command;

TEST_CASE("the table of objects cuts a long error between two characters") {
  reported_object failed{};
  failed.state = reported_state::failed;
  // Its second byte would be the first one that is too much for a cell.
  std::string shown(60 - std::string_view{"failed: "}.size() - 1, 'x');
  failed.error = shown + "\u00e4, and more";
  node_report node;
  node.objects.push_back(failed);
  cluster_report report;
  report.nodes.push_back(std::move(node));
  auto text = memory_text(report, {});
  CHECK(text.find("failed: " + shown + "... ") != std::string::npos);
}
