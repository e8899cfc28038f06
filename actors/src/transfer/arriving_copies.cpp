// What the puller and the pusher share: copies on their way into this node, from which other nodes
// read what has come so far.

#include "arriving_copies.hpp"

#include <limits>

#include <caf/send.hpp>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

class arriving_copies::lent_buffer {
public:
  lent_buffer(transfers_actor owner, copy_pointer copy)
    : owner_(std::move(owner)), copy_(std::move(copy)) {
    // nop
  }

  lent_buffer(const lent_buffer&) = delete;
  lent_buffer& operator=(const lent_buffer&) = delete;

  ~lent_buffer() {
    caf::anon_send(owner_, buffer_let_go{copy_->pulled_as});
  }

  /// Set by the actor once the copy is sealed, and dropped with the buffer.
  std::shared_ptr<copy_pin> pin;

private:
  transfers_actor owner_;
  copy_pointer copy_;
};

// -- the puller's ---------------------------------------------------------------------------------

void arriving_copies::expected(const object_id& object, const copy_pointer& copy) {
  by_object_.emplace(object, copy->pulled_as);
  copies_.try_emplace(
    copy->pulled_as,
    arriving_copy{.object = object, .copy = copy, .here = {}, .buffer = {}, .has_buffer = false});
}

void arriving_copies::began(pull_number number) {
  auto& copy = copies_.at(number);
  copy.has_buffer = true;
  listener_->pull_settled(copy.object);
}

void arriving_copies::grew(pull_number number, byte_range range) {
  auto& copy = copies_.at(number);
  copy.here.add(range);
  listener_->copy_grew(copy.object, number, range);
}

void arriving_copies::stopped(pull_number number) {
  auto& copy = copies_.at(number);
  copy.has_buffer = false;
  copy.here = {};
  listener_->copy_stopped(copy.object, number);
}

bool arriving_copies::reads_buffer(pull_number number) const {
  auto known = copies_.find(number);
  return known != copies_.end() && !known->second.buffer.expired();
}

void arriving_copies::sealed(pull_number number, std::shared_ptr<copy_pin> pin) {
  if (auto buffer = copies_.at(number).buffer.lock())
    buffer->pin = std::move(pin);
  ended(number);
}

void arriving_copies::ended(pull_number number) {
  auto gone = copies_.extract(number);
  if (gone.empty())
    return;
  const auto& object = gone.mapped().object;
  by_object_.erase({object, number});
  listener_->pull_settled(object);
}

// -- the pusher's ---------------------------------------------------------------------------------

std::optional<pull_number> arriving_copies::latest(const object_id& object) const {
  auto after =
    by_object_.upper_bound({object, pull_number{std::numeric_limits<std::uint64_t>::max()}});
  if (after == by_object_.begin() || std::prev(after)->first != object)
    return std::nullopt;
  return std::prev(after)->second;
}

bool arriving_copies::has_buffer(pull_number number) const {
  return copies_.at(number).has_buffer;
}

arriving_copies::lent_copy arriving_copies::lend(pull_number number) {
  auto& lent = copies_.at(number);
  MOBULA_ASSERT(lent.has_buffer);
  auto buffer = lent.buffer.lock();
  if (buffer == nullptr)
    lent.buffer = buffer = std::make_shared<lent_buffer>(transfers_actor{self_}, lent.copy);
  return {.bytes = lent.copy->storage(), .keeper = std::move(buffer), .here = lent.here};
}

// -- properties -----------------------------------------------------------------------------------

void arriving_copies::check_invariants() const {
  MOBULA_ASSERT(copies_.size() == by_object_.size());
}

} // namespace mobula
