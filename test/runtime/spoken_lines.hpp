#pragma once

#include <iostream>
#include <mutex>
#include <string>

#include <mobula/mobula.hpp>

/// What programs of the tests with processes write, line by line.

namespace mobula::test {

/// Several threads have something to say: members come and go in another than the one that reads.
inline void say(const std::string& line) {
  static std::mutex mutex;
  std::unique_lock guard{mutex};
  std::cout << line << std::endl;
}

/// "+INCARNATION" for a member, "-INCARNATION REASON" for one that has left.
inline void tell(const member_event& event) {
  auto who = to_string(event.member.record.incarnation);
  say(event.left ? "-" + who + " " + std::string{to_string(*event.left)} : "+" + who);
}

} // namespace mobula::test
