#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
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

  /// If not empty: this object and no other, whosever it is.
  object_id only;
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
  freed = 5,        ///< somebody freed the value, though there are references
};

[[nodiscard]] std::string_view to_string(reported_state state) noexcept;

/// The references to one object inside of the values in one process.
struct reported_nesting {
  /// Named in a report are no more than so many of the objects that contain a reference.
  static constexpr std::size_t most_named = 8;

  std::uint32_t references = 0;
  std::uint32_t containers = 0;
  std::vector<object_id> named; ///< the first containers
};

/// One object, as its owner knows it.
struct reported_object {
  std::uint64_t sequence = 0;
  std::uint64_t size_bytes = 0;
  reported_state state = reported_state::pending;
  std::string type;
  std::uint32_t views = 0;    ///< that pin the value in its owner's process
  std::uint32_t readers = 0;  ///< other processes of the host that do
  std::uint32_t transits = 0; ///< references in messages whose receiver is not known yet
  std::vector<reported_borrower> borrowers;
  std::uint32_t local = 0; ///< references in the owner's process outside of any value
  reported_nesting nested; ///< and inside of values
  /// Its place in `node_report::call_sites`, from 1 on; 0: not recorded.
  std::uint32_t call_site = 0;

  [[nodiscard]] bool pinned() const noexcept {
    return views > 0 || readers > 0;
  }

  /// Returns how many references there are.
  [[nodiscard]] std::uint64_t references() const noexcept;
};

/// Another node's object to which values in the reporting node's process refer.
struct reported_foreign {
  object_id object;
  reported_nesting nested;
};

/// Where objects were made.
struct reported_site {
  std::string file;
  std::string function;
  std::uint32_t line = 0;
};

/// A number with the name that it has in `node_stats`.
struct named_figure {
  std::string name;
  std::uint64_t value = 0;
};

/// A node that other members are connected to, and the reporting one cannot be.
struct reported_gap {
  incarnation_id node;
  std::vector<endpoint> control;
  std::string reason;
};

struct node_report {
  incarnation_id incarnation;
  std::string name;
  std::string cluster;
  std::string library_version;
  std::int64_t process_id = 0;
  std::vector<endpoint> control;
  std::vector<member_hint> members; ///< whom it is connected to
  std::vector<reported_gap> unreachable;
  std::vector<named_figure> figures;
  std::vector<reported_object> objects;
  std::uint64_t objects_left_out = 0;
  std::vector<reported_foreign> nested_elsewhere; ///< no more than objects were asked for
  std::vector<reported_site> call_sites;
};

/// Returns the figures by name, objects and bytes of a count each for itself.
[[nodiscard]] std::vector<named_figure> figures_of(const node_stats& stats);

/// Returns the figure of that name; 0 if there is none.
[[nodiscard]] std::uint64_t figure(const node_report& report, std::string_view name) noexcept;

/// Objects that services describe, each what it knows. The owner begins: it chooses, then adds what
/// their entries say, then what values contain.
///
/// *Bounds*: objects of the node, and of other nodes, by what was asked for each; containers named
/// by `reported_nesting::most_named`; call sites by the objects.
class object_listing {
public:
  object_listing(const ask_report& asked, const incarnation_id& node) : asked_(asked), node_(node) {
    // nop
  }

  [[nodiscard]] const ask_report& asked() const noexcept {
    return asked_;
  }

  /// Keeps the largest. Called once, before all below.
  void consider(const new_reference& known);

  /// REQUIRES: all of `consider` is over.
  void choose();

  [[nodiscard]] const std::vector<new_reference>& chosen() const noexcept {
    return chosen_;
  }

  /// Lists one of those that were chosen.
  void add(const object_entry& entry);

  /// Sorts what the value of `container`, an object of any node, refers to under those that refer
  /// to it. Called once for each container, after all of `add`.
  void add_contents(const object_entry& container);

  /// Returns null for an object that is not listed.
  [[nodiscard]] reported_object* find(std::uint64_t sequence) noexcept;

  /// Returns other nodes' objects that values here refer to.
  [[nodiscard]] std::vector<reported_foreign> take_foreign();

  std::vector<reported_object> objects; ///< by sequence
  std::uint64_t left_out = 0;
  std::vector<reported_site> call_sites;

private:
  using site_key = std::pair<std::string_view, std::uint32_t>; ///< file and line

  [[nodiscard]] std::uint32_t number_of(const call_site& site);
  [[nodiscard]] reported_nesting* nesting_of(const object_id& content);

  ask_report asked_;
  incarnation_id node_;
  void keep_largest();

  std::vector<new_reference> chosen_; ///< by sequence once chosen; before at most twice as many
  std::map<object_id, reported_nesting> foreign_;
  std::map<site_key, std::uint32_t> site_numbers_;
};

/// Makes the types known to systems that run with `config`.
void add_report_messages(caf::actor_system_config& config);

// -- inspection
// -------------------------------------------------------------------------------------

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, ask_report& x) {
  return f(caf::meta::type_name("mobula::ask_report"), x.most_objects, x.only);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, reported_borrower& x) {
  return f(caf::meta::type_name("mobula::reported_borrower"), x.node, x.count);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, reported_nesting& x) {
  return f(caf::meta::type_name("mobula::reported_nesting"), x.references, x.containers, x.named);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, reported_object& x) {
  return f(caf::meta::type_name("mobula::reported_object"), x.sequence, x.size_bytes, x.state,
           x.type, x.views, x.readers, x.transits, x.borrowers, x.local, x.nested, x.call_site);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, reported_foreign& x) {
  return f(caf::meta::type_name("mobula::reported_foreign"), x.object, x.nested);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, reported_site& x) {
  return f(caf::meta::type_name("mobula::reported_site"), x.file, x.function, x.line);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, named_figure& x) {
  return f(caf::meta::type_name("mobula::named_figure"), x.name, x.value);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, reported_gap& x) {
  return f(caf::meta::type_name("mobula::reported_gap"), x.node, x.control, x.reason);
}

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_report& x) {
  return f(caf::meta::type_name("mobula::node_report"), x.incarnation, x.name, x.cluster,
           x.library_version, x.process_id, x.control, x.members, x.unreachable, x.figures,
           x.objects, x.objects_left_out, x.nested_elsewhere, x.call_sites);
}

} // namespace mobula
