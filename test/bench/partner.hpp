#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include "bench_node.hpp"
#include "mobula/cluster.hpp"

// Another process of the same program, with a node and an actor that does what the cases on
// clusters need: cases_cluster.cpp asks, partner.cpp answers.

namespace mobula::bench {

struct make_object {
  std::uint64_t bytes = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, make_object& x) {
  return f(caf::meta::type_name("make_object"), x.bytes);
}

struct object_made {
  ObjectRef<array<std::byte>> ref;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, object_made& x) {
  return f(caf::meta::type_name("object_made"), x.ref);
}

/// Read by the partner, and sent back.
struct handed_over {
  ObjectRef<payload<1024>> ref;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, handed_over& x) {
  return f(caf::meta::type_name("handed_over"), x.ref);
}

/// Read by the partner, which says how many there were.
struct handed_over_many {
  std::vector<ObjectRef<payload<64>>> refs;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, handed_over_many& x) {
  return f(caf::meta::type_name("handed_over_many"), x.refs);
}

/// A configuration that knows these messages.
struct partner_config : config {
  partner_config();
};

/// This process's end: a node in a cluster with the partner's.
class partner_process {
public:
  /// Starts the partner and waits until it answers. Throws `object_error` if it does not.
  partner_process();

  partner_process(const partner_process&) = delete;
  partner_process& operator=(const partner_process&) = delete;

  /// Lets the partner leave, and waits for its end.
  ~partner_process();

  [[nodiscard]] caf::actor_system& system() noexcept {
    return system_;
  }

  [[nodiscard]] mobula::node& node() noexcept {
    return node_;
  }

  [[nodiscard]] const caf::actor& actor() const noexcept {
    return actor_;
  }

private:
  partner_config settings_;
  caf::actor_system system_{settings_};
  mobula::node node_{system_};
  mobula::cluster cluster_{node_};
  pid_t process_ = -1;
  int input_ = -1; ///< the partner ends with it
  caf::actor actor_;
};

/// Argument with which this program becomes the partner of the one at the port that follows.
inline constexpr auto partner_argument = "--partner-of";

/// Works for the process that listens at `port` until standard input ends. Returns an exit code.
int run_partner(const std::string& port);

} // namespace mobula::bench
