#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <vector>

#include "mobula/actors/objects/wait_group.hpp"
#include "mobula/actors/time/time_span.hpp"
#include "mobula/outcome.hpp"
#include "mobula/runtime/value_reader.hpp"
#include "mobula/wait_limit.hpp"

namespace mobula::internal {

/// Throws what a negative limit ends with.
[[noreturn]] void refuse_limit(const time_span& limit);

/// Throws `object_error` (`invalid_argument`) for a negative limit. All that takes one asks here.
inline void require_valid(wait_limit limit) {
  if (limit && limit->count() < 0) [[unlikely]]
    refuse_limit(*limit);
}

/// Throws what an empty reference among several ends with.
[[noreturn]] void refuse_empty(std::size_t index, std::size_t count);

/// Returns the entry of one of `refs`. Throws `object_error` (`invalid_reference`) if it is empty,
/// naming its index if there are several.
template <class T>
object_entry& entry_in(std::span<const ObjectRef<T>> refs, std::size_t index) {
  if (refs[index].empty() && refs.size() > 1) [[unlikely]]
    refuse_empty(index, refs.size());
  return refs[index].entry();
}

/// Returns the entries of `refs`. Throws as `entry_in` if one of them is empty.
template <class T>
std::vector<object_entry*> entries_of(std::span<const ObjectRef<T>> refs) {
  std::vector<object_entry*> result;
  result.reserve(refs.size());
  for (std::size_t index = 0; index < refs.size(); ++index)
    result.push_back(&entry_in(refs, index));
  return result;
}

/// Throws `object_error` (`invalid_argument`) if `count` of `size` can never be ready.
void require_count(std::size_t count, std::size_t size);

/// Returns whether `needed` of the entries can be had without waiting.
[[nodiscard]] bool enough_ready(std::span<object_entry* const> entries, std::size_t needed,
                                wait_goal goal) noexcept;

/// Blocks the calling thread until `group`, which watches `entries`, is satisfied or time is up.
/// Throws `object_error` (`invalid_argument`) if it would have to wait on a thread that actors
/// share, or for another node in a function that watches the members.
blocking_wait::result await(blocking_wait& group, std::span<object_entry* const> entries,
                            std::size_t needed, wait_goal goal, const wait_limit& limit);

/// Why an element is still without outcome after the wait ended with `result`.
error_info unready_error(const object_entry& entry, blocking_wait::result result);

/// Collects what a group waited for, or what can be had without one. A pin that the group holds
/// comes first: it was taken when the bytes were known to be there. REQUIRES: the group is
/// cancelled.
template <class T>
outcome<T> collect_one(object_entry& entry, wait_group* group, std::size_t index,
                       value_decoder decode) {
  auto convert = [](reading<T>&& result) {
    return std::visit(
      [](auto&& content) { return outcome<T>{std::forward<decltype(content)>(content)}; },
      std::move(result));
  };
  if (group != nullptr) {
    if (auto pin = group->take_pin(index))
      return convert(read_pinned<T>(std::move(pin), decode));
    if (auto failure = group->take_failure(index))
      return std::move(*failure);
  }
  if (auto result = try_read<T>(entry, decode))
    return convert(std::move(*result));
  if (entry.core().closing())
    return entry.core().shutting_down_error();
  return {};
}

template <class T>
outcomes<T> collect_all(std::span<object_entry* const> entries, wait_group* group,
                        value_decoder decode) {
  outcomes<T> result;
  result.reserve(entries.size());
  for (std::size_t index = 0; index < entries.size(); ++index)
    result.push_back(collect_one<T>(*entries[index], group, index, decode));
  return result;
}

/// Reads one object, waiting up to `limit`. Never throws for an object that has no value.
template <class T>
reading<T> read_slowly(object_entry& entry, const wait_limit& limit, value_decoder decode) {
  if (entry.has_failed())
    return entry.failure();
  wait_handle<blocking_wait> group{new blocking_wait};
  object_entry* entries[] = {&entry};
  auto result = await(*group, entries, 1, wait_goal::readable, limit);
  auto outcome = collect_one<T>(entry, group.get(), 0, decode);
  if (outcome.has_value())
    return outcome.value();
  return outcome.has_error() ? outcome.error() : unready_error(entry, result);
}

template <class T>
reading<T> read(const ObjectRef<T>& ref, const wait_limit& limit, value_decoder decode) {
  auto& entry = ref.entry();
  require_valid(limit);
  // Not by `try_read`: its result would be moved twice.
  if (auto pin = entry.try_pin()) [[likely]]
    return read_pinned<T>(std::move(pin), decode);
  return read_slowly<T>(entry, limit, decode);
}

/// Waits for all of `refs` and returns one outcome for each.
template <class T>
outcomes<T> read_all(std::span<const ObjectRef<T>> refs, const wait_limit& limit,
                     value_decoder decode) {
  require_valid(limit);
  auto entries = entries_of(refs);
  if (enough_ready(entries, entries.size(), wait_goal::readable)) {
    auto result = collect_all<T>(entries, nullptr, decode);
    // One that was there has left the memory meanwhile.
    if (std::ranges::all_of(result, [](const auto& each) { return !each.pending(); }))
      return result;
  }
  wait_handle<blocking_wait> group{new blocking_wait};
  await(*group, entries, entries.size(), wait_goal::readable, limit);
  return collect_all<T>(entries, group.get(), decode);
}

/// Splits `refs` by whether reading one would have to wait, at most `count` of them ready. `group`,
/// which may be null, has watched them.
template <class T>
wait_result<T> split_ready(std::span<const ObjectRef<T>> refs, std::size_t count,
                           wait_group* group) {
  // The thread that seals or refuses an object may be about to say so.
  if (group != nullptr)
    group->cancel();
  wait_result<T> result;
  for (std::size_t index = 0; index < refs.size(); ++index) {
    const auto& ref = refs[index];
    auto there =
      ref.ready() || (group != nullptr && group->refused(index)) || ref.entry().core().closing();
    auto& list = result.ready.size() < count && there ? result.ready : result.pending;
    list.push_back(ref);
  }
  return result;
}

template <class T>
wait_result<T> wait_for(std::span<const ObjectRef<T>> refs, std::size_t count,
                        const wait_limit& limit) {
  require_valid(limit);
  require_count(count, refs.size());
  auto entries = entries_of(refs);
  if (enough_ready(entries, count, wait_goal::ready))
    return split_ready(refs, count, nullptr);
  wait_handle<blocking_wait> group{new blocking_wait};
  await(*group, entries, count, wait_goal::ready, limit);
  return split_ready(refs, count, group.get());
}

} // namespace mobula::internal
