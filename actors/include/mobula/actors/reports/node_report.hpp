#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <caf/actor_system_config.hpp>

#include "mobula/actors/caf/message_type.hpp"
#include "mobula/actors/objects/entry_stripe.hpp"
#include "mobula/actors/reports/node_stats.hpp"
#include "mobula/actors/wire/cluster_messages.hpp"
#include "mobula/store/arena/pin_word.hpp"

/// What a node tells of itself to people and their programs: the `mobula` command asks any node
/// that listens, without joining its cluster.

namespace mobula {

/// Which objects a node lists if it has more than it is asked for.
enum class reported_order : std::uint8_t {
  size = 0,       ///< the largest
  references = 1, ///< those with the most references
  age = 2,        ///< the oldest
};

/// What a node sums its objects by.
enum class reported_grouping : std::uint8_t {
  none = 0, ///< no sums
  node = 1, ///< one sum
  type = 2,
  state = 3,
  call_site = 4,
};

/// Asks a node for a report. Anybody who can connect may ask; it changes nothing.
struct ask_report {
  /// So many objects, the first in `order`; 0: none.
  std::uint64_t max_objects = 0;

  /// If not empty: this object and no other, whosever it is.
  object_id only;

  reported_order order = reported_order::size;

  /// Sums are over all objects of the node, whatever is listed.
  reported_grouping grouping = reported_grouping::none;
};

/// A node that holds references to another's object, and how many arrived there.
struct reported_borrower {
  incarnation_id node;
  std::uint32_t count = 0;
};

/// A lost node whose references are kept for a while, since others may have got them from there.
struct reported_lost_holder {
  incarnation_id node;
  std::uint32_t count = 0;
  std::uint64_t left_ms = 0; ///< until they are let go
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

/// What is known of the last use of a value. Readers leave no time: that would cost each of them.
/// They leave a number that changes with each report and whenever the store makes space, so that a
/// report can say of a value in the store how many of the former ones have come since it was read.
enum class reported_use : std::uint8_t {
  unknown = 0, ///< there is no value, or it is in the process heap
  never = 1,   ///< not since it was made, or came back from disk
  read = 2,
};

[[nodiscard]] std::string_view to_string(reported_use use) noexcept;

/// From when on readers left this number.
struct use_period {
  use_stamp first{};
  std::uint32_t age_s = 0;
};

/// The references to one object inside of the values in one process.
struct reported_nesting {
  /// Named in a report are no more than so many of the objects that contain a reference.
  static constexpr std::size_t max_named = 8;

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
  std::uint32_t views = 0;                     ///< that pin the value in its owner's process
  std::uint32_t readers = 0;                   ///< other processes of the host that do
  std::vector<std::uint64_t> reader_processes; ///< as these call themselves
  std::uint32_t transits = 0; ///< references in messages whose receiver is not known yet
  std::vector<reported_borrower> borrowers;
  std::vector<reported_lost_holder> lost_holders;
  std::uint32_t local = 0; ///< references in the owner's process outside of any value
  reported_nesting nested; ///< and inside of values
  /// Its place in `node_report::call_sites`, from 1 on; 0: not recorded.
  std::uint32_t call_site = 0;

  /// Seconds since the owner heard of the object, which is soon after it was made.
  std::uint32_t age_s = 0;

  reported_use use = reported_use::unknown;

  /// If it has been read: not for so many seconds, and maybe longer.
  std::uint32_t unused_s = 0;

  /// Names that stand for it in the cluster, no more than `reported_nesting::max_named`.
  std::vector<std::string> names;

  /// Why it has no value, the beginning of it, if it has failed.
  std::string error;

  [[nodiscard]] bool pinned() const noexcept {
    return views > 0 || readers > 0;
  }

  /// Returns how many references there are, those of lost nodes included.
  [[nodiscard]] std::uint64_t references() const noexcept;
};

/// Another node's object to which values in the reporting node's process refer.
struct reported_nested_elsewhere {
  object_id object;
  reported_nesting nested;
};

/// The sum over all objects of a node that have something in common.
struct reported_group {
  std::string name; ///< a type, a state or a file; empty if the objects have none
  std::uint32_t line = 0;
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
  std::uint64_t references = 0;
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
  std::vector<reported_nested_elsewhere> nested_elsewhere; ///< no more than objects were asked for
  std::vector<reported_site> call_sites;

  /// Stored objects without any reference, whose memory stays as long as views pin it: no more than
  /// objects were asked for, in no particular order. They are in no sum but that by state.
  std::vector<reported_object> pinned_only;

  /// If sums were asked for. No more than `object_listing::max_groups`; the last one of so many is
  /// that of all the others.
  std::vector<reported_group> groups;
};

/// Returns the figures by name, objects and bytes of a count each for itself.
[[nodiscard]] std::vector<named_figure> figures_of(const node_stats& stats);

/// Returns the figure of that name; 0 if there is none.
[[nodiscard]] std::uint64_t figure(const node_report& report, std::string_view name) noexcept;

/// Objects that services describe, each what it knows. The cluster actor begins, with what other
/// nodes hold, if that is asked for. The owner then chooses, and adds what entries say and values
/// contain. Sums need a look at each object, and so does the order by references; all else needs a
/// look at those that are listed.
///
/// *Bounds*: objects of the node, and of other nodes, by what was asked for each; containers named
/// by `reported_nesting::max_named`; call sites by the objects; sums by `max_groups`.
class object_listing {
public:
  static constexpr std::size_t max_groups = 4096;

