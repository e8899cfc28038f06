// What a dial says of a handshake that came to nothing.

#include <chrono>

#include <caf/sec.hpp>
#include <doctest/doctest.h>

#include "mobula/actors/membership/dial_worker.hpp"

using namespace mobula;
using namespace std::chrono_literals;

namespace {

address_failure failure_by(caf::sec why) {
  dial_job job;
  job.target = {"10.0.0.1", 4242};
  job.limit = 5000ms;
  return explain_handshake(caf::make_error(why), job);
}

} // namespace

TEST_CASE("a dial that waited its whole limit says how long that was") {
  auto failure = failure_by(caf::sec::request_timeout);
  CHECK(failure.kind == dial_failure::silent);
  CHECK(failure.text.find("10.0.0.1:4242 accepts connections") == 0);
  CHECK(failure.text.find("within 5000 ms") != std::string::npos);
}

TEST_CASE("a dial that CAF's heartbeat ended does not claim to have waited its limit") {
  auto failure = failure_by(caf::sec::connection_timeout);
  CHECK(failure.kind == dial_failure::silent);
  CHECK(failure.text.find(" ms") == std::string::npos);
  CHECK(failure.text.find("mobula.heartbeat-timeout") != std::string::npos);
}

TEST_CASE("a dial whose connection was closed may be tried again") {
  auto failure = failure_by(caf::sec::end_of_stream);
  CHECK(failure.kind == dial_failure::passing);
  CHECK(failure.text.find("the handshake with 10.0.0.1:4242 failed") == 0);
}
