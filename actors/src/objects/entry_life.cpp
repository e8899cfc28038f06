// What an entry does at each step of its life, which object_entry.hpp puts in order. What its owner
// hears and who waits for it is in entry_stripe.cpp, where bytes can move in copy_contents.cpp.

#include "mobula/actors/objects/object_entry.hpp"

#include <utility>

#include <fmt/format.h>

#include "mobula/actors/objects/entry_stripe.hpp"
#include "mobula/actors/objects/object_host.hpp"
#include "mobula/actors/objects/stored_copy.hpp"
#include "mobula/store/shard/store_credit.hpp"

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

// -- pinned_value ---------------------------------------------------------------------------------

void pinned_value::unpin() noexcept {
  // The unpin comes first: the core, which hears of the last one, lives while the entry does.
  if (copy_ != nullptr && copy_->pins.unpin() == unpin_result::tell_shard)
    entry_->host().report_unpinned(*entry_);
  entry_->drop_use();
}

pinned_value pinned_value::clone() const noexcept {
  if (entry_ == nullptr)
    return {};
  if (copy_ != nullptr)
    copy_->pins.add_pin();
  entry_->add_use();
  return {entry_, copy_};
}

bool pinned_value::in_heap() const noexcept {
  // Relaxed: it changes only while nobody has a pin.
  return copy_ == nullptr || copy_->in_heap.load(std::memory_order_relaxed);
}

object_value& pinned_value::value_of_copy() const noexcept {
  return copy_->value;
}

// -- object_entry ---------------------------------------------------------------------------------

object_entry* object_entry::make(object_host& host, std::size_t capacity,
                                 const type_descriptor& type, const call_site& where) {
  return make(host.local_stripe(), capacity, type, where);
}

object_entry* object_entry::make(entry_stripe& stripe, std::size_t capacity,
                                 const type_descriptor& type, const call_site& where) {
  if (stripe.host().call_sites() == call_site_recording::off || where.file == nullptr) [[likely]] {
    auto* memory = ::operator new(sizeof(object_entry) + capacity);
    return new (memory)
      object_entry(stripe, entry_kind::own, site_place::none, stripe.enlist(), type);
  }
  auto* memory = ::operator new(sizeof(site_record) + sizeof(object_entry) + capacity);
  auto* record = new (memory) site_record{where};
  return new (record + 1)
    object_entry(stripe, entry_kind::own, site_place::before_entry, stripe.enlist(), type);
}

object_entry* object_entry::make_borrowed(object_host& host, const object_id& id,
                                          const type_descriptor& type) {
  // Its own id is dear to few entries, so it stands behind them, where others have their bytes.
  auto* memory = ::operator new(sizeof(object_entry) + sizeof(incarnation_id));
  auto& stripe = host.local_stripe();
  stripe.enlist_borrowed();
  auto* entry =
    new (memory) object_entry(stripe, entry_kind::borrowed, site_place::none, id.sequence, type);
  new (entry + 1) incarnation_id(id.owner);
  return entry;
}

object_id object_entry::id() const noexcept {
  const auto& owner = kind_ == entry_kind::borrowed
                        ? *std::launder(reinterpret_cast<const incarnation_id*>(this + 1))
                        : host().incarnation();
  return {.owner = owner, .sequence = sequence_};
}

const call_site* object_entry::made_at() const noexcept {
  if (site_ == site_place::none)
    return nullptr;
  return &std::launder(reinterpret_cast<const site_record*>(this) - 1)->site;
}

std::span<object_entry* const> object_entry::contents() const noexcept {
  // The phase comes first: who sees that there is a value sees what belongs to it.
  if (phase() == object_phase::pending)
    return {};
  const auto* stored = copy();
  const auto* extras = stored != nullptr ? stored->value.extras() : value_.extras();
  return extras != nullptr ? extras->nested.entries() : std::span<object_entry* const>{};
}

bool object_entry::in_shard() const noexcept {
  const auto* stored = copy();
  return stored != nullptr && stored->place == nullptr
         && !stored->in_heap.load(std::memory_order_acquire);
}

std::uint64_t object_entry::number_in_shard() const noexcept {
  auto pulled_as = copy()->pulled_as;
  return pulled_as == pull_number::none ? sequence_ : static_cast<std::uint64_t>(pulled_as);
}

object_host& object_entry::host() const noexcept {
  return stripe_->host();
}

std::uint64_t object_entry::size_bytes() const noexcept {
  switch (phase()) {
    case object_phase::inline_value:
      return value_.bytes().size();
    case object_phase::stored:
      return copy()->size_bytes;
    default:
      return 0;
  }
}

error_info object_entry::failure() const {
  if (phase() != object_phase::freed)
    return *value_.extras()->failure;
  return {.type = error_type::object_freed,
          .message = fmt::format("the value of object {} was freed by a call of free(), though "
                                 "there were references to it",
                                 to_string(id())),
          .origin = host().origin()};
}

void object_entry::publish_inline(std::size_t size, std::unique_ptr<object_extras> extras,
                                  heap_charge charge) noexcept {
  // It is given back when the entry's memory is.
  charge.release();
  value_.assign(storage(size), std::move(extras));
  enter(object_phase::inline_value);
}

void object_entry::publish_stored(stored_copy& copy) noexcept {
  set_copy(copy);
  enter(object_phase::stored);
}

void object_entry::set_copy(stored_copy& copy) noexcept {
  copy.add_ref();
  copy_.store(&copy, std::memory_order_release);
}

void object_entry::announce() {
  stripe_->announce(*this);
}

void object_entry::discard() noexcept {
  drop_use();
}

