#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "mobula/serialization/ids.hpp"

namespace mobula {

/// Names one question of the node that asks.
enum class search_number : std::uint64_t {};

/// What lookups wait for: that somebody publishes their name, or that the publisher answers. No
/// CAF, no clock.
///
/// Found by what they wait for, so that news about a name costs what is said and who is concerned:
/// a hundred thousand other lookups that wait do not matter.
///
/// *Invariant.* Each search waits for exactly one of the two.
class name_searches {
public:
  /// The search waits for its name. REQUIRES: the number is new.
  void add(search_number number, const std::string& name);

  /// It waits for this node's answer now.
  void ask(search_number number, const incarnation_id& publisher);

  /// It waits for its name again.
  void ask_nobody(search_number number);

  void remove(search_number number);

  void clear();

  /// Returns whom the search has asked; nothing if it waits for its name, or is none.
  [[nodiscard]] std::optional<incarnation_id> asked(search_number number) const;

  /// Returns the searches that wait for the name, the oldest first.
  [[nodiscard]] std::vector<search_number> waiting_for(std::string_view name) const;

  /// Returns the searches that wait for the node's answer, the oldest first.
  [[nodiscard]] std::vector<search_number> asked_of(const incarnation_id& publisher) const;

  [[nodiscard]] std::size_t size() const noexcept {
    return searches_.size();
  }

  /// Asserts the invariant. O(n).
  void check_invariants() const;

private:
  struct search {
    std::string name;
    std::optional<incarnation_id> asked;
  };

  template <class Index, class Key>
  static void drop(Index& index, const Key& key, search_number number);

  void unlist(search_number number, const search& which);

  std::map<search_number, search> searches_;
  std::map<std::string, std::set<search_number>, std::less<>> by_name_; ///< no set is empty
  std::map<incarnation_id, std::set<search_number>> by_publisher_;      ///< the same
};

} // namespace mobula
