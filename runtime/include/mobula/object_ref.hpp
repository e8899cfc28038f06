#pragma once

#include <compare>
#include <functional>
#include <string>
#include <type_traits>

#include <cereal/cereal.hpp>
#include <cereal/types/string.hpp>
#include <msgpack.hpp>

#include "mobula/actors/caf/packed_fields.hpp"
#include "mobula/runtime/wire_reference.hpp"
#include "mobula/serialization/codec_error.hpp"
#include "mobula/serialization/ids.hpp"
#include "mobula/serialization/type_name.hpp"

namespace mobula {

template <class T>
class ObjectRef;

/// What references of all types share. Not for direct use.
class basic_object_ref {
public:
  /// Makes an empty reference: it refers to nothing and keeps nothing alive.
  basic_object_ref() noexcept = default;

  /// Takes over a handle. For the runtime's own use.
  explicit basic_object_ref(object_handle handle) noexcept : handle_(std::move(handle)) {
    // nop
  }

  /// Returns whether this refers to nothing.
  [[nodiscard]] bool empty() const noexcept {
    return !handle_;
  }

  [[nodiscard]] explicit operator bool() const noexcept {
    return !empty();
  }

  /// Returns the name of the object; the empty id for an empty reference. Takes no reference.
  [[nodiscard]] object_id id() const noexcept {
    return handle_ ? handle_->id() : object_id{};
  }

  /// Returns the incarnation of the node that owns the object. Throws `object_error`
  /// (`invalid_reference`) if empty.
  [[nodiscard]] incarnation_id owner() const {
    return entry().id().owner;
  }

  /// Returns whether the object has its value, or the error in its place. Never blocks. Throws
  /// `object_error` (`invalid_reference`) if empty.
  [[nodiscard]] bool ready() const {
    return entry().phase() != object_phase::pending;
  }

  /// Returns the stable name of the object's type. Throws `object_error` (`invalid_reference`) if
  /// empty.
  [[nodiscard]] std::string_view stored_type() const {
    return entry().type().name;
  }

  /// The entry behind this reference. For the runtime's own use. Throws `object_error`
  /// (`invalid_reference`) if empty.
  [[nodiscard]] object_entry& entry() const {
    if (!handle_)
      throw_empty();
    return *handle_.get();
  }

  [[nodiscard]] const object_handle& handle() const noexcept {
    return handle_;
  }

  /// References are equal if they refer to the same object, or both to none.
  friend bool operator==(const basic_object_ref& left, const basic_object_ref& right) noexcept {
    return left.handle_.get() == right.handle_.get() || left.id() == right.id();
  }

  friend auto operator<=>(const basic_object_ref& left, const basic_object_ref& right) noexcept {
    return left.id() <=> right.id();
  }

protected:
  [[noreturn]] static void throw_empty();

  /// Throws `object_error` (`type_mismatch`) unless the object is of the type called `wanted`.
  void require_type(std::string_view wanted) const;

  /// Writes this reference as part of the value that is being put. Throws `object_error`
  /// (`reference_not_portable`) outside of a put: a reference in a file would keep nothing alive.
  [[nodiscard]] object_id write() const;

  /// Finds a reference that was part of the value that is being read.
  [[nodiscard]] static object_handle read(const object_id& id);

  /// Throws `codec_error` for a text that is no id.
  [[nodiscard]] static object_id id_from(std::string_view text);

  /// The same as `write`, into an archive of cereal's.
  template <class Archive>
  void save_id(Archive& archive) const {
    auto id = write();
    if constexpr (cereal::traits::is_text_archive<Archive>::value)
      archive(cereal::make_nvp("object", to_string(id)));
    else
      archive(id.owner.high, id.owner.low, id.sequence);
  }

  template <class Archive>
  [[nodiscard]] static object_id load_id(Archive& archive) {
    if constexpr (cereal::traits::is_text_archive<Archive>::value) {
      std::string text;
      archive(cereal::make_nvp("object", text));
      return id_from(text);
    } else {
      object_id id;
      archive(id.owner.high, id.owner.low, id.sequence);
      return id;
    }
  }

private:
  object_handle handle_;
};

/// Refers to an immutable object of type `T` that lives as long as any reference to it does, in any
/// actor, thread or message. Copying and destroying one touches one atomic counter; as thread-safe
/// as a `std::shared_ptr`. May outlive its node: reading it then gives `shutting_down`.
template <class T>
class ObjectRef : public basic_object_ref {
public:
  using value_type = T;

