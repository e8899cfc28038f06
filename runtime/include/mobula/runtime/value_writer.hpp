#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/objects/entry_draft.hpp"
#include "mobula/runtime/reference_scope.hpp"
#include "mobula/serialization/byte_buffer.hpp"
#include "mobula/serialization/codec.hpp"
#include "mobula/serialization/codec_error.hpp"
#include "mobula/serialization/metadata.hpp"

namespace mobula::internal {

/// What a creator does when the store has no space for its object.
enum class when_full : std::uint8_t {
  /// Waits for space, and writes then; but a thread that runs actors waits for nothing and does as
  /// below.
  wait,
  /// Takes what space there is at once; without any, writes outside of the store, and the object
  /// stays pending until its shard has moved it in.
  defer
};

/// Size of a large object: what a shard must know before the object is written.
struct draft_size {
  std::size_t size_bytes = 0;
  std::size_t metadata_bytes = 0;
};

/// Returns the size of an object with these parts. `shape` may be null.
[[nodiscard]] inline draft_size size_of_draft(std::size_t size_bytes, const type_descriptor& type,
                                              std::size_t nested, const array_shape* shape) {
  auto dimensions = shape != nullptr ? shape->extents().size() : 0;
  return {size_bytes, encoded_metadata_size(dimensions, nested, type.name.size(), type.layout)};
}

/// Space for a large object that is being written: gives it back unless the object was sealed.
class copy_draft {
public:
  /// Takes memory of the arena: at once if the shard has lent space, else as `full` says. Throws
  /// `object_error` if waiting ends without space, and if there is no memory.
  copy_draft(node_core& core, std::uint64_t sequence, draft_size size, const type_descriptor& type,
             when_full full);

  copy_draft(const copy_draft&) = delete;
  copy_draft& operator=(const copy_draft&) = delete;

  ~copy_draft();

  [[nodiscard]] std::span<std::byte> storage() const noexcept {
    return copy_->storage();
  }

  /// Makes the bytes the value of `entry`, which becomes ready at once if they are in the arena,
  /// and otherwise when its shard has space. REQUIRES: all bytes are written. Throws `codec_error`
  /// if there is more to say of the object than metadata can.
  void seal(const object_handle& entry, std::unique_ptr<object_extras> extras);

private:
  /// Where the memory came from, and so who must hear of its end.
  enum class origin : std::uint8_t { outside, credit, grant };

  [[nodiscard]] bool take_credit();
  [[nodiscard]] bool ask_shard(when_full full);
  void give_back() noexcept;

  node_core& core_;
  std::uint64_t sequence_;
  copy_pointer copy_;
  origin origin_ = origin::outside;
};

/// Returns whether a value of this size can be nowhere but in the process heap.
[[nodiscard]] inline bool stays_in_heap(const node_core& core, std::size_t size_bytes) noexcept {
  return size_bytes < least_movable_bytes && size_bytes <= core.options().inline_limit_bytes;
}

/// Returns space in the process heap for a small value. Without any, a thread waits for it, and a
/// thread that runs actors takes it in any case. Throws `object_error` if waiting ends without
/// space.
[[nodiscard]] heap_charge wait_for_heap(node_core& core, std::size_t size_bytes);

[[nodiscard]] inline heap_charge heap_for_small(entry_stripe& stripe, std::size_t size_bytes) {
  if (stripe.ledger().try_take(size_bytes)) [[likely]]
    return {stripe.ledger(), size_bytes};
  return wait_for_heap(stripe.core(), size_bytes);
}

/// Returns space in the process heap for a value that could also be in the store; none if it is
/// larger than values there are, or the heap is full: then it goes to the store at once.
[[nodiscard]] inline heap_charge heap_for_movable(node_core& core, std::size_t size_bytes) {
  return size_bytes <= core.options().inline_limit_bytes
           ? core.heap_of_values().try_take(size_bytes)
           : heap_charge{};
}

/// Tells the heap's keeper at its end that space came back, unless the value that took it is kept.
/// Declared before whatever holds the space, so that this is back by then.
class unused_space {
public:
  explicit unused_space(node_core& core) noexcept : core_(core) {
    // nop
  }

  unused_space(const unused_space&) = delete;
  unused_space& operator=(const unused_space&) = delete;

  ~unused_space() {
    if (!kept_)
      core_.heap_freed();
  }

  void kept() noexcept {
    kept_ = true;
  }

private:
  node_core& core_;
  bool kept_ = false;
};

/// Gives `copy` space in the store, as its constructor does, for a value that found none in the
/// heap. If the store refuses that, and the heap has space by now, returns that in place of it.
[[nodiscard]] heap_charge space_anywhere(std::optional<copy_draft>& copy, node_core& core,
                                         std::uint64_t sequence, draft_size size,
                                         const type_descriptor& type);

/// Returns a copy in the process heap for the object `sequence`.
[[nodiscard]] inline copy_pointer make_heap_copy(node_core& core, std::uint64_t sequence,
                                                 draft_size size, const type_descriptor& type,
                                                 heap_charge charge) {
  return make_heap_copy(core.shard_of(sequence), size.size_bytes, size.metadata_bytes, type,
                        std::move(charge));
}

/// Blocks until a large object that waits for space got some, unless the calling thread runs
/// actors. Throws `object_error` if it never will.
void await_space(object_entry& entry);

/// A buffer of this thread for values whose size is known only when they are written. Not shared by
/// a put inside of a codec: that one gets a buffer of its own.
class scratch_buffer {
public:
  scratch_buffer() noexcept;
  ~scratch_buffer();

