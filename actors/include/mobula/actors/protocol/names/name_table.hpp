#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mobula/actors/protocol/session_id.hpp"
#include "mobula/serialization/ids.hpp"

namespace mobula {

/// Orders publications over all nodes: a node's next one is larger than any that it made or heard
/// of, so who publishes a name after having seen it has the larger number.
enum class publish_number : std::uint64_t {};

/// A name as its publisher tells it to a member.
struct published_name {
  std::string name;
  publish_number number{};
  std::vector<std::byte> payload; ///< what the name stands for; opaque here

  friend bool operator==(const published_name&, const published_name&) = default;
};

/// A name that its publisher takes back.
struct withdrawn_name {
  std::string name;
  publish_number number{};
};

/// All that changed at one publisher, told by itself. In order: taken back first.
struct names_changed {
  session_id session = session_id::none;
  std::vector<withdrawn_name> withdrawn;
  std::vector<published_name> published;
};

/// Tells a member.
struct tell_names {
  incarnation_id member;
  names_changed content;
};

/// A name of this node is not its own any more: another node was first, and neither knew.
struct report_name_taken {
  std::string name;
  incarnation_id publisher; ///< who keeps it
};

/// What a member said of a name cannot be; it changed nothing. For the log.
struct report_name_ignored {
  std::string text;
};

using name_effect = std::variant<tell_names, report_name_taken, report_name_ignored>;
using name_effects = std::vector<name_effect>;

/// What to do about a name that this node has published already.
enum class own_name : std::uint8_t { refuse, replace };

struct name_config {
  std::size_t max_names = 65'536; ///< of one publisher
  std::size_t max_name_bytes = 256;
  std::size_t max_payload_bytes = 65'536;
  std::size_t max_message_bytes = std::size_t{1} << 20U; ///< one name may need more
};

/// The names of a cluster, as one node sees them. No CAF, no clock, no I/O.
///
/// *The idea.* A publisher tells each member itself, over the session that the two have, and a
/// member forgets what it was told when that session ends. So names need no failure detection and
/// no cleaning of their own: a name is gone with its publisher, and a lookup costs no message. A
/// name server would be one more thing to lose.
///
/// *Conflicts.* Two nodes may publish one name before they hear of each other. The smaller
/// (number, incarnation) keeps it, which both can tell: the other one takes its own back and says
/// so. A node that sees both meanwhile shows the one that will stay.
///
/// *Invariants.* Whoever is named as a publisher has a session; a publisher has at most one
/// publication of a name; no name of this node has an older publication of another node.
class name_table {
public:
  explicit name_table(const incarnation_id& self, name_config config = {});

  name_table(const name_table&) = delete;
  name_table& operator=(const name_table&) = delete;

  // -- this node's names --------------------------------------------------------------------------

  /// Publishes a name, and returns why not if it cannot. The name may still be lost to a node that
  /// was first: see `report_name_taken`. Where this node's own publication is replaced, members
  /// hear of the new one in place of the old one: at no time do they know of none. It keeps its
  /// number, since the name is as old as it was.
  [[nodiscard]] std::optional<std::string> publish(const std::string& name,
                                                   std::vector<std::byte> payload,
                                                   name_effects& effects,
                                                   own_name if_own = own_name::refuse);

  /// Takes a name back. Ignored if it is not this node's, as it may have been lost.
  void unpublish(const std::string& name, name_effects& effects);

  // -- members ------------------------------------------------------------------------------------

  /// REQUIRES: no session with the member.
  void member_joined(const incarnation_id& member, session_id session, name_effects& effects);

  /// REQUIRES: joined.
  void member_left(const incarnation_id& member);

  /// What is said in a session that is over changes nothing.
  void received(const incarnation_id& member, const names_changed& message, name_effects& effects);

  // -- properties ---------------------------------------------------------------------------------

  struct publication {
    incarnation_id publisher;
    publish_number number{};
    std::vector<std::byte> payload;
  };

  /// Returns the publication that keeps the name among those known; null if there is none.
  [[nodiscard]] const publication* lookup(std::string_view name) const;

  [[nodiscard]] std::size_t size() const noexcept {
    return names_.size();
  }

  /// Calls `f(name, publication)` for each name that `lookup` finds, in order of names.
  template <class F>
  void for_each(F&& f) const {
    for (const auto& [name, publications] : names_)
      f(name, publications.front());
  }

  /// Asserts the invariants. O(n).
  void check_invariants() const;

private:
  /// Of one name, first the one that keeps it; never empty.
  using publications = std::vector<publication>;

  void replace(const publication& mine, const std::string& name, std::vector<std::byte> payload,
               name_effects& effects);
  [[nodiscard]] std::optional<std::string> objection_to(const incarnation_id& publisher,
                                                        const published_name& fresh) const;
  void ignore(const incarnation_id& publisher, const std::string& why, name_effects& effects);
  void insert(const incarnation_id& publisher, const published_name& fresh);
  void remove(const incarnation_id& publisher, const std::string& name,
              std::optional<publish_number> number);
  void tell_all(const names_changed& change, name_effects& effects) const;
  [[nodiscard]] const publication* own(const std::string& name) const;

  incarnation_id self_;
  name_config config_;
  std::uint64_t last_number_ = 0; ///< the largest that was given or heard of, as far as others
                                  ///< can have counted
  /// Raised by `publish` and `names_changed::published`; lowered by `unpublish`, a lost conflict,
  /// `names_changed::withdrawn` and `member_left`.
  std::map<std::string, publications, std::less<>> names_;
  std::map<incarnation_id, session_id> sessions_; ///< raised by joins, lowered by leaves
  std::map<incarnation_id, std::size_t> counts_;  ///< publications by publisher; never zero
  std::uint64_t ignored_ = 0;                     ///< names; of many the log has few
};

} // namespace mobula
