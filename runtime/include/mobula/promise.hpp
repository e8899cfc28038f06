#pragma once

#include <atomic>
#include <utility>

#include "mobula/object_ref.hpp"
#include "mobula/runtime/value_writer.hpp"

namespace mobula {

/// What promises of all types share. Not for direct use.
class basic_promise {
public:
  basic_promise(basic_promise&& other) noexcept
    : handle_(std::move(other.handle_)), set_(other.set_.load()) {
    // nop
  }

  basic_promise& operator=(basic_promise&& other) noexcept;

  /// Makes the object an error (`promise_broken`) if it was not set.
  ~basic_promise();

  /// Makes the object an error. Any thread. Throws `object_error` (`already_set`) if it was set
  /// before.
  void set_error(error_info error);

  /// Makes the object an error that describes the exception being handled, as that of the task
  /// `task`. Throws as `set_error`, and `invalid_argument` outside of a `catch` block.
  void set_current_exception(std::string task = {});

  /// Returns whether a value or an error was set.
  [[nodiscard]] bool is_set() const noexcept {
    return set_.load();
  }

protected:
  basic_promise(node_core& core, const type_descriptor& type, const call_site& where);

  /// Claims the right to set the object. Throws `object_error` (`already_set`).
  void claim();

  /// Gives the claim back after a value could not be encoded.
  void unclaim() noexcept {
    set_.store(false);
  }

  [[nodiscard]] const object_handle& handle() const noexcept {
    return handle_;
  }

private:
  void break_promise() noexcept;

  object_handle handle_;
  std::atomic<bool> set_ = false;
};

/// A reference whose object is made later: set once, to a value or to an error. Dropped unset, it
/// becomes the error `promise_broken`. Movable, not copyable.
///
/// *Threads.* Any thread may have one, and actors may. `set_value`, `set_error`,
/// `set_current_exception`, `is_set` and `ref` may be called at the same time: of several that set,
/// one wins and the others get `already_set`. Moving, assigning and destroying one is for a thread
/// that has it alone. Setting wakes those who wait. On a thread of the application it may wait
/// itself, for space in the process heap and for an answer of the store; in an actor it never does.
///
/// References are counted, and cycles are never freed. Values that are put cannot form any; the
/// value of a promise can, if it contains a reference to the promise's own object (which is
/// refused), or to one that leads back to it through another promise (which is the application's to
/// avoid).
template <class T>
class promise : public basic_promise {
public:
  promise(node_core& core, const call_site& where)
    : basic_promise(core, descriptor_of<T, default_codec<T>>(), where) {
    // nop
  }

  /// Returns a reference to the object, which is pending until it is set.
  [[nodiscard]] ObjectRef<T> ref() const {
    return ObjectRef<T>{handle()};
  }

  /// Makes `value` the object's value. Throws `object_error` (`already_set`) if it was set before.
  /// Throws `object_error` (`invalid_argument`) if the value refers to its own object. What the
  /// value's codec throws passes through. After either, the promise may be set again.
  void set_value(const T& value) {
    claim();
    try {
      internal::seal_value<T, default_codec<T>>(handle()->core(), handle(), value);
    } catch (...) {
      unclaim();
      throw;
    }
  }
};

} // namespace mobula
