#pragma once

// Archives that write and read the bytes of cereal's own portable binary archives, which any
// program may decode with cereal alone. Why not cereal's: they need a stream, whose construction
// costs more than a small value, and they believe every length they read, so that eight damaged
// bytes make them allocate all memory.
//
// What is bounded here, for any input of n bytes:
// - a count of elements is at most n plus `spare_elements`, so that a container allocates at most
//   (n + spare_elements) * sizeof(element) bytes before its elements are read;
// - the nesting of values, which costs stack, is at most `max_levels`, when reading and writing;
// - a byte that stands for a `bool` is 0 or 1, and a shared pointer that refers back to an earlier
//   one is of the same type: cereal would run into undefined behaviour.
// What is not: a user's `load` that reads a number and allocates so many bytes itself.
//
// Types with overloads for cereal's archives by name, instead of templates over the archive, do not
// fit. Polymorphic types must be registered (CEREAL_REGISTER_TYPE) after this header.

#include "mobula/serialization/byte_buffer.hpp"
#include "mobula/serialization/codec_error.hpp"

#include <cereal/cereal.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <type_traits>
#include <typeindex>
#include <unordered_map>

namespace cereal::memory_detail {

/// What cereal/types/memory.hpp reads a smart pointer through.
template <class T>
struct PtrWrapper;

} // namespace cereal::memory_detail

namespace mobula {

namespace detail {

/// Counts the levels of nested values on the way down.
class nesting_level {
public:
  /// Each level of cereal's calls takes some hundred bytes of stack: a thread's 8 MiB suffice.
  static constexpr std::size_t max_levels = 4096;

  void enter() {
    if (++level_ > max_levels)
      throw codec_error("a value is nested too deeply to be encoded");
  }

