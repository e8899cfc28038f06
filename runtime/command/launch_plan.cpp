// Decides what `mobula launch` does when its processes start, crash or end, and when a signal
// comes. Touches no process and no clock: launch.cpp does.

#include "launch_plan.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <utility>

#include <fmt/format.h>

#include "mobula/serialization/counted.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula::command {

namespace {

/// What shells say of a program that they do not find.
constexpr int code_of_no_start = 127;

/// With these, people ask processes to end.
constexpr std::array asking_signals{SIGHUP, SIGINT, SIGTERM};

} // namespace

bool process_end::was_asked() const {
  return std::ranges::any_of(asking_signals,
                             [this](int number) { return exit_code() == 128 + number; });
}

std::string to_string(const process_end& end) {
  return end.signal != 0 ? fmt::format("signal {}", end.signal)
                         : fmt::format("exit code {}", end.code);
}

launch_plan::launch_plan(launch_limits limits) : limits_(limits), nodes_(limits.nodes) {
  MOBULA_ASSERT(limits.nodes > 0);
}

launch_effects launch_plan::begin() {
  launch_effects result;
  for (std::size_t node = 0; node < nodes_.size(); ++node)
    result.emplace_back(start(node));
  return result;
}

launch_effects launch_plan::process_ended(std::size_t node, process_end end,
                                          std::chrono::milliseconds lived) {
  auto& state = nodes_.at(node);
  MOBULA_ASSERT(state.now != phase::over && state.now != phase::waiting);
  launch_effects result;
  if (lived >= limits_.steady_after)
    state.restarts = 0;
  if (stopping_ || end.exit_code() == 0 || end.was_asked()) {
    state.now = phase::over;
    // Somebody else than this launch may be asked why it does not come back.
    auto why = !stopping_ && end.was_asked() ? ": it was asked to, and stays away" : "";
    result.emplace_back(
      say_line{fmt::format("node {} ended with {}{}", node, to_string(end), why)});
  } else {
    crashed(node, end.exit_code(), "ended with " + to_string(end), result);
  }
  if (stopping_)
    end_next(result);
  return result;
}

launch_effects launch_plan::start_failed(std::size_t node, const std::string& reason) {
  MOBULA_ASSERT(nodes_.at(node).now == phase::running);
  launch_effects result;
  crashed(node, code_of_no_start, "did not start: " + reason, result);
  return result;
}

launch_effects launch_plan::timer_expired(std::size_t node) {
  auto& state = nodes_.at(node);
  // A timer of an earlier phase changes nothing.
  if (state.now == phase::waiting)
    return {start(node)};
  if (state.now == phase::ending) {
    state.now = phase::killed;
    return {say_line{fmt::format("node {} has not ended within {} ms; it is killed", node,
                                 limits_.stop_limit.count())},
            kill_process{node}};
  }
  return {};
}

launch_effects launch_plan::stop_requested(int signal) {
  launch_effects result;
  if (stop_signal_ == 0) {
    stop_signal_ = signal;
    stop_all(result);
    return result;
  }
  for (std::size_t node = 0; node < nodes_.size(); ++node) {
    auto& now = nodes_[node].now;
    if (now == phase::running || now == phase::ending) {
      now = phase::killed;
      result.emplace_back(kill_process{node});
    }
  }
  return result;
}

bool launch_plan::done() const {
  return std::ranges::all_of(nodes_,
                             [](const node_state& state) { return state.now == phase::over; });
}

int launch_plan::exit_code() const {
  return stop_signal_ != 0 ? 128 + stop_signal_ : first_failure_;
}

start_process launch_plan::start(std::size_t node) {
  nodes_[node].now = phase::running;
  start_process result{.node = node, .joins = {}};
  for (std::size_t other = 0; other < nodes_.size() && !result.joins; ++other)
    if (other != node && nodes_[other].now == phase::running)
      result.joins = other;
  return result;
}

void launch_plan::crashed(std::size_t node, int code, const std::string& what,
                          launch_effects& effects) {
  auto& state = nodes_[node];
  if (state.restarts == limits_.restarts) {
    state.now = phase::over;
    first_failure_ = code;
    effects.emplace_back(say_line{fmt::format("node {} {}, after {} in a row; all others end too",
                                              node, what, counted(state.restarts, "restart"))});
    stop_all(effects);
    return;
  }
  auto delay = delay_after(state.restarts);
  ++state.restarts;
  state.now = phase::waiting;
  effects.emplace_back(
    say_line{fmt::format("node {} {}; it starts again in {} ms, restart {} of {}", node, what,
                         delay.count(), state.restarts, limits_.restarts)});
  effects.emplace_back(start_timer{node, delay});
}

void launch_plan::stop_all(launch_effects& effects) {
  if (std::exchange(stopping_, true))
    return;
  for (auto& state : nodes_)
    if (state.now == phase::waiting)
      state.now = phase::over;
  end_next(effects);
}

void launch_plan::end_next(launch_effects& effects) {
  auto on_its_way = [](const node_state& state) {
    return state.now == phase::ending || state.now == phase::killed;
  };
  if (std::ranges::any_of(nodes_, on_its_way))
    return;
  for (auto node = nodes_.size(); node-- > 0;) {
    if (nodes_[node].now != phase::running)
      continue;
    nodes_[node].now = phase::ending;
    effects.emplace_back(ask_to_end{node});
    effects.emplace_back(start_timer{node, limits_.stop_limit});
    return;
  }
}

std::chrono::milliseconds launch_plan::delay_after(std::size_t restarts) const {
  auto result = limits_.first_delay;
  for (std::size_t each = 0; each < restarts && result < limits_.longest_delay; ++each)
    result *= 2;
  return std::min(result, limits_.longest_delay);
}

} // namespace mobula::command