  object_listing(const ask_report& asked, const incarnation_id& node) : asked_(asked), node_(node) {
    // nop
  }

  [[nodiscard]] const ask_report& asked() const noexcept {
    return asked_;
  }

  // -- all objects --------------------------------------------------------------------------------

  /// Whether `consider` and `sum` need to know what other nodes hold.
  [[nodiscard]] bool counts_references() const noexcept {
    return asked_.order == reported_order::references || asked_.grouping != reported_grouping::none;
  }

  /// Other nodes, or messages to them, hold so many references to an own object; so many handles of
  /// its entry are kept for them and are no references. Called before all below; adds up.
  void held_elsewhere(std::uint64_t sequence, std::uint64_t references, std::uint32_t kept);

  /// Returns all references to an own object, as far as `held_elsewhere` told of others.
  [[nodiscard]] std::uint64_t references_to(const object_entry& entry) const;

  /// Keeps those that come first in order: by `key`, largest first.
  void consider(const object_record& known, std::uint64_t key);

  /// Adds an object to the sums. REQUIRES: sums are asked for.
  void sum(const object_entry& entry);

  /// One that was added has its bytes on disk only.
  void sum_is_on_disk(const object_entry& entry);

  /// REQUIRES: all of `consider` is over.
  void choose();

  [[nodiscard]] const std::vector<object_record>& chosen() const noexcept {
    return chosen_;
  }

  // -- those that are listed ----------------------------------------------------------------------

  /// Lists one of those that were chosen.
  void add(const object_entry& entry, std::uint32_t age_s);

  /// What pins an object: views in its owner's process, and other processes.
  struct pins {
    std::uint32_t views = 0;
    std::vector<std::uint64_t> processes;
  };

  /// What the last reader of a listed object left.
  void add_use(reported_object& listed, use_stamp last) const;

  /// Lists one that only views keep. It has been considered by nobody.
  void add_pinned_only(const object_entry& entry, std::uint64_t size_bytes, pins by);

  /// Sorts what the value of `container`, an object of any node, refers to under those that refer
  /// to it. Called once for each container, after all of `add`.
  void add_contents(const object_entry& container);

  /// Returns null for an object that is not listed.
  [[nodiscard]] reported_object* find(std::uint64_t sequence) noexcept;

  /// Returns other nodes' objects that values here refer to.
  [[nodiscard]] std::vector<reported_nested_elsewhere> take_nested_elsewhere();

  [[nodiscard]] std::vector<reported_group> take_groups();

  std::vector<reported_object> objects; ///< by sequence
  std::vector<reported_object> pinned_only;
  std::vector<use_period> periods; ///< of the store, the oldest first
  std::uint64_t left_out = 0;
  std::vector<reported_site> call_sites;

private:
  using site_key = std::pair<std::string_view, std::uint32_t>; ///< file and line

  struct candidate {
    object_record known;
    std::uint64_t key = 0;
  };

  struct elsewhere {
    std::uint64_t references = 0;
    std::uint32_t kept = 0;
  };

  [[nodiscard]] reported_object describe(const object_entry& entry);
  [[nodiscard]] std::uint32_t number_of(const call_site& site);
  [[nodiscard]] reported_nesting* nesting_of(const object_id& content);
  [[nodiscard]] site_key group_key(const object_entry& entry) const;
  [[nodiscard]] reported_group& group_of(const site_key& key);
  void keep_first();

  ask_report asked_;
  incarnation_id node_;
  std::vector<candidate> candidates_; ///< at most twice as many as were asked for
  std::vector<object_record> chosen_; ///< by sequence
  std::unordered_map<std::uint64_t, elsewhere> elsewhere_;
  std::map<site_key, reported_group> groups_; ///< keys of sums by line; others have line 0
  std::map<object_id, reported_nesting> nested_elsewhere_;
  std::map<site_key, std::uint32_t> site_numbers_;
};

/// Makes the types known to systems that run with `config`.
void add_report_messages(caf::actor_system_config& config);

// -- inspection -----------------------------------------------------------------------------------

MOBULA_MESSAGE(mobula::ask_report, max_objects, only, order, grouping)
MOBULA_MESSAGE(mobula::reported_borrower, node, count)
MOBULA_MESSAGE(mobula::reported_lost_holder, node, count, left_ms)
MOBULA_MESSAGE(mobula::reported_group, name, line, objects, bytes, references)
MOBULA_MESSAGE(mobula::reported_nesting, references, containers, named)
MOBULA_MESSAGE(mobula::reported_object, sequence, size_bytes, state, type, views, readers,
               reader_processes, transits, borrowers, lost_holders, local, nested, call_site, age_s,
               use, unused_s, names, error)
MOBULA_MESSAGE(mobula::reported_nested_elsewhere, object, nested)
MOBULA_MESSAGE(mobula::reported_site, file, function, line)
MOBULA_MESSAGE(mobula::named_figure, name, value)
MOBULA_MESSAGE(mobula::reported_gap, node, control, reason)
MOBULA_MESSAGE(mobula::node_report, incarnation, name, cluster, library_version, process_id,
               control, members, unreachable, figures, objects, objects_left_out, nested_elsewhere,
               call_sites, pinned_only, groups)

} // namespace mobula