  void leave() noexcept {
    --level_;
  }

private:
  std::size_t level_ = 0;
};

template <class T>
concept portable_arithmetic =
  std::is_arithmetic_v<T> &&(!std::is_floating_point_v<T> || std::numeric_limits<T>::is_iec559);

} // namespace detail

// -- writing --------------------------------------------------------------------------------------

class portable_output_archive
  : public cereal::OutputArchive<portable_output_archive, cereal::AllowEmptyClassElision> {
public:
  /// Appends to `target`, which must outlive the archive.
  explicit portable_output_archive(byte_buffer& target) : OutputArchive(this), target_(target) {
    // The first byte says that numbers are little-endian.
    target_.push_back(std::byte{1});
  }

  void write(const void* source, std::size_t size_bytes) {
    target_.append(source, size_bytes);
  }

  detail::nesting_level& nesting() noexcept {
    return nesting_;
  }

private:
  byte_buffer& target_;
  detail::nesting_level nesting_;
};

template <class T>
void prologue(portable_output_archive& archive, const T&) {
  if constexpr (!std::is_arithmetic_v<T>)
    archive.nesting().enter();
}

template <class T>
void epilogue(portable_output_archive& archive, const T&) {
  if constexpr (!std::is_arithmetic_v<T>)
    archive.nesting().leave();
}

template <detail::portable_arithmetic T>
void CEREAL_SAVE_FUNCTION_NAME(portable_output_archive& archive, const T& value) {
  archive.write(std::addressof(value), sizeof(value));
}

template <class T>
void CEREAL_SAVE_FUNCTION_NAME(portable_output_archive& archive,
                               const cereal::BinaryData<T>& data) {
  archive.write(data.data, static_cast<std::size_t>(data.size));
}

template <class T>
void CEREAL_SAVE_FUNCTION_NAME(portable_output_archive& archive,
                               const cereal::NameValuePair<T>& pair) {
  archive(pair.value);
}

template <class T>
void CEREAL_SAVE_FUNCTION_NAME(portable_output_archive& archive, const cereal::SizeTag<T>& tag) {
  archive(tag.size);
}

// -- reading --------------------------------------------------------------------------------------

class portable_input_archive
  : public cereal::InputArchive<portable_input_archive, cereal::AllowEmptyClassElision> {
public:
  /// Empty classes take no bytes, so counts of them are not bounded by the bytes that are left.
  /// This many elements in a whole value are accepted on trust.
  static constexpr std::size_t spare_elements = std::size_t{1} << 16;

  /// Reads from `source`, which must outlive the archive.
  explicit portable_input_archive(std::span<const std::byte> source);

  /// Reads `size_bytes` that hold numbers of `width` bytes.
  void read(void* target, std::size_t size_bytes, std::size_t width);

  /// Throws unless the value can have so many elements.
  void check_count(std::uint64_t count);

  /// Throws unless every byte is 0 or 1.
  static void check_bools(std::span<const std::byte> bytes);

  [[nodiscard]] std::size_t remaining() const noexcept {
    return source_.size() - offset_;
  }

  detail::nesting_level& nesting() noexcept {
    return nesting_;
  }

  // -- shared pointers, called by cereal ----------------------------------------------------------

  /// Tells the type of the shared pointer that cereal is about to read.
  void expect_shared(std::type_index type) {
    expected_shared_ = type;
  }

  template <class T>
  void registerSharedPointer(std::uint32_t id, const std::shared_ptr<T>& pointer) {
    shared_types_.insert_or_assign(id & ~cereal::detail::msb_32bit, std::type_index{typeid(T)});
    InputArchive::registerSharedPointer(id, pointer);
  }

  std::shared_ptr<void> getSharedPointer(std::uint32_t id);

private:
  std::span<const std::byte> source_;
  std::size_t offset_ = 0;
  bool swap_bytes_ = false;
  std::size_t elements_left_; ///< that the value may still announce
  detail::nesting_level nesting_;
  std::type_index expected_shared_ = typeid(void);
  std::unordered_map<std::uint32_t, std::type_index> shared_types_;
};

template <class T>
void prologue(portable_input_archive& archive, const T&) {
  if constexpr (!std::is_arithmetic_v<T>)
    archive.nesting().enter();
}

template <class T>
void prologue(portable_input_archive& archive,
              const cereal::memory_detail::PtrWrapper<std::shared_ptr<T>&>&) {
  archive.nesting().enter();
  archive.expect_shared(typeid(T));
}

template <class T>
void epilogue(portable_input_archive& archive, const T&) {
  if constexpr (!std::is_arithmetic_v<T>)
    archive.nesting().leave();
}

template <detail::portable_arithmetic T>
void CEREAL_LOAD_FUNCTION_NAME(portable_input_archive& archive, T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    std::byte byte{};
    archive.read(&byte, 1, 1);
    portable_input_archive::check_bools({&byte, 1});
    value = byte != std::byte{0};
  } else {
    archive.read(std::addressof(value), sizeof(value), sizeof(value));
  }
}

template <class T>
void CEREAL_LOAD_FUNCTION_NAME(portable_input_archive& archive, cereal::BinaryData<T>& data) {
  using element = std::remove_pointer_t<std::remove_reference_t<T>>;
  constexpr std::size_t width = [] {
    if constexpr (std::is_void_v<element>)
      return std::size_t{1};
    else
      return sizeof(element);
  }();
  auto size_bytes = static_cast<std::size_t>(data.size);
  archive.read(data.data, size_bytes, width);
  if constexpr (std::is_same_v<std::remove_const_t<element>, bool>)
    portable_input_archive::check_bools(
      {reinterpret_cast<const std::byte*>(data.data), size_bytes});
}

template <class T>
void CEREAL_LOAD_FUNCTION_NAME(portable_input_archive& archive, cereal::NameValuePair<T>& pair) {
  archive(pair.value);
}

template <class T>
void CEREAL_LOAD_FUNCTION_NAME(portable_input_archive& archive, cereal::SizeTag<T>& tag) {
  archive(tag.size);
  archive.check_count(tag.size);
}

} // namespace mobula

CEREAL_REGISTER_ARCHIVE(mobula::portable_output_archive)
CEREAL_REGISTER_ARCHIVE(mobula::portable_input_archive)

// Lets cereal tell which of the two belongs to the other, as it needs for `load_minimal`.
CEREAL_SETUP_ARCHIVE_TRAITS(mobula::portable_input_archive, mobula::portable_output_archive)
