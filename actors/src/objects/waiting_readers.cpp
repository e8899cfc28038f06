// What readers that wait for an entry get when its bytes come back, or cannot come: a pin or the
// reason, under the stripe's mutex, and a wake-up outside of it.

#include "mobula/actors/objects/waiting_readers.hpp"

#include "mobula/actors/objects/entry_stripe.hpp"
#include "mobula/actors/objects/object_host.hpp"

namespace mobula {

// -- what becomes of the bytes --------------------------------------------------------------------

void waiting_readers::restored() {
  auto all_served = true;
  entry_.stripe().update_and_wake(
    entry_, [] {},
    [&](wait_link& link) {
      auto served = serve(link);
      all_served = all_served && served;
      return served;
    });
  if (!all_served)
    entry_.host().request_restore(entry_);
}

void waiting_readers::refuse(const error_info& reason) {
  entry_.stripe().update_and_wake(
    entry_, [] {},
    [&](wait_link& link) {
      link.failure = std::make_unique<error_info>(reason);
      if (link.goal == wait_goal::ready && entry_.phase() == object_phase::pending)
        entry_.state_.keep_refusal(reason);
      return true;
    });
}

void waiting_readers::forget_refusal() {
  entry_.stripe().update_quietly([this] {
    if (entry_.phase() == object_phase::pending)
      entry_.state_.forget_refusal();
  });
}

// -- one reader: the stripe's mutex is held -------------------------------------------------------

bool waiting_readers::serve(wait_link& link) noexcept {
  if (link.goal == wait_goal::readable)
    link.pin = entry_.try_pin();
  return link.goal == wait_goal::ready || link.pin;
}

std::unique_ptr<error_info> waiting_readers::kept_refusal(wait_goal goal) {
  const auto* kept = entry_.state_.refusal();
  if (kept == nullptr)
    return nullptr;
  auto result = std::make_unique<error_info>(*kept);
  if (goal == wait_goal::readable)
    entry_.state_.forget_refusal();
  return result;
}

} // namespace mobula
