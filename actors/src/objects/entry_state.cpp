// The phases of an entry and what belongs to each: written first, then announced by the phase.

#include "mobula/actors/objects/entry_state.hpp"

#include <utility>

#include "mobula/actors/objects/stored_copy.hpp"

namespace mobula {

std::string_view to_string(object_phase phase) noexcept {
  switch (phase) {
    case object_phase::pending:
      return "pending";
    case object_phase::inline_value:
      return "inline";
    case object_phase::stored:
      return "stored";
    case object_phase::failed:
      return "failed";
    case object_phase::freed:
      return "freed";
  }
  return "invalid";
}

// -- reading --------------------------------------------------------------------------------------

std::uint64_t entry_state::size_bytes() const noexcept {
  switch (phase()) {
    case object_phase::inline_value:
      return value_.bytes().size();
    case object_phase::stored:
      return copy()->size_bytes;
    default:
      return 0;
  }
}

std::span<object_entry* const> entry_state::contents() const noexcept {
  // The phase comes first: who sees that there is a value sees what belongs to it.
  if (phase() == object_phase::pending)
    return {};
  const auto* stored = copy();
  const auto* extras = stored != nullptr ? stored->value.extras() : value_.extras();
  return extras != nullptr ? extras->nested.entries() : std::span<object_entry* const>{};
}

// -- phases ---------------------------------------------------------------------------------------

void entry_state::set_copy(stored_copy& copy) noexcept {
  copy.add_ref();
  copy_.store(&copy, std::memory_order_release);
}

void entry_state::fail(error_info reason) {
  value_.assign_failure(std::move(reason));
  enter(object_phase::failed);
}

// -- a refusal while there is no value ------------------------------------------------------------

void entry_state::keep_refusal(const error_info& reason) {
  value_.assign_failure(reason);
}

const error_info* entry_state::refusal() const noexcept {
  return value_.extras() != nullptr ? value_.extras()->failure.get() : nullptr;
}

void entry_state::forget_refusal() noexcept {
  value_.assign({}, nullptr);
}

} // namespace mobula
