#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mobula/actors/caf_compat.hpp"
#include "mobula/actors/cluster_messages.hpp"
#include "mobula/actors/entry_stripe.hpp"
#include "mobula/actors/node_stats.hpp"

/// What a node tells of itself to people and their programs: the `mobula` command asks any node
/// that listens, without joining its cluster.

namespace mobula {

/// Asks a node for a report. Anybody who can connect may ask; it changes nothing.
struct ask_report {
  /// So many objects, the largest; 0: figures only.
  std::uint64_t most_objects = 0;
};

/// A node that holds references to another's object, and how many arrived there.
struct reported_borrower {
  incarnation_id node;
  std::uint32_t count = 0;
};

/// Where the bytes of an object are.
enum class reported_state : std::uint8_t {
  pending = 0,      ///< nobody has given it a value yet
  inline_value = 1, ///< in the process heap
  memory = 2,       ///< in the arena
  disk = 3,         ///< in a spill file only
  failed = 4,       ///< there is an error in its place
};

[[nodiscard]] std::string_view to_string(reported_state state) noexcept;

/// One object, as its owner knows it.
struct reported_object {
  std::uint64_t sequence = 0;
  std::uint64_t size_bytes = 0;
  reported_state state = reported_state::pending;
  std::string type;           ///< empty: not known; see `local_known`
  bool pinned = false;        ///< by a view, in its owner's process
  std::uint32_t transits = 0; ///< references in messages whose receiver is not known yet
  std::vector<reported_borrower> borrowers;
  /// References in the owner's process, those in other objects' values among them.
  std::uint32_t local = 0;
  /// Not so for small objects that no other node knows: nobody keeps a list of these. They have at
  /// least one.
  bool local_known = false;

  /// Returns how many references there are, as far as known.
  [[nodiscard]] std::uint64_t references() const noexcept;
};

/// A number with the name that it has in `node_stats`.
struct named_figure {
  std::string name;
  std::uint64_t value = 0;
};

struct node_report {
  incarnation_id incarnation;
  std::string name;
  std::string cluster;
  std::string library_version;
  std::int64_t process_id = 0;
  std::vector<endpoint> control;
  std::vector<member_hint> members; ///< whom it is connected to
  std::vector<named_figure> figures;
  std::vector<reported_object> objects;
  std::uint64_t objects_left_out = 0;
};

/// Returns the figures by name, objects and bytes of a count each for itself.
[[nodiscard]] std::vector<named_figure> figures_of(const node_stats& stats);

/// Returns the figure of that name; 0 if there is none.
[[nodiscard]] std::uint64_t figure(const node_report& report, std::string_view name) noexcept;

/// Objects that services describe, each what it knows.
class object_listing {
public:
  explicit object_listing(std::uint64_t most) : most_(most) {
    // nop
  }

  /// Called by the owner, once. Keeps the largest.
  void set(std::vector<new_reference> objects);

  /// Returns null for an object that is not listed.
  [[nodiscard]] reported_object* find(std::uint64_t sequence) noexcept;

  std::vector<reported_object> objects; ///< by sequence
  std::uint64_t left_out = 0;

private:
  std::uint64_t most_;
};

/// Makes the types known to systems that run with `config`.
void add_report_messages(caf::actor_system_config& config);

// -- inspection
// -------------------------------------------------------------------------------------

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, ask_report& x) {
  return f(caf::meta::type_name("mobula::ask_report"), x.most_objects);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, reported_borrower& x) {
  return f(caf::meta::type_name("mobula::reported_borrower"), x.node, x.count);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, reported_object& x) {
  return f(caf::meta::type_name("mobula::reported_object"), x.sequence, x.size_bytes, x.state,
           x.type, x.pinned, x.transits, x.borrowers, x.local, x.local_known);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, named_figure& x) {
  return f(caf::meta::type_name("mobula::named_figure"), x.name, x.value);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_report& x) {
  return f(caf::meta::type_name("mobula::node_report"), x.incarnation, x.name, x.cluster,
           x.library_version, x.process_id, x.control, x.members, x.figures, x.objects,
           x.objects_left_out);
}

} // namespace mobula
