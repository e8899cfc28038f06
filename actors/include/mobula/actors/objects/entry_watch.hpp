#pragma once

#include <memory>
#include <utility>

#include "mobula/actors/objects/object_handle.hpp"
#include "mobula/actors/objects/wait_group.hpp"

namespace mobula {

/// Watches one object until it can be read, or never will be, and keeps it meanwhile: for an actor
/// that goes on with something else until it is told. Belongs to that actor.
class entry_watch {
public:
  /// What there was when the watch ended: a pin, or why the bytes cannot be had. Neither, if the
  /// object has an error in place of a value, went to disk again, or the node shuts down.
  struct result {
    pinned_value pin;
    std::unique_ptr<error_info> failure;
  };

  /// Calls `on_ready` once, from any thread and outside of any mutex: perhaps before this returns.
  /// It may still be called when the watch has ended, so that whoever is told has to look whether
  /// there is one.
  template <class F>
  entry_watch(object_handle entry, F on_ready)
    : entry_(std::move(entry)), group_(new told_group<F>(std::move(on_ready))) {
    object_entry* entries[] = {entry_.get()};
    group_->arm(entries, 1, wait_goal::readable);
  }

  entry_watch(entry_watch&&) noexcept = default;
  entry_watch& operator=(entry_watch&&) = delete;

  /// Ends the watch.
  ~entry_watch() = default;

  /// The same, with what there is. What told the actor may have been a former watch. Called once.
  [[nodiscard]] result end() noexcept {
    // Goes with this, while the handle is here: canceling looks at the object, and the destructor
    // would do so once more when the object may have been handed on.
    auto group = std::move(group_);
    group->cancel();
    return {group->take_pin(0), group->take_failure(0)};
  }

  [[nodiscard]] const object_handle& entry() const noexcept {
    return entry_;
  }

  /// Hands the object on. REQUIRES: the watch has ended.
  [[nodiscard]] object_handle take_entry() noexcept {
    return std::move(entry_);
  }

private:
  template <class F>
  class told_group final : public wait_group {
  public:
    explicit told_group(F on_ready) : on_ready_(std::move(on_ready)) {
      // nop
    }

  private:
    void fire() override {
      on_ready_();
    }

    F on_ready_;
  };

  object_handle entry_;
  wait_handle<wait_group> group_; ///< ends before the handle goes
};

} // namespace mobula
