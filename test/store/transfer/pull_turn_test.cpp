// How long an ask may wait for its turn on a connection that brings the bytes of others.

#include "pull_shell.hpp"

using namespace mobula;
using namespace mobula::test;

using enum pull_timer_purpose;

namespace {

/// One connection to each node, and asks as large as what a node sends in one turn.
pull_config whole_chunks() {
  return {
    .self = node_number(1'000), .chunk_bytes = frame_limits::chunk_bytes, .lanes_per_node = 1};
}

} // namespace

TEST_CASE("on a slow connection an ask waits for those before it") {
  pull_shell shell{pull_shell::small({.lanes_per_node = 1})};
  shell.start(1, 10, {1});
  shell.start(2, 10, {1});
  for (int i = 0; i < 20; ++i) {
    shell.progress();
    shell.fire(sweep);
  }
  CHECK(shell.canceled.empty());
}

TEST_CASE("an ask that its node passes over again and again is given up") {
  pull_shell shell{whole_chunks()};
  shell.start(1, 10, {1});
  shell.start(2, 8 * frame_limits::chunk_bytes, {1});
  shell.fire(sweep);
  shell.deliver(1);
  shell.fire(sweep);
  CHECK(shell.canceled.empty());
  shell.deliver(1);
  shell.fire(sweep);
  CHECK(shell.canceled == std::set{ask_number{1}});
  CHECK(shell.closed_lanes.empty());
}

TEST_CASE("an ask whose turn is over is not given up while bytes of it come") {
  pull_shell shell{whole_chunks()};
  shell.start(1, 10, {1});
  shell.start(2, 8 * frame_limits::chunk_bytes, {1});
  shell.fire(sweep);
  shell.deliver(1);
  shell.deliver(1);
  shell.arrive(1);
  shell.fire(sweep);
  CHECK(shell.canceled.empty());
  shell.deliver(1);
  shell.fire(sweep);
  CHECK(shell.canceled == std::set{ask_number{1}});
}

TEST_CASE("an ask's turn is over when more has come than it, what was before it and one chunk") {
  pull_shell shell{whole_chunks()};
  shell.start(1, 10, {1});
  shell.start(2, 8 * frame_limits::chunk_bytes, {1});
  shell.fire(sweep);
  shell.deliver(1);
  shell.arrive(10, 1);
  shell.fire(sweep);
  CHECK(shell.canceled.empty());
  shell.arrive(1, 1);
  shell.fire(sweep);
  CHECK(shell.canceled == std::set{ask_number{1}});
}

TEST_CASE("what a connection brought before an ask does not shorten its turn") {
  pull_shell shell{whole_chunks()};
  shell.start(1, 20 * frame_limits::chunk_bytes, {1});
  for (int chunk = 0; chunk < 12; ++chunk)
    shell.deliver();
  shell.start(2, 10, {1});
  shell.fire(sweep);
  shell.deliver();
  shell.fire(sweep);
  CHECK(shell.canceled.empty());
}
