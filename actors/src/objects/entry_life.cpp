// What an entry does at each step of its life, which object_entry.hpp puts in order. What its owner
// hears and who waits for it is in entry_stripe.cpp, where bytes can move in copy_contents.cpp.

#include "mobula/actors/objects/object_entry.hpp"

#include <utility>

#include <fmt/format.h>

#include "mobula/actors/objects/entry_stripe.hpp"
#include "mobula/actors/objects/object_host.hpp"
#include "mobula/actors/objects/stored_copy.hpp"
#include "mobula/actors/objects/waiting_readers.hpp"
#include "mobula/store/shard/store_credit.hpp"

namespace mobula {

namespace {

/// Keeps what follows it aligned as an entry.
struct alignas(std::max_align_t) site_record {
  call_site site;
};

} // namespace

// Every object pays for its entry, however small it is.
static_assert(sizeof(object_entry) <= 96);

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

object_host& object_entry::host() const noexcept {
  return stripe_->host();
}

error_info object_entry::failure() const {
  if (phase() != object_phase::freed)
    return *state_.value().extras()->failure;
  return {.type = error_type::object_freed,
          .message = fmt::format("the value of object {} was freed by a call of free(), though "
                                 "there were references to it",
                                 to_string(id())),
          .origin = host().origin()};
}

bool object_entry::seal_inline(std::unique_ptr<std::byte[]> buffer, std::size_t size,
                               std::unique_ptr<object_extras> extras, heap_charge charge) {
  if (extras == nullptr)
    extras = std::make_unique<object_extras>();
  std::span<const std::byte> bytes{buffer.get(), size};
  extras->buffer = std::move(buffer);
  extras->charge = std::move(charge);
  auto sealed = stripe_->seal(
    *this, [&] { state_.enter_inline(bytes, std::move(extras)); },
    [this](wait_link& link) { return waiting_readers{*this}.serve(link); });
  if (!sealed) {
    extras.reset();
    host().heap_freed();
  }
  return sealed;
}

/// Readers that wait are given pins: it may go to disk before they come to look. Its shard, which
/// knows of it already, may even have written it to disk before it is sealed here; then readers
/// wait on until it is back.
bool object_entry::seal_stored(stored_copy& copy) {
  auto all_served = true;
  auto sealed = stripe_->seal(
    *this,
    [&] {
      state_.set_copy(copy);
      stripe_->order().note_value(*this);
      state_.enter(object_phase::stored);
    },
    [&](wait_link& link) {
      auto served = waiting_readers{*this}.serve(link);
      all_served = all_served && served;
      return served;
    });
  if (!all_served)
    host().request_restore(*this);
  return sealed;
}

bool object_entry::seal_failed(error_info reason) {
  return stripe_->seal(*this, [&] { state_.fail(std::move(reason)); });
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

void object_entry::lose(error_info reason) {
  stripe_->update_and_wake(
    *this,
    [&] {
      if (!has_failed())
        state_.fail(std::move(reason));
    },
    [](wait_link&) { return true; });
}

void object_entry::free_value() {
  if (stripe_->seal(*this, [this] { state_.enter(object_phase::freed); }))
    return;
  auto before = object_phase::failed;
  stripe_->update_and_wake(
    *this,
    [&] {
      before = phase();
      if (!has_failed())
        state_.enter(object_phase::freed);
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
  auto bytes = state_.value().bytes();
  auto behind_entry =
    stored == nullptr && bytes.data() == storage(0).data() ? bytes.size() : std::size_t{0};
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
