#pragma once

#include <cstddef>
#include <cstdint>

#include "mobula/store/shard/disk_readiness.hpp"
#include "mobula/store/shard/heap_pieces.hpp"
#include "mobula/store/shard/store_config.hpp"
#include "mobula/store/shard/store_object.hpp"
#include "mobula/store/shard/store_objects.hpp"
#include "mobula/store/shard/store_requests.hpp"

namespace mobula {

/// How a store makes space: recalls credit, evicts, spills, in this order, and each in the order of
/// last use. A *spell* of pressure lasts until the low-water mark is reached, or a whole store was
/// freed.
class store_relief {
public:
  /// REQUIRES: all outlive this.
  store_relief(const store_config& config, store_objects& objects, const disk_readiness& disk,
               const heap_pieces& pieces, const store_requests& requests);

  store_relief(const store_relief&) = delete;
  store_relief& operator=(const store_relief&) = delete;

  /// Sets going what is missing beyond what is on its way out.
  void relieve(store_effects& effects);

  [[nodiscard]] bool relieving() const noexcept {
    return relieving_;
  }

  /// So many bytes were freed.
  void freed(std::size_t bytes) noexcept {
    freed_in_spell_bytes_ += bytes;
  }

  // -- credit -------------------------------------------------------------------

  /// Returns how much credit may be lent.
  [[nodiscard]] std::size_t lendable_bytes() const noexcept;

  /// So much was lent.
  void lent(std::size_t bytes) noexcept {
    credit_may_idle_ = credit_may_idle_ || bytes > 0;
  }

  /// Asks for the credit that may idle, if it was not asked for since it was lent.
  void recall(store_effects& effects);

  /// REQUIRES: `recalling`.
  void recall_answered() noexcept {
    recalling_ = false;
  }

  [[nodiscard]] bool recalling() const noexcept {
    return recalling_;
  }

  // -- questions ----------------------------------------------------------------

  /// Asks whether a released copy has readers.
  void ask_release(store_object& entry, store_effects& effects);

  /// The copy was used since it was asked: it is spared in this spell.
  void spare(store_object& entry) const noexcept {
    entry.spared = spell_;
  }

  /// Returns whether an answer is on its way.
  [[nodiscard]] bool is_asking() const noexcept;

  /// The stamp that readers leave from now on.
  [[nodiscard]] use_stamp stamp() const noexcept {
    return stamp_;
  }

  void advance_stamp() noexcept;

private:
  void ask(store_object& entry, pin_question what, store_effects& effects);
  [[nodiscard]] std::size_t wanted_free_bytes();
  [[nodiscard]] std::size_t missing_bytes();
  [[nodiscard]] std::size_t credit_in_relief() const noexcept;

  std::size_t capacity_bytes_;
  std::size_t threshold_bytes_;
  std::size_t low_water_bytes_;
  store_objects& objects_;
  const disk_readiness& disk_;
  const heap_pieces& pieces_;
  const store_requests& requests_;
  bool credit_may_idle_ = false; ///< lent since the last recall
  bool recalling_ = false;       ///< `recall_answered` is on the way
  bool relieving_ = false;       ///< above the threshold, or not yet down to the low-water mark
  use_stamp stamp_{1};
  std::uint64_t spell_ = 0;              ///< counts spells of pressure, for `store_object::spared`
  std::size_t freed_in_spell_bytes_ = 0; ///< a spell also ends when it has freed a whole store
};

} // namespace mobula
