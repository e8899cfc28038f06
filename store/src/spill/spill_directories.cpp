// The turns of the spill directories, and what becomes of one that fails.

#include "mobula/store/spill/spill_directories.hpp"

#include <algorithm>

namespace mobula {

spill_directories::pick spill_directories::find_next() {
  auto result = pick::none_left;
  for (std::size_t tried = 0; tried < directories_.size(); ++tried) {
    auto index = (next_ + tried) % directories_.size();
    const auto& candidate = directories_[index];
    if (candidate.state == directory_state::aside)
      continue;
    if (candidate.state == directory_state::good || candidate.writes == 0) {
      next_ = index;
      return pick::found;
    }
    result = pick::all_busy;
  }
  return result;
}

spill_directory spill_directories::take_turn() {
  auto result = spill_directory{static_cast<std::uint32_t>(next_)};
  next_ = (next_ + 1) % directories_.size();
  return result;
}

std::optional<spill_directory> spill_directories::take_good_turn() {
  for (std::size_t tried = 0; tried < directories_.size(); ++tried) {
    auto index = (next_ + tried) % directories_.size();
    if (directories_[index].state != directory_state::good)
      continue;
    next_ = index;
    return take_turn();
  }
  return std::nullopt;
}

void spill_directories::write_ended(spill_directory id, std::optional<spill_error> error,
                                    spill_effects& effects) {
  auto& where = get(id);
  --where.writes;
  if (!error) {
    // A success that began before the failure of another write says nothing about now.
    if (where.state != directory_state::probation)
      return;
    where.state = directory_state::good;
    where.failures = 0;
    effects.push_back(report_directory_recovered{id});
    return;
  }
  ++write_errors_;
  last_error_ = *error;
  if (where.state == directory_state::aside)
    return;
  where.state = directory_state::aside;
  where.retries_to_skip = where.failures < 63
                            ? std::min((std::size_t{1} << where.failures) - 1, max_skipped_retries_)
                            : max_skipped_retries_;
  ++where.failures;
  effects.push_back(report_directory_set_aside{id, *error});
}

bool spill_directories::retry(urgency who) {
  auto any_back = false;
  for (auto& where : directories_) {
    if (where.state != directory_state::aside)
      continue;
    if (where.retries_to_skip > 0 && who == urgency::none) {
      --where.retries_to_skip;
      continue;
    }
    where.state = directory_state::probation;
    any_back = true;
  }
  return any_back;
}

std::size_t spill_directories::set_aside() const noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(
    directories_, [](const auto& where) { return where.state == directory_state::aside; }));
}

} // namespace mobula
