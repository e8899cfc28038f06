#pragma once

// Everything that newer CAF versions name or do differently sits in this header: types of messages,
// their registration and inspection, typed interfaces, errors, the test scheduler, time.

// Before anything that another CAF lacks.
#include "mobula/actors/caf/caf_version.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

#include <caf/actor_clock.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/behavior.hpp>
#include <caf/deserializer.hpp>
#include <caf/error.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/execution_unit.hpp>
#include <caf/local_actor.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/make_message.hpp>
#include <caf/message.hpp>
#include <caf/message_id.hpp>
#include <caf/replies_to.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>
#include <caf/serializer.hpp>
#include <caf/spawn_options.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "mobula/actors/caf/message_type.hpp"
#include "mobula/actors/caf/packed_fields.hpp"
#include "mobula/actors/time/deadline_queue.hpp"
#include "mobula/serialization/error.hpp"

namespace mobula {

/// The clock of all timers: CAF's, which stands still under the test coordinator.
using caf_clock = caf::actor_clock::clock_type;

/// An actor's handler that takes a `T` and answers nothing.
template <class T>
using takes = caf::reacts_to<T>;

/// Returns the test coordinator if `system` runs under it, else null.
inline caf::scheduler::test_coordinator* test_scheduler(caf::actor_system& system) {
  return dynamic_cast<caf::scheduler::test_coordinator*>(&system.scheduler());
}

/// Returns when the earliest timer of `scheduler` is due, if there is one.
std::optional<caf_clock::time_point> next_timeout(caf::scheduler::test_coordinator& scheduler);

/// Lets CAF print an error and carry it in messages.
MOBULA_MESSAGE(mobula::error_origin, task, node, process)

/// Errors travel as their own encoding: it bounds how deep causes nest, which CAF does not, and a
/// reader of what another node wrote must not run out of stack.
caf::error apply_encoded(caf::serializer& sink, const error_info& info);
caf::error apply_encoded(caf::deserializer& source, error_info& info);

template <class Inspector>
inspection_result<Inspector> inspect(Inspector& f, error_info& info) {
  if constexpr (byte_inspector<Inspector>)
    return apply_encoded(f, info);
  else
    return show_fields(f, "mobula::error_info", info.type, info.message, info.origin,
                       info.exception_type, info.stack_trace, info.causes);
}

/// Wraps `info` into an error that actors can pass on; nothing of it is lost.
caf::error to_caf_error(error_info info);

/// Unwraps what `to_caf_error` wrapped. Other errors come back as an `error_info` that carries
/// CAF's own text; a request that timed out becomes `get_timed_out`.
error_info to_error_info(const caf::error& error);

/// Returns what CAF shows for an error of ours: a sentence that says what is wrong. For
/// `caf::actor_system_config::add_error_category`.
std::string render_error(std::uint8_t code, caf::atom_value category, const caf::message& context);

/// Has systems that run with `config` show our errors so.
void add_error_rendering(caf::actor_system_config& config);

/// Sends `content` to `receiver`, from any thread. `sender` may be null, and so may `context`, what
/// runs the sender.
template <class T>
void send_to(const caf::strong_actor_ptr& receiver, T content, caf::strong_actor_ptr sender = {},
             caf::execution_unit* context = nullptr) {
  receiver->enqueue(
    caf::make_mailbox_element(std::move(sender), caf::make_message_id(), {}, std::move(content)),
    context);
}

/// The same for an actor that says who it is.
template <class T>
void send_from(caf::local_actor& self, const caf::strong_actor_ptr& receiver, T content) {
  send_to(receiver, std::move(content), caf::actor_cast<caf::strong_actor_ptr>(self.address()),
          self.context());
}

/// Sends `content` to `receiver` when `delay` has passed on the clock of `system`, from any thread;
/// never, if that is beyond the end of time. Cannot be taken back: an actor that waits for
/// something has `actor_timers`.
template <class T>
void send_after(caf::actor_system& system, caf::strong_actor_ptr receiver,
                std::chrono::nanoseconds delay, T content) {
  auto& clock = system.clock();
  auto due = deadline_after(clock.now(), delay);
  if (due < caf_clock::time_point::max())
    clock.schedule_message(
      due, std::move(receiver),
      caf::make_mailbox_element(nullptr, caf::make_message_id(), {}, std::move(content)));
}

/// A timeout of an actor that can be taken back: in CAF 0.17 only those of requests can, so this is
/// one for a request that was never sent. The clock holds at most one of it at a time. Belongs to
/// its actor.
class actor_alarm {
public:
  actor_alarm() = default;

  actor_alarm(const actor_alarm&) = delete;
  actor_alarm& operator=(const actor_alarm&) = delete;

  ~actor_alarm();

  /// REQUIRES: called once, before anything else, by `self`.
  void attach(caf::scheduled_actor* self, std::function<void()> on_ring);

  /// Rings once at `due`, and no more at the time that was set before.
  void set(caf_clock::time_point due);

  /// Ignored if it is not set.
  void stop();

  /// Returns when it will ring; nothing if it is not set.
  [[nodiscard]] const std::optional<caf_clock::time_point>& due() const noexcept {
    return due_;
  }

private:
  void ring();

  caf::scheduled_actor* self_ = nullptr;
  std::function<void()> on_ring_;
  caf::message_id request_;
  /// Points here while CAF keeps a handler for `request_`. It may outlive the alarm.
  std::shared_ptr<actor_alarm*> handler_;
  std::optional<caf_clock::time_point> due_;
};

/// Sends `content` to `receiver` as the answer to its own request `request`, from any thread.
template <class T>
void answer_request(const caf::strong_actor_ptr& receiver, caf::message_id request, T content) {
  receiver->enqueue(
    caf::make_mailbox_element(receiver, request.response_id(), {}, std::move(content)), nullptr);
}

/// Returns whether an actor, or what stands here for one of another node, has ended.
[[nodiscard]] bool has_ended(const caf::strong_actor_ptr& actor);

/// Writes a line to the log of the actor system that the calling thread works for, if it wants
/// lines of this level. Threads outside of CAF have no log.
void log_info(const std::string& line);
void log_warning(const std::string& line);

/// The same from any thread, for what is said of `system`.
void log_warning(caf::actor_system& system, const std::string& line);

/// Where a serializer writes next.
struct write_position {
  const void* buffer = nullptr;
  std::size_t offset = 0;
};

/// Returns where `sink` writes next; nothing unless it writes to memory in CAF's binary format, as
/// for messages to other nodes.
std::optional<write_position> position_of(const caf::serializer& sink);

/// Returns how many bytes `source` still has; nothing if it does not know.
std::optional<std::size_t> bytes_left(const caf::deserializer& source);

/// Starts a service actor: hidden, so that an actor system does not wait for it at its end.
template <class F, class... Ts>
auto spawn_service(caf::actor_system& system, F behavior, Ts&&... arguments) {
  return system.spawn<caf::hidden>(behavior, std::forward<Ts>(arguments)...);
}

} // namespace mobula
