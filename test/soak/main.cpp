// mobula-soak: runs random schedules over several nodes for as long as one likes; see
// docs/testing.md.

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "worker_pool.hpp"

namespace mobula::soak {

namespace {

constexpr int bad_arguments = 2;

constexpr auto usage = R"(usage: mobula-soak [OPTION]...

Runs random schedules over several nodes, on all cores. Exit code 1 if a seed failed.

  --seconds N  how long (default 60, if there is no --rounds)
  --rounds N   how many seeds of each kind; of the faster ones, as many as take as long
  --first N    the first seed (default 1000001: beyond those of the tests)
  --only KIND  only kinds whose name begins so
  --seed N     this seed alone
  --jobs N     processes at a time (default: cores)
  --list       names the kinds, and runs none
)";

/// Seeds that ./check does not run.
constexpr std::uint64_t default_first_seed = 1'000'001;

struct request {
  soak_plan plan{.kinds = all_kinds(), .first_seed = default_first_seed};
  bool list = false;
};

struct bad_argument : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::uint64_t number(std::string_view option, std::string_view text, std::uint64_t most) {
  std::uint64_t result = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), result);
  if (error != std::errc{} || end != text.data() + text.size() || result == 0 || result > most)
    throw bad_argument{std::string{option} + " is '" + std::string{text}
                       + "', but must be from 1 to " + std::to_string(most)};
  return result;
}

void follow(soak_plan& plan, std::string_view option, std::string_view value) {
  constexpr std::uint64_t many = 1'000'000'000'000;
  if (option == "--seconds") {
    plan.time = std::chrono::seconds{number(option, value, 1'000'000'000)};
  } else if (option == "--rounds") {
    plan.rounds = number(option, value, many);
  } else if (option == "--first") {
    plan.first_seed = number(option, value, many);
  } else if (option == "--jobs") {
    plan.workers = number(option, value, max_workers);
  } else if (option == "--only") {
    std::erase_if(plan.kinds, [&](const auto& kind) { return !kind.name.starts_with(value); });
    if (plan.kinds.empty())
      throw bad_argument{"no kind begins with '" + std::string{value} + "' (see --list)"};
  } else if (option == "--seed") {
    plan.first_seed = number(option, value, many);
    plan.rounds = 1;
    for (auto& kind : plan.kinds)
      kind.seeds_a_round = 1;
  } else {
    throw bad_argument{"there is no option " + std::string{option}};
  }
}

request parse(int count, char** arguments) {
  request result;
  result.plan.workers =
    std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, max_workers);
  for (int index = 1; index < count; ++index) {
    std::string_view option{arguments[index]};
    if (option == "--list") {
      result.list = true;
      continue;
    }
    if (!option.starts_with("--"))
      throw bad_argument{"there is no option " + std::string{option}};
    if (++index == count)
      throw bad_argument{std::string{option} + " has no value"};
    follow(result.plan, option, arguments[index]);
  }
  if (!result.plan.rounds && !result.plan.time)
    result.plan.time = std::chrono::minutes{1};
  return result;
}

int run(int count, char** arguments) {
  auto wanted = parse(count, arguments);
  if (wanted.list) {
    for (const auto& kind : wanted.plan.kinds)
      std::cout << kind.name << '\n';
    return EXIT_SUCCESS;
  }
  return soak(wanted.plan) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

} // namespace

} // namespace mobula::soak

int main(int count, char** arguments) {
  try {
    return mobula::soak::run(count, arguments);
  } catch (const mobula::soak::bad_argument& error) {
    std::cerr << "mobula-soak: " << error.what() << '\n' << mobula::soak::usage;
    return mobula::soak::bad_arguments;
  } catch (const std::exception& error) {
    std::cerr << "mobula-soak: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
