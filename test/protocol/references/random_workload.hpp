#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "simulated_cluster.hpp"

namespace mobula::test {

enum class act : std::uint8_t {
  create, ///< with up to three nested references
  copy,
  drop,
  free_and_drop,
  send,         ///< up to three references, perhaps the same
  send_home,    ///< to their owner
  send_newest,  ///< often before it is confirmed
  send_to_none, ///< the receiving actor is gone
  cancel,       ///< serialization fails half-way
  read,
  crash,
  restart,
  sever,
  heal
};

/// One thing that happens. Everything about it is fixed beforehand, so that a workload can be
/// thinned out; what it meets when it happens is looked up by remainder.
struct operation {
  std::uint64_t time = 0;
  act what = act::create;
  place where = 0;
  place other = 0;
  std::uint64_t choice = 0;
};

struct workload {
  cluster_options options;
  bool connected = true; ///< from the start; else nodes connect as they meet
  std::vector<operation> operations;
};

/// What the schedules of several runs have met.
struct coverage {
  std::uint64_t messages = 0;
  std::uint64_t borrowed = 0;
  std::uint64_t unknown = 0;
  std::uint64_t came_home = 0;
  std::uint64_t ended_by_owner = 0;
  std::uint64_t ended_by_barrier = 0;
  std::uint64_t canceled = 0;
  std::uint64_t owner_died = 0;
  std::uint64_t strange = 0;
};

/// Everything about the workload follows from the seed.
[[nodiscard]] workload make_workload(std::uint64_t seed);

struct run_outcome {
  std::string failure; ///< empty if every promise was kept
  std::vector<std::string> trace;
};

/// When an outcome has the trace, which is made only if the workload's options say so.
enum class kept_trace : std::uint8_t { of_failure, always };

/// Runs to the end, or to the first promise that is broken.
run_outcome run(const workload& work, coverage& seen, kept_trace keep = kept_trace::of_failure);

/// Leaves out operations for as long as the run still fails.
[[nodiscard]] workload shrink(workload work);

/// Returns the trace of a failing workload, to be read.
[[nodiscard]] std::string describe_failure(std::uint64_t seed);

} // namespace mobula::test
