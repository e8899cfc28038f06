#pragma once

#include <cstdlib>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <unistd.h>

/// Hosts of tests on one machine, which need root and `ip`.

namespace mobula::test {

/// Runs a command of the shell, and returns whether it succeeded.
inline bool run(const std::string& command) {
  return std::system((command + " 2>/dev/null").c_str()) == 0;
}

/// Says why a test does nothing where a host is not usable.
inline void skip_without_networks() {
  MESSAGE("skipped: no network namespaces here; they need root and the package iproute2");
}

/// A host: a network namespace, gone after the test. All commands return whether they succeeded.
class host {
public:
  explicit host(const std::string& name)
    : name_("mobula_" + name + "_" + std::to_string(::getpid())) {
    usable_ = run("ip netns add " + name_) && ip("link set lo up");
  }

  host(const host&) = delete;
  host& operator=(const host&) = delete;

  ~host() {
    run("ip netns del " + name_);
  }

  [[nodiscard]] bool usable() const noexcept {
    return usable_;
  }

  [[nodiscard]] const std::string& name() const noexcept {
    return name_;
  }

  [[nodiscard]] std::vector<std::string> launcher() const {
    return {"ip", "netns", "exec", name_};
  }

  [[nodiscard]] bool ip(const std::string& command) const {
    return run("ip -n " + name_ + " " + command);
  }

  /// Runs a command of the shell in it.
  [[nodiscard]] bool run_inside(const std::string& command) const {
    return run("ip netns exec " + name_ + " " + command);
  }

  /// Lays a cable to another host, which gets the second address.
  [[nodiscard]] bool connect(const host& other, const std::string& cable, const std::string& ours,
                             const std::string& theirs) const {
    return ip("link add " + cable + " type veth peer name " + cable + " netns " + other.name_)
           && set_up(cable, ours) && other.set_up(cable, theirs);
  }

private:
  /// Without a search for others that have the address: nobody has.
  [[nodiscard]] bool set_up(const std::string& cable, const std::string& address) const {
    auto is_v6 = address.find(':') != std::string::npos;
    return ip("addr add " + address + " dev " + cable + (is_v6 ? " nodad" : ""))
           && ip("link set " + cable + " up");
  }

  std::string name_;
  bool usable_ = false;
};

} // namespace mobula::test