  using basic_object_ref::basic_object_ref;

  /// Serializes for cereal, as part of a value.
  template <class Archive>
  void save(Archive& archive) const {
    save_id(archive);
  }

  template <class Archive>
  void load(Archive& archive) {
    assign_from(load_id(archive));
  }

  /// Serializes for MessagePack, as part of a value.
  template <class Packer>
  void msgpack_pack(Packer& packer) const {
    packer.pack(to_string(write()));
  }

  void msgpack_unpack(const msgpack::object& object) {
    assign_from(id_from(object.as<std::string>()));
  }

private:
  void assign_from(const object_id& id) {
    ObjectRef result{read(id)};
    if (!result.empty())
      result.require_type(type_name<T>());
    *this = std::move(result);
  }
};

/// A reference to an object of any type. Any `ObjectRef` converts to it; `as` converts back.
template <>
class ObjectRef<void> : public basic_object_ref {
public:
  using value_type = void;

  using basic_object_ref::basic_object_ref;

  template <class T>
  ObjectRef(const ObjectRef<T>& other) noexcept : basic_object_ref(other.handle()) {
    // nop
  }

  /// Returns a typed reference. Throws `object_error`: `type_mismatch`, naming both types, if the
  /// object is of another one; `invalid_reference` if empty.
  template <class T>
  [[nodiscard]] ObjectRef<T> as() const {
    require_type(type_name<T>());
    return ObjectRef<T>{handle()};
  }

  /// Serializes for cereal and MessagePack, as part of a value; whatever was in it comes back.
  template <class Archive>
  void save(Archive& archive) const {
    save_id(archive);
  }

  template <class Archive>
  void load(Archive& archive) {
    *this = ObjectRef{read(load_id(archive))};
  }

  template <class Packer>
  void msgpack_pack(Packer& packer) const {
    packer.pack(to_string(write()));
  }

  void msgpack_unpack(const msgpack::object& object) {
    *this = ObjectRef{read(id_from(object.as<std::string>()))};
  }
};

/// Returns `ObjectRef(<object id>)`.
std::string to_string(const basic_object_ref& ref);

/// Returns the type that an object must have for a reference to be an `ObjectRef<T>`; empty for
/// any.
template <class T>
std::string_view wanted_type() {
  if constexpr (std::is_void_v<T>)
    return {};
  else
    return type_name<T>();
}

/// Lets CAF carry references in any message, and print them. Within a node a message holds them
/// like any copy. Serialized for another node, each keeps its object alive until the owner knows
/// the receiver; the receiving end checks the type. Printing takes no reference.
template <class Inspector, class T>
inspection_result<Inspector> inspect(Inspector& f, ObjectRef<T>& ref) {
  if constexpr (!byte_inspector<Inspector>) {
    auto text = to_string(ref.id());
    return show_fields(f, "ObjectRef", text);
  } else if constexpr (saving_inspector<Inspector>) {
    auto exported = export_reference(ref.handle(), f);
    if (!exported)
      return std::move(exported.error());
    auto error = f(*exported);
    if (error)
      cancel_export(ref.handle(), *exported);
    return error;
  } else {
    wire_reference imported;
    if (auto error = f(imported))
      return error;
    auto handle = import_reference(imported, f.context(), wanted_type<T>());
    if (!handle)
      return std::move(handle.error());
    ref = ObjectRef<T>{*std::move(handle)};
    return {};
  }
}

/// Stable name of reference types; see `type_name`.
template <class T>
struct type_name_of<ObjectRef<T>> {
  static std::string value() {
    return "object_ref<" + std::string{type_name<T>()} + ">";
  }
};

template <>
struct type_name_of<ObjectRef<void>> {
  static constexpr std::string_view value = "object_ref<any>";
};

} // namespace mobula

template <class T>
struct std::hash<mobula::ObjectRef<T>> {
  std::size_t operator()(const mobula::ObjectRef<T>& ref) const noexcept {
    return std::hash<mobula::object_id>{}(ref.id());
  }
};
