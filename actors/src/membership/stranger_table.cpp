// Which new connections of a control port are waited for, for how long, and which is closed when
// there are too many: the oldest, which has had the most time to say who it is.

#include "mobula/actors/membership/stranger_table.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

stranger_id stranger_table::arrived(time_point now, std::size_t connections,
                                    stranger_effects& effects) {
  stranger_id id{++last_};
  auto position = strangers_.emplace_hint(strangers_.end(), id, now + limits_.patience);
  if (connections >= limits_.max_connections) {
    close(position, fmt::format("came while {} others are open, which is the most", connections),
          effects);
    return id;
  }
  if (strangers_.size() > limits_.max_strangers)
    close(strangers_.begin(),
          fmt::format("had not said who it is when {} others had come", limits_.max_strangers),
          effects);
  if (strangers_.contains(id))
    effects.emplace_back(await_bytes{id, caf_header_bytes});
  MOBULA_ASSERT(strangers_.size() <= limits_.max_strangers);
  return id;
}

void stranger_table::readable(stranger_id stranger, std::span<const std::byte> bytes,
                              std::size_t available, stranger_effects& effects) {
  auto position = strangers_.find(stranger);
  if (position == strangers_.end())
    return;
  if (bytes.size() < caf_header_bytes) {
    effects.emplace_back(await_bytes{stranger, caf_header_bytes});
    return;
  }
  auto read = read_first_header(bytes.first<caf_header_bytes>(), handshake_of::dialer);
  if (auto* why = std::get_if<std::string>(&read))
    return close(position, std::move(*why), effects);
  auto whole = caf_header_bytes + std::get<std::uint32_t>(read);
  if (available < whole) {
    effects.emplace_back(await_bytes{stranger, whole});
    return;
  }
  strangers_.erase(position);
  effects.emplace_back(hand_over{stranger});
}

void stranger_table::ended(stranger_id stranger, stranger_effects& effects) {
  if (auto position = strangers_.find(stranger); position != strangers_.end())
    close(position, "ended before its handshake was complete", effects);
}

void stranger_table::time_passed(time_point now, stranger_effects& effects) {
  while (!strangers_.empty() && strangers_.begin()->second <= now)
    close(strangers_.begin(),
          fmt::format("had not completed its handshake within {} ms",
                      limits_.patience / std::chrono::milliseconds{1}),
          effects);
}

void stranger_table::descriptors_ran_out(time_point now) {
  paused_until_ = now + limits_.pause;
}

std::optional<stranger_table::time_point> stranger_table::next_deadline(time_point now) const {
  std::optional<time_point> result;
  if (!strangers_.empty())
    result = strangers_.begin()->second;
  if (!may_accept(now))
    result = std::min(result.value_or(paused_until_), paused_until_);
  return result;
}

void stranger_table::close(strangers_map::iterator stranger, std::string why,
                           stranger_effects& effects) {
  effects.emplace_back(close_stranger{stranger->first, std::move(why)});
  strangers_.erase(stranger);
}

} // namespace mobula
