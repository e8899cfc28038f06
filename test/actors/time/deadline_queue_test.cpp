// The order in which deadlines of one actor end.

#include <doctest/doctest.h>

#include "mobula/actors/time/deadline_queue.hpp"

using namespace mobula;
using namespace std::chrono_literals;

namespace {

using clock_type = std::chrono::steady_clock;

constexpr clock_type::time_point at(std::chrono::nanoseconds time) {
  return clock_type::time_point{} + time;
}

} // namespace

TEST_CASE("what is due comes in order of time, then of arrival") {
  deadline_queue<char> queue;
  queue.add(at(20ns), 'c');
  queue.add(at(10ns), 'a');
  queue.add(at(10ns), 'b');
  CHECK(queue.next() == at(10ns));
  CHECK(queue.take_due(at(19ns)) == 'a');
  CHECK(queue.take_due(at(19ns)) == 'b');
  CHECK(queue.take_due(at(19ns)) == std::nullopt);
  CHECK(queue.take_due(at(20ns)) == 'c');
}

TEST_CASE("what was removed does not come, and is removed once") {
  deadline_queue<char> queue;
  auto first = queue.add(at(10ns), 'a');
  queue.add(at(20ns), 'b');
  CHECK(queue.remove(first) == 'a');
  CHECK(queue.remove(first) == std::nullopt);
  CHECK(queue.remove({}) == std::nullopt);
  CHECK(queue.next() == at(20ns));
}

TEST_CASE("a delay beyond the end of time is never over") {
  CHECK(deadline_after(at(5s), std::chrono::nanoseconds::max()) == clock_type::time_point::max());
  CHECK(deadline_after(at(5s), 1s) == at(6s));
  deadline_queue<char> queue;
  queue.add(clock_type::time_point::max(), 'a');
  CHECK(queue.next() == std::nullopt);
  CHECK(queue.remove({}) == std::nullopt);
  CHECK(queue.size() == 1);
}
