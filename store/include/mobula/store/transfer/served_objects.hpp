#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "mobula/store/transfer/byte_ranges.hpp"
#include "mobula/store/transfer/push_effects.hpp"

namespace mobula {

enum class served_state : std::uint8_t {
  finding, ///< `find_served` is not answered
  found,
  stale, ///< not where it was found; looked for again when its last send has ended
  gone   ///< nothing more of it is sent; goes with its last send
};

/// What `push_table` knows of one object that others ask for.
struct served_object {
  /// Returns whether bytes from there on can be sent now.
  [[nodiscard]] bool can_serve(std::uint64_t offset_bytes) const {
    return state == served_state::found && available.present_from(offset_bytes).size() > 0;
  }

  served_state state = served_state::finding;
  std::uint64_t size_bytes = 0;
  served_place place;
  byte_ranges available;  ///< raised by `found` and `bytes_arrived`, emptied when stale
  std::set<ask_key> asks; ///< at most `max_asks`
  std::map<incarnation_id, std::size_t> readers; ///< number of asks of each node
  std::size_t sends = 0;                         ///< under way
  /// While finding: raised when the object goes. What is found then is not served.
  bool lost_meanwhile = false;
};

/// The objects that others ask this node for. Each is found when the first ask for it comes, and
/// let go with the last. Part of `push_table`.
class served_objects {
public:
  /// `max_readers` is the number of nodes that may read one object at a time.
  explicit served_objects(std::size_t max_readers) : max_readers_(max_readers) {
    // nop
  }

  served_objects(const served_objects&) = delete;
  served_objects& operator=(const served_objects&) = delete;

  /// Returns null if nobody asks for it.
  [[nodiscard]] served_object* find(const object_id& id);

  /// REQUIRES: it is there.
  [[nodiscard]] served_object& get(const object_id& id);

  /// Returns why the node cannot ask for these bytes; nothing if it can.
  [[nodiscard]] std::optional<refusal_reason> objection(const incarnation_id& reader,
                                                        const object_range& range) const;

  /// Notes an ask, and has the object found if it is the first one.
  void add(const object_id& id, const ask_key& key, const incarnation_id& reader,
           push_effects& effects);

  /// Forgets an ask, and the object with the last one.
  void remove(const object_id& id, const ask_key& key, const incarnation_id& reader,
              push_effects& effects);

  /// Looks for the object again, or lets it go, once nothing of it is on its way out.
  void tidy(const object_id& id, push_effects& effects);

  /// The object was not found. REQUIRES: nobody asks for it any more.
  void erase(const object_id& id) {
    objects_.erase(id);
  }

  // -- properties ---------------------------------------------------------------------------------

  [[nodiscard]] std::size_t size() const noexcept {
    return objects_.size();
  }

  /// REQUIRES: it is there.
  [[nodiscard]] const served_object& at(const object_id& id) const {
    return objects_.at(id);
  }

  /// Returns all of them in an order that a replay sees again.
  [[nodiscard]] std::vector<object_id> sorted() const;

  /// Asserts that each object has a reason to be here, and that so many asks and sends are theirs.
  void check_invariants(std::size_t asks, std::size_t sends) const;

private:
  std::size_t max_readers_;
  std::unordered_map<object_id, served_object> objects_;
};

} // namespace mobula
