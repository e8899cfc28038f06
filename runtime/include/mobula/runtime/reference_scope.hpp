#pragma once

#include <cstddef>
#include <span>

#include "mobula/actors/objects/object_handle.hpp"

namespace mobula::internal {

/// Collects the references that a codec meets while it writes a value. Codecs know nothing of
/// objects; a reference finds the scope of the value that is being written through the thread.
/// Scopes nest: a user's codec may put another object meanwhile.
class encode_scope {
public:
  encode_scope() noexcept;
  ~encode_scope();

  encode_scope(const encode_scope&) = delete;
  encode_scope& operator=(const encode_scope&) = delete;

  /// The innermost scope of this thread, or null outside of any `put`.
  static encode_scope* current() noexcept;

  /// Takes note of a reference to `entry` inside the value.
  void add(object_entry& entry) {
    references_.add(entry);
  }

  [[nodiscard]] bool empty() const noexcept {
    return references_.empty();
  }

  [[nodiscard]] std::span<object_entry* const> entries() const noexcept {
    return references_.entries();
  }

  /// Hands the references over.
  [[nodiscard]] nested_references take() noexcept {
    return std::move(references_);
  }

private:
  encode_scope* outer_;
  nested_references references_;
};

/// Gives the references inside a value back to the codec that reads it: each was kept alive by the
/// object that contains it.
class decode_scope {
public:
  explicit decode_scope(const object_extras* extras) noexcept;
  ~decode_scope();

  decode_scope(const decode_scope&) = delete;
  decode_scope& operator=(const decode_scope&) = delete;

  static decode_scope* current() noexcept;

  /// Returns a handle on the object `id`, or an empty one if the value contains no such reference.
  /// O(1) when asked in the order of writing, else O(n).
  [[nodiscard]] object_handle find(const object_id& id) noexcept;

private:
  decode_scope* outer_;
  const object_extras* extras_;
  std::size_t next_ = 0;
};

} // namespace mobula::internal