  scratch_buffer(const scratch_buffer&) = delete;
  scratch_buffer& operator=(const scratch_buffer&) = delete;

  byte_buffer& operator*() noexcept {
    return buffer_;
  }

private:
  byte_buffer buffer_;
};

/// Puts what only some values have into a structure of its own, or returns null. Throws
/// `codec_error` for more references than metadata can name: better here than in a service of the
/// node that describes the value later.
inline std::unique_ptr<object_extras> make_extras(encode_scope& scope, const array_shape* shape) {
  if (scope.empty() && shape == nullptr)
    return nullptr;
  if (scope.entries().size() > metadata_limits::nested)
    throw codec_error("an object holds more than 2^24 references");
  auto extras = std::make_unique<object_extras>();
  extras->nested = scope.take();
  if (shape != nullptr)
    extras->shape = *shape;
  return extras;
}

/// Returns the shape of `value` if it is an `array`.
template <class T>
const array_shape* shape_of(const T& value) noexcept {
  if constexpr (requires {
                  { value.shape() } -> std::same_as<const array_shape&>;
                })
    return &value.shape();
  else
    return nullptr;
}

/// Calls `use(size, write)`, where `write(span)` writes the encoded value into exactly `size`
/// bytes.
template <class T, codec_id C, class F>
decltype(auto) with_encoded(const T& value, F&& use) {
  if constexpr (codec<T, C>::exact_size) {
    return use(codec<T, C>::size(value),
               [&](std::span<std::byte> target) { codec<T, C>::write(value, target); });
  } else {
    scratch_buffer scratch;
    codec<T, C>::append(value, *scratch);
    auto bytes = (*scratch).span();
    return use(bytes.size(), [&](std::span<std::byte> target) {
      std::copy(bytes.begin(), bytes.end(), target.begin());
    });
  }
}

/// Makes an object of `value`. What a user's codec throws passes through and leaves nothing behind.
template <class T, codec_id C>
object_handle put_value(node_core& core, const T& value, const call_site& where) {
  encode_scope scope;
  const auto& type = descriptor_of<T, C>();
  return with_encoded<T, C>(value, [&](std::size_t size, auto&& write) {
    unused_space space{core};
    if (stays_in_heap(core, size)) {
      auto& stripe = core.local_stripe();
      auto charge = heap_for_small(stripe, size);
      entry_draft draft{stripe, size, type, where};
      write(draft->storage(size));
      draft.publish_inline(size, make_extras(scope, shape_of(value)), std::move(charge));
      space.kept();
      return draft.announce();
    }
    entry_draft draft{core, 0, type, where};
    const auto* shape = shape_of(value);
    auto draft_bytes = size_of_draft(size, type, scope.entries().size(), shape);
    std::optional<copy_draft> stored;
    auto charge = heap_for_movable(core, size);
    if (!charge)
      charge = space_anywhere(stored, core, draft->sequence(), draft_bytes, type);
    if (charge) {
      auto copy = make_heap_copy(core, draft->sequence(), draft_bytes, type, std::move(charge));
      write(copy->storage());
      open_heap_copy(*copy, make_extras(scope, shape));
      draft.publish_stored(*copy);
      space.kept();
      return draft.announce();
    }
    write(stored->storage());
    auto extras = make_extras(scope, shape);
    auto entry = draft.announce();
    stored->seal(entry, std::move(extras));
    space.kept();
    await_space(*entry.get());
    return entry;
  });
}

/// Throws `object_error` (`invalid_argument`) if a value refers to the object that it is for.
void require_no_cycle(const encode_scope& scope, const object_entry& entry);

/// Seals the pending object behind `entry` with `value`. Throws as `put_value` and
/// `require_no_cycle`.
template <class T, codec_id C>
void seal_value(node_core& core, const object_handle& entry, const T& value) {
  encode_scope scope;
  with_encoded<T, C>(value, [&](std::size_t size, auto&& write) {
    require_no_cycle(scope, *entry.get());
    unused_space space{core};
    if (stays_in_heap(core, size)) {
      auto charge = heap_for_small(core.local_stripe(), size);
      auto buffer = std::make_unique_for_overwrite<std::byte[]>(size);
      write(std::span{buffer.get(), size});
      if (entry->seal_inline(std::move(buffer), size, make_extras(scope, shape_of(value)),
                             std::move(charge)))
        space.kept();
      return;
    }
    const auto* shape = shape_of(value);
    auto draft_bytes = size_of_draft(size, entry->type(), scope.entries().size(), shape);
    if (auto charge = heap_for_movable(core, size)) {
      auto copy =
        make_heap_copy(core, entry->sequence(), draft_bytes, entry->type(), std::move(charge));
      write(copy->storage());
      open_heap_copy(*copy, make_extras(scope, shape));
      if (entry->seal_stored(*copy))
        space.kept();
      return;
    }
    copy_draft copy{core, entry->sequence(), draft_bytes, entry->type(), when_full::defer};
    write(copy.storage());
    copy.seal(entry, make_extras(scope, shape));
    space.kept();
  });
}

} // namespace mobula::internal
