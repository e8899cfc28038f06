// Lets a thread wait for space in the store or the heap. A request that is dropped, because its
// service has ended, counts as refused, so that nobody waits for ever.

#include "mobula/actors/messages/space_request.hpp"

#include <utility>

#include "mobula/actors/caf/simulated_wait.hpp"

namespace mobula {

// -- space_answer ---------------------------------------------------------------------------------

void space_answer::set(std::optional<error_info> failure) {
  std::unique_lock guard{mutex_};
  failure_ = std::move(failure);
  set_ = true;
}

std::optional<error_info> space_answer::await(object_host& host, const error_info& would_block) {
  auto there = [this] {
    return is_set();
  };
  if (auto* simulation = host.simulation()) {
    if (simulate_until(*simulation, there) != simulated_end::done)
      return would_block;
  } else if (!host.await_answer(there)) {
    return host.shutting_down_error();
  }
  std::unique_lock guard{mutex_};
  return failure_;
}

bool space_answer::is_set() {
  std::unique_lock guard{mutex_};
  return set_;
}

// -- space_request --------------------------------------------------------------------------------

space_request::space_request(std::shared_ptr<space_answer> answer, object_host& host)
  : answer_(std::move(answer)), host_(&host) {
  // nop
}

space_request::~space_request() {
  if (answer_ != nullptr)
    end(host_->shutting_down_error());
}

void space_request::grant() {
  end(std::nullopt);
}

void space_request::refuse(error_info reason) {
  end(std::move(reason));
}

void space_request::end(std::optional<error_info> failure) {
  if (auto answer = std::exchange(answer_, nullptr)) {
    answer->set(std::move(failure));
    host_->answer_given();
  }
}

} // namespace mobula
