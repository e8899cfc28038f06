#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <span>

#include "mobula/object_ref.hpp"
#include "mobula/runtime/value_writer.hpp"
#include "mobula/serialization/array.hpp"

namespace mobula {

/// What builders of all types share. Not for direct use.
class basic_object_builder {
protected:
  /// `shape` is null for what has none.
  basic_object_builder(node_core& core, std::size_t size_bytes, const type_descriptor& type,
                       const array_shape* shape, const call_site& where);

  /// Announces the object. Whatever it throws but `shutting_down`, the object is gone. REQUIRES:
  /// unsealed.
  object_handle seal_bytes(const array_shape* shape);

  [[nodiscard]] std::span<std::byte> storage() noexcept;

  [[nodiscard]] std::size_t size_bytes() const noexcept {
    return size_bytes_;
  }

  /// Throws `object_error` (`invalid_argument`) once the object is sealed, or could not be, and in
  /// a forked child.
  void require_unsealed() const;

  [[noreturn]] static void throw_too_large(std::uint64_t elements, std::size_t element_size);

private:
  void seal_copy(const object_handle& entry, std::unique_ptr<object_extras> extras);

  core_pointer core_; ///< a builder may outlive its node
  std::size_t size_bytes_;
  bool sealed_ = false;
  std::optional<entry_draft> entry_;
  heap_charge charge_;   ///< of what stays in the process heap
  copy_pointer in_heap_; ///< if it can move from there
  std::optional<internal::copy_draft> copy_;
};

template <class Array>
class object_builder;

/// Memory of an object that is being made: the caller fills it, then `seal` makes it an immutable
/// object without copying a byte. Destroyed unsealed, the object never existed. Neither copyable
/// nor movable (return it from a function by elision).
///
/// *Threads.* Any thread may have one, but members are for one at a time. The elements are plain
/// memory: several threads may fill different ones at once, and must be done before `seal`.
template <class T>
class object_builder<array<T>> : basic_object_builder {
  static_assert(alignof(T) <= alignof(std::max_align_t), "small objects are aligned to 16 bytes");

public:
  object_builder(node_core& core, const array_shape& shape, const call_site& where)
    : basic_object_builder(core, bytes_of(shape), descriptor_of<array<T>, codec_id::raw>(), &shape,
                           where),
      shape_(shape) {
    // nop
  }

  object_builder(const object_builder&) = delete;
  object_builder& operator=(const object_builder&) = delete;

  /// The elements, not initialized. Throws `object_error` (`invalid_argument`) after `seal`.
  [[nodiscard]] std::span<T> elements() {
    require_unsealed();
    return {reinterpret_cast<T*>(storage().data()), size()};
  }

  /// Throws as `elements`.
  [[nodiscard]] T* data() {
    return elements().data();
  }

  /// How many elements there are, before `seal` and after.
  [[nodiscard]] std::size_t size() const noexcept {
    return static_cast<std::size_t>(shape_.elements());
  }

  /// Throws as `elements`. REQUIRES: `index < size()`.
  [[nodiscard]] T& operator[](std::size_t index) {
    return elements()[index];
  }

  /// The extents, before `seal` and after.
  [[nodiscard]] const array_shape& shape() const noexcept {
    return shape_;
  }

  /// Makes the object. Waits for space as `node::put` does, if there was none when it was created.
  /// Throws `object_error`: as `node::put`, and `invalid_argument` when called twice. If it fails
  /// for lack of space, the elements are gone; the object has to be made anew.
  ObjectRef<array<T>> seal() {
    require_unsealed();
    return ObjectRef<array<T>>{seal_bytes(&shape_)};
  }

private:
  static std::size_t bytes_of(const array_shape& shape) {
    if (shape.elements() > std::numeric_limits<std::ptrdiff_t>::max() / sizeof(T))
      throw_too_large(shape.elements(), sizeof(T));
    return static_cast<std::size_t>(shape.elements()) * sizeof(T);
  }

  array_shape shape_;
};

/// The same for raw bytes.
template <>
class object_builder<bytes> : basic_object_builder {
public:
  object_builder(node_core& core, const array_shape& shape, const call_site& where)
    : basic_object_builder(core, shape.elements(), descriptor_of<bytes, codec_id::raw>(), nullptr,
                           where) {
    // nop
  }

  object_builder(const object_builder&) = delete;
  object_builder& operator=(const object_builder&) = delete;

  /// The bytes, not initialized. Throws `object_error` (`invalid_argument`) after `seal`.
  [[nodiscard]] std::span<std::byte> elements() {
    require_unsealed();
    return storage();
  }

  /// Throws as `elements`.
  [[nodiscard]] std::byte* data() {
    return elements().data();
  }

  /// How many bytes there are, before `seal` and after.
  [[nodiscard]] std::size_t size() const noexcept {
    return size_bytes();
  }

  /// As that of an array.
  ObjectRef<bytes> seal() {
    require_unsealed();
    return ObjectRef<bytes>{seal_bytes(nullptr)};
  }
};

} // namespace mobula