bool object_entry::seal_inline(std::unique_ptr<std::byte[]> buffer, std::size_t size,
                               std::unique_ptr<object_extras> extras, heap_charge charge) {
  if (extras == nullptr)
    extras = std::make_unique<object_extras>();
  std::span<const std::byte> bytes{buffer.get(), size};
  extras->buffer = std::move(buffer);
  extras->charge = std::move(charge);
  auto sealed = stripe_->seal(
    *this,
    [&] {
      value_.assign(bytes, std::move(extras));
      enter(object_phase::inline_value);
    },
    [this](wait_link& link) { return serve(link); });
  if (!sealed) {
    extras.reset();
    host().heap_freed();
  }
  return sealed;
}

bool object_entry::serve(wait_link& link) noexcept {
  if (link.goal == wait_goal::readable)
    link.pin = try_pin();
  return link.goal == wait_goal::ready || link.pin;
}

/// Readers that wait are given pins: it may go to disk before they come to look. Its shard, which
/// knows of it already, may even have written it to disk before it is sealed here; then readers
/// wait on until it is back.
bool object_entry::seal_stored(stored_copy& copy) {
  auto all_served = true;
  auto sealed = stripe_->seal(
    *this,
    [&] {
      set_copy(copy);
      stripe_->order().note_value(*this);
      enter(object_phase::stored);
    },
    [&](wait_link& link) {
      auto served = serve(link);
      all_served = all_served && served;
      return served;
    });
  if (!all_served)
    host().request_restore(*this);
  return sealed;
}

bool object_entry::seal_failed(error_info reason) {
  return stripe_->seal(*this, [&] {
    value_.assign_failure(std::move(reason));
    enter(object_phase::failed);
  });
}

pinned_value object_entry::try_pin_movable() noexcept {
  if (phase() != object_phase::stored)
    return {};
  auto& stored = *copy();
  if (!stored.pins.try_pin() && (stored.place == nullptr || !stored.place->pin(stored)))
    return {};
  stored.pins.touch(host().credit().stamp());
  add_use();
  return {this, &stored};
}

void object_entry::restored() {
  auto all_served = true;
  stripe_->update_and_wake(
    *this, [] {},
    [&](wait_link& link) {
      auto served = serve(link);
      all_served = all_served && served;
      return served;
    });
  if (!all_served)
    host().request_restore(*this);
}

void object_entry::refuse_readers(const error_info& reason) {
  stripe_->update_and_wake(
    *this, [] {},
    [&](wait_link& link) {
      link.failure = std::make_unique<error_info>(reason);
      // Nobody looks at the value of a pending entry: until there is one, it has space for this.
      if (link.goal == wait_goal::ready && phase() == object_phase::pending)
        value_.assign_failure(reason);
      return true;
    });
}

std::unique_ptr<error_info> object_entry::kept_refusal(wait_goal goal) {
  if (value_.extras() == nullptr)
    return nullptr;
  auto result = std::make_unique<error_info>(*value_.extras()->failure);
  if (goal == wait_goal::readable)
    value_.assign({}, nullptr);
  return result;
}

void object_entry::forget_refusal() {
  stripe_->update_quietly([this] {
    if (phase() == object_phase::pending)
      value_.assign({}, nullptr);
  });
}

void object_entry::lose(error_info reason) {
  stripe_->update_and_wake(
    *this,
    [&] {
      if (has_failed())
        return;
      // Readers of a stored object look at the copy's value, never at this one.
      value_.assign_failure(std::move(reason));
      enter(object_phase::failed);
    },
    [](wait_link&) { return true; });
}

void object_entry::free_value() {
  if (stripe_->seal(*this, [this] { enter(object_phase::freed); }))
    return;
  auto before = object_phase::failed;
  stripe_->update_and_wake(
    *this,
    [&] {
      before = phase();
      if (!has_failed())
        enter(object_phase::freed);
    },
    [](wait_link&) { return true; });
  if (before != object_phase::stored || kind_ != entry_kind::own)
    return;
  // A value that is on its way from the heap to a shard is that shard's already.
  add_handle();
  host().free_stored(object_handle::adopt(this));
}

// Nothing of a node ends in a forked child: the mutexes may be locked there for ever.

void object_entry::last_handle_gone() noexcept {
  if (!host().at_home())
    return;
  if (kind_ == entry_kind::borrowed)
    host().drop_borrowed(*this);
  else
    stripe_->retire(*this);
}

void object_entry::destroy() noexcept {
  if (!host().at_home())
    return;
  // Freeing an entry may drop the last handle on nested ones, and so on: a queue in place of
  // recursion keeps a long chain of references from exhausting the stack.
  thread_local std::vector<object_entry*>* queue = nullptr;
  if (queue != nullptr) {
    queue->push_back(this);
    return;
  }
  std::vector<object_entry*> waiting;
  queue = &waiting;
  free_memory();
  while (!waiting.empty()) {
    auto* next = waiting.back();
    waiting.pop_back();
    next->free_memory();
  }
  queue = nullptr;
}

void object_entry::free_memory() noexcept {
  auto* stripe = stripe_;
  void* memory = this;
  if (site_ == site_place::before_entry)
    memory = reinterpret_cast<site_record*>(this) - 1;
  auto* stored = copy();
  auto behind_entry = stored == nullptr && value_.bytes().data() == storage(0).data()
                        ? value_.bytes().size()
                        : std::size_t{0};
  if (stored != nullptr) {
    stripe->order().forget(*stored);
    stored->drop_ref();
  }
  this->~object_entry();
  ::operator delete(memory);
  stripe->delist(behind_entry);
}

void release_entry::operator()(object_entry* entry) const noexcept {
  entry->drop_use();
}

} // namespace mobula
