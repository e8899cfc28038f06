#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "mobula/actors/objects/entry_stripe.hpp"
#include "mobula/actors/objects/object_handle.hpp"
#include "mobula/actors/objects/object_host.hpp"

namespace mobula {

/// An entry that is being made: freed unless it was announced, or handed over. One thread only.
class entry_draft {
public:
  /// An entry for an object of this node, with space for `capacity` bytes behind it. Throws
  /// `std::bad_alloc`, as those below.
  entry_draft(object_host& host, std::size_t capacity, const type_descriptor& type,
              const call_site& where)
    : entry_draft(host.local_stripe(), capacity, type, where) {
    // nop
  }

  /// The same, by who has asked for the calling thread's stripe already.
  entry_draft(entry_stripe& stripe, std::size_t capacity, const type_descriptor& type,
              const call_site& where)
    : entry_(object_entry::make(stripe, capacity, type, where)) {
    // nop
  }

  /// An entry for an object of another node.
  entry_draft(object_host& host, const object_id& id, const type_descriptor& type)
    : entry_(object_entry::make_borrowed(host, id, type)) {
    // nop
  }

  entry_draft(const entry_draft&) = delete;
  entry_draft& operator=(const entry_draft&) = delete;

  ~entry_draft() {
    if (entry_ != nullptr)
      entry_->drop_use();
  }

  object_entry* operator->() const noexcept {
    return entry_;
  }

  object_entry& operator*() const noexcept {
    return *entry_;
  }

  /// Makes the bytes behind the entry its value. REQUIRES: `charge` is for as many, and was taken
  /// by the thread that made the entry.
  void publish_inline(std::size_t size, std::unique_ptr<object_extras> extras,
                      heap_charge charge) noexcept;

  /// Makes `copy` its value and takes a count on it; `copy` carries bytes and type already.
  void publish_stored(stored_copy& copy) noexcept;

  /// Tells the owner of this entry, from where on others may see it, and hands the first handle
  /// over. Throws `std::bad_alloc`.
  object_handle announce() {
    entry_->stripe().announce(*entry_);
    return hand_over();
  }

  /// Hands the first handle over, of an entry that this node's owner is not told of.
  object_handle hand_over() noexcept {
    return object_handle::adopt(std::exchange(entry_, nullptr));
  }

private:
  object_entry* entry_;
};

} // namespace mobula
