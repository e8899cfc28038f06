#pragma once

#include <utility>

#include "mobula/actors/objects/object_handle.hpp"

namespace mobula {

/// An entry that is being made: discarded unless it was announced, or handed over.
class entry_draft {
public:
  entry_draft(object_host& host, std::size_t capacity, const type_descriptor& type,
              const call_site& where)
    : entry_(object_entry::make(host, capacity, type, where)) {
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
      entry_->discard();
  }

  object_entry* operator->() const noexcept {
    return entry_;
  }

  object_entry& operator*() const noexcept {
    return *entry_;
  }

  /// Tells the owner and hands the first handle over.
  object_handle announce() {
    entry_->announce();
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
