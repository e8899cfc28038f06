// Counts what the owner was told of, and puts the changes of a turn into the order that the owner
// relies on.

#include "mobula/actors/protocol/ownership/reference_table.hpp"

#include <utility>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

std::vector<reference_table::effect> reference_table::changes_taken(reference_changes changes) {
  references_ += changes.added.size();
  MOBULA_ASSERT(references_ >= changes.removed.size());
  references_ -= changes.removed.size();
  std::vector<effect> effects;
  if (!changes.added.empty())
    effects.emplace_back(tell_added{std::move(changes.added)});
  if (!changes.sealed.empty())
    effects.emplace_back(tell_sealed{std::move(changes.sealed)});
  if (!changes.removed.empty())
    effects.emplace_back(tell_removed{std::move(changes.removed)});
  return effects;
}

} // namespace mobula
