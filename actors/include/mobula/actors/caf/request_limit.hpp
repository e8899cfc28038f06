#pragma once

#include <caf/local_actor.hpp>

#include "mobula/actors/caf/caf_clock.hpp"

namespace mobula {

/// The time limit of a request. Leaves the clock at its end, be it because of the answer or because
/// the actor ended.
class request_limit {
public:
  request_limit(caf::local_actor& self, caf::message_id response, caf_clock::time_point due)
    : self_(self), response_(response) {
    self_.clock().set_request_timeout(due, &self_, response_);
  }

  request_limit(const request_limit&) = delete;
  request_limit& operator=(const request_limit&) = delete;

  ~request_limit() {
    self_.clock().cancel_request_timeout(&self_, response_);
  }

private:
  caf::local_actor& self_;
  caf::message_id response_;
};

} // namespace mobula
