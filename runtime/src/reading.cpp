// How threads wait for objects, and the errors that reading ends in. A thread that others need to
// make progress is refused the wait instead.

#include "mobula/runtime/reading.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "mobula/actors/membership/member_watchers.hpp"
#include "mobula/actors/time/deadline_queue.hpp"
#include "mobula/runtime/worker_thread.hpp"
#include "mobula/serialization/counted.hpp"

namespace mobula::internal {

namespace {

error_info entry_error(const object_entry& entry, error_type type, std::string message) {
  return {.type = type, .message = std::move(message), .origin = entry.core().origin()};
}

error_info bad_argument(std::string message) {
  return {.type = error_type::invalid_argument, .message = std::move(message)};
}

} // namespace

// -- errors ---------------------------------------------------------------------------------------

error_info type_mismatch_error(const object_entry& entry, std::string_view wanted) {
  return entry_error(entry, error_type::type_mismatch,
                     fmt::format("object {} is of type {} and cannot be read as {}{}",
                                 to_string(entry.id()), entry.type().name, wanted,
                                 is_name_of_process(entry.type().name)
                                   ? "; a type of an anonymous namespace is known to its own "
                                     "process only, unless mobula::type_name_of is specialised "
                                     "for it"
                                   : ""));
}

error_info layout_mismatch_error(const object_entry& entry, std::string_view wanted,
                                 std::size_t wanted_bytes) {
  return entry_error(
    entry, error_type::type_mismatch,
    fmt::format("object {} has {} of a type called {} that is not this program's type of that "
                "name (of {}): the two have other members; give one of them another name by "
                "specialising mobula::type_name_of",
                to_string(entry.id()), counted(entry.size_bytes(), "byte"), wanted,
                counted(wanted_bytes, "byte")));
}

void throw_without_reader(codec_id codec) {
  if (codec == codec_id::cereal_json || codec == codec_id::message_pack)
    throw codec_error(
      fmt::format("its codec is {}, and either its type is not for that, or the "
                  "source that reads it does not include {} first",
                  to_string(codec),
                  codec == codec_id::cereal_json ? "mobula/json.hpp" : "mobula/message_pack.hpp"));
  throw codec_error("this type has no reader for the codec of the object");
}

error_info decode_error(const object_entry& entry) {
  return describe_current_exception(
    error_type::decode_failed,
    fmt::format("object {} of type {} cannot be decoded", to_string(entry.id()), entry.type().name),
    entry.core().origin());
}

error_info timeout_error(const object_entry& entry) {
  return entry_error(entry, error_type::get_timed_out,
                     fmt::format("object {} was not ready in time", to_string(entry.id())));
}

error_info would_block_error(const object_entry& entry) {
  return entry_error(entry, error_type::would_block_forever,
                     fmt::format("object {} is not ready, and nothing in the simulation is under "
                                 "way that could make it so",
                                 to_string(entry.id())));
}

error_info unready_error(const object_entry& entry, blocking_wait::result result) {
  return result == blocking_wait::result::would_block_forever ? would_block_error(entry)
                                                              : timeout_error(entry);
}

// -- arguments ------------------------------------------------------------------------------------

void refuse_limit(const time_span& limit) {
  throw object_error{bad_argument(
    fmt::format("a time limit must not be negative, but is {} ns; leave it out to wait as long as "
                "it takes",
                limit.count()))};
}

void refuse_empty(std::size_t index, std::size_t count) {
  throw object_error{{.type = error_type::invalid_reference,
                      .message = fmt::format("of {}, the one at index {} is empty: it refers to no "
                                             "object; nothing was done for any of them",
                                             counted(count, "reference"), index)}};
}

void require_count(std::size_t count, std::size_t size) {
  if (count > size)
    throw object_error{
      bad_argument(fmt::format("cannot wait for {} of {}", count, counted(size, "reference")))};
}

// -- waiting --------------------------------------------------------------------------------------

bool enough_ready(std::span<object_entry* const> entries, std::size_t needed,
                  wait_goal goal) noexcept {
  auto there = [goal](const object_entry* entry) {
    auto phase = entry->phase();
    return phase != object_phase::pending
           && (goal == wait_goal::ready || phase != object_phase::stored);
  };
  for (std::size_t index = 0; needed > 0 && index < entries.size(); ++index) {
    // Stops as soon as the rest cannot be enough.
    if (entries.size() - index < needed)
      return false;
    if (there(entries[index]))
      --needed;
  }
  return needed == 0;
}

namespace {

/// Returns whether the entry is another node's, which has to be asked for its value.
bool needs_owner(object_entry& entry, wait_goal goal) {
  if (entry.kind() != entry_kind::borrowed || entry.has_failed())
    return false;
  return entry.phase() == object_phase::pending
         || (goal == wait_goal::readable && !entry.try_pin());
}

/// A function that watches the members runs in the actor that asks other nodes, which would wait
/// for itself: throws if it can never be enough without.
void require_no_question(std::span<object_entry* const> entries, std::size_t needed,
                         wait_goal goal) {
  object_entry* asked = nullptr;
  auto others = entries.size();
  for (auto* entry : entries)
    if (needs_owner(*entry, goal)) {
      asked = entry;
      --others;
    }
  if (others < needed)
    throw object_error{
      entry_error(*asked, error_type::invalid_argument,
                  fmt::format("object {} is another node's and not here, and was waited for in a "
                              "function that watches the members: that runs in the actor that asks "
                              "other nodes, which cannot do so meanwhile; have another thread or "
                              "actor read it",
                              to_string(asked->id())))};
}

} // namespace

blocking_wait::result await(blocking_wait& group, std::span<object_entry* const> entries,
                            std::size_t needed, wait_goal goal, const wait_limit& limit) {
  group.arm(entries, needed, goal);
  if (entries.empty())
    return blocking_wait::result::fired;
  auto waits = !limit || *limit > std::chrono::nanoseconds::zero();
  if (waits && !group.fired()) {
    if (in_member_watcher())
      require_no_question(entries, needed, goal);
    require_may_block("reading an object that is not here yet",
                      "mobula::get(self, ref), get_all or wait (mobula/get.hpp)");
  }
  // A node that is closing refuses its waits, and has no clock any more: another one counts for the
  // rest.
  auto running =
    std::ranges::find_if(entries, [](auto* entry) { return !entry->core().closing(); });
  auto& core = (running == entries.end() ? entries.front() : *running)->core();
  std::optional<caf_clock::time_point> deadline;
  if (limit && running != entries.end())
    deadline = deadline_after(core.now(), *limit);
  // The end of time never comes.
  if (deadline == caf_clock::time_point::max())
    deadline.reset();
  auto result = group.wait(core, deadline);
  // Time may be up in the middle of a seal, which hands pins out.
  group.cancel();
  return result;
}

} // namespace mobula::internal
