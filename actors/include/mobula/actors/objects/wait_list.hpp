#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "mobula/actors/objects/pinned_value.hpp"
#include "mobula/serialization/error.hpp"

namespace mobula {

class object_entry;
class wait_group;

/// What a reader waits for.
enum class wait_goal : std::uint8_t {
  /// The object is sealed or failed, or is refused.
  ready,
  /// The object can be read at once: its bytes are in memory, pinned for this reader.
  readable,
};

/// One entry's membership in one group of waiting readers.
struct wait_link {
  object_entry* entry = nullptr;
  wait_group* group = nullptr;
  wait_goal goal = wait_goal::ready;
  wait_link* next_of_entry = nullptr;
  wait_link** back_of_entry = nullptr;
  wait_link* next_of_stripe = nullptr;
  wait_link** back_of_stripe = nullptr;

  /// Set under the stripe's mutex, before it is unlinked, for a reader that waits for bytes.
  pinned_value pin;

  /// Set likewise when these bytes cannot be had now.
  std::unique_ptr<error_info> failure;

  [[nodiscard]] bool linked() const noexcept {
    return back_of_entry != nullptr;
  }
};

/// Links that were taken off under a stripe's mutex, and a count of the group of each: a group that
/// is canceled right now must outlive the notification.
using woken_links = std::vector<wait_link*>;

/// Who waits for the entries of a stripe: each link is in the list of its entry and in that of the
/// stripe, so that both can wake all of theirs.
///
/// Not thread-safe: the stripe's mutex is held for all but `wake`.
class wait_list {
public:
  wait_list() = default;
  wait_list(const wait_list&) = delete;
  wait_list& operator=(const wait_list&) = delete;

  /// Puts a link in front of those of its entry and of the stripe.
  void attach(wait_link& link, wait_link*& first_of_entry) noexcept;

  /// Takes a link off; its group is not told. Nothing happens to one that is off already.
  void unlink(wait_link& link) noexcept;

  /// Calls `prepare` on each link of an entry, and takes those off for which it returns true.
  template <class G>
  void detach_if(wait_link* first_of_entry, woken_links& woken, G& prepare) {
    for (auto* link = first_of_entry; link != nullptr;) {
      auto* next = link->next_of_entry;
      if (prepare(*link))
        detach(*link, woken);
      link = next;
    }
  }

  /// Takes all links off. Nobody is to attach any more.
  void refuse(woken_links& woken);

  [[nodiscard]] bool refused() const noexcept {
    return refused_;
  }

  /// Links in the list.
  [[nodiscard]] std::size_t size() const noexcept {
    return size_;
  }

  /// Tells the groups of what was taken off. REQUIRES: no mutex is held, since who is woken may do
  /// anything.
  static void wake(const woken_links& woken);

private:
  void take_off(wait_link& link) noexcept;
  void detach(wait_link& link, woken_links& woken);

  wait_link* first_ = nullptr;
  std::size_t size_ = 0;
  bool refused_ = false;
};

} // namespace mobula
