#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <typeinfo>
#include <vector>

#include "mobula/actors/objects/type_descriptor.hpp"
#include "mobula/serialization/array.hpp"
#include "mobula/serialization/error.hpp"
#include "mobula/serialization/ids.hpp"
#include "mobula/serialization/metadata.hpp"
#include "mobula/store/heap/heap_budget.hpp"

namespace mobula {

class object_entry;

/// Base of the one decoded value that all readers in a process share.
class decoded_value {
public:
  explicit decoded_value(const std::type_info& type) noexcept : type_(&type) {
    // nop
  }

  virtual ~decoded_value() = default;

  decoded_value(const decoded_value&) = delete;
  decoded_value& operator=(const decoded_value&) = delete;

  /// Names the C++ type inside: two types may have been given the same stable name by mistake.
  [[nodiscard]] const std::type_info& type() const noexcept {
    return *type_;
  }

  /// What it takes of the heap's limit: about as much as its encoded form and its fixed part, since
  /// nobody can ask a type what it has allocated. Set before others see it.
  heap_charge charge;

private:
  const std::type_info* type_;
};

/// A decoded value of type `T`.
template <class T>
class decoded_object final : public decoded_value {
public:
  explicit decoded_object(T&& value) : decoded_value(typeid(T)), value(std::move(value)) {
    // nop
  }

  const T value;
};

/// The references inside an object's value: each holds its object alive until the container goes.
/// Entries stand in the order in which the codec met them.
class nested_references {
public:
  nested_references() = default;
  nested_references(nested_references&& other) noexcept = default;
  nested_references& operator=(nested_references&& other) noexcept;
  nested_references(const nested_references&) = delete;
  nested_references& operator=(const nested_references&) = delete;

  ~nested_references();

  /// Takes a handle of its own on `entry`.
  void add(object_entry& entry);

  /// The same for a reference that the value's bytes name otherwise than its entry.
  void add(object_entry& entry, const object_id& id_in_value);

  [[nodiscard]] std::span<object_entry* const> entries() const noexcept {
    return entries_;
  }

  /// What the value's bytes call the reference at `index`: the id of its entry, unless the object's
  /// owner left and another one stands in for it (see `successor_of`).
  [[nodiscard]] object_id id_in_value(std::size_t index) const noexcept;

  [[nodiscard]] bool empty() const noexcept {
    return entries_.empty();
  }

private:
  void release() noexcept;

  std::vector<object_entry*> entries_;
  std::vector<object_id> ids_; ///< one for each entry, or none if all are as their entries say
};

/// What only some objects have; kept apart so that the others do not pay for it.
struct object_extras {
  nested_references nested;
  array_shape shape;

  /// What the metadata of another node's value say of its layout.
  layout_fingerprint layout = layout_fingerprint::none;

  /// Memory of an inline value that did not exist yet when its entry was made, and what it takes of
  /// the heap's limit.
  std::unique_ptr<std::byte[]> buffer;
  heap_charge charge;

  /// What stands in place of a value.
  std::unique_ptr<error_info> failure;
};

/// The bytes of a sealed object and what is needed to read them. Written before the object becomes
/// visible and constant from then on, but for `decoded_`.
class object_value {
public:
  explicit object_value(const type_descriptor& type) noexcept : type_(&type) {
    // nop
  }

  object_value(const object_value&) = delete;
  object_value& operator=(const object_value&) = delete;

  ~object_value();

  /// Sets the bytes. REQUIRES: nobody else can read the object yet.
  void assign(std::span<const std::byte> bytes, std::unique_ptr<object_extras> extras) noexcept;

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    return {data_, size_};
  }

  [[nodiscard]] const type_descriptor& type() const noexcept {
    return *type_;
  }

  [[nodiscard]] const object_extras* extras() const noexcept {
    return extras_.get();
  }

  /// What the structures in the bytes look like, as who wrote them said.
  [[nodiscard]] layout_fingerprint layout() const noexcept {
    return extras_ != nullptr && extras_->layout != layout_fingerprint::none ? extras_->layout
                                                                             : type_->layout;
  }

  /// Returns what metadata say of this value, but for the checksum.
  [[nodiscard]] metadata describe() const;

  /// The same for so many bytes, which need not be in memory.
  [[nodiscard]] metadata describe_as(std::size_t size_bytes) const;

  /// Sets what only errors have. REQUIRES: no reader uses this value.
  void assign_failure(error_info reason);

  /// Points to other bytes with the same content (after a restore) and drops the decoded value.
  /// REQUIRES: no reader can see the object.
  void rebind(std::span<const std::byte> bytes) noexcept;

  /// Returns the decoded value, calling `make` (which returns a new `decoded_value*`) if there is
  /// none yet. Exactly one caller decodes; others wait for it on this word only. What `make` throws
  /// passes through, and the next caller tries anew. Thread-safe; blocks only while another thread
  /// decodes the same object.
  template <class F>
  decoded_value& decode_once(F&& make) {
    auto* known = decoded_.load(std::memory_order_acquire);
    if (!is_decoded(known))
      known = decode_slowly(std::forward<F>(make));
    return *known;
  }

  /// Hands out the decoded value, if one is kept. REQUIRES: no reader can see the object.
  [[nodiscard]] std::unique_ptr<decoded_value> take_decoded() noexcept;

  /// Returns whether a decoded value is kept.
  [[nodiscard]] bool has_decoded() const noexcept {
    return is_decoded(decoded_.load(std::memory_order_acquire));
  }

private:
  /// Marks that a thread is decoding; never dereferenced.
  static decoded_value* decoding_mark() noexcept {
    return reinterpret_cast<decoded_value*>(&mark_);
  }

  static bool is_decoded(const decoded_value* pointer) noexcept {
    return pointer != nullptr && pointer != decoding_mark();
  }

  /// Returns null if the caller is to decode, else the value that another thread made.
  decoded_value* claim_or_wait() noexcept;

  /// Publishes `result` (null after a failure) and wakes who waits. The release pairs with the
  /// acquire in `decode_once` and `claim_or_wait`: who sees the pointer sees the value.
  void publish(decoded_value* result) noexcept;

  template <class F>
  decoded_value* decode_slowly(F&& make) {
    if (auto* known = claim_or_wait())
      return known;
    decoded_value* result = nullptr;
    try {
      result = std::forward<F>(make)();
    } catch (...) {
      publish(nullptr);
      throw;
    }
    publish(result);
    return result;
  }

  /// Only its address counts.
  alignas(decoded_value) inline static std::byte mark_{};

  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  const type_descriptor* type_;
  std::unique_ptr<object_extras> extras_;
  std::atomic<decoded_value*> decoded_ = nullptr;
};

} // namespace mobula
