// The actor that knows the objects that this node made: feeds the owner table, frees what nobody
// refers to any more, has shards free what they hold, and lists objects for reports.

#include "mobula/actors/ownership/owner.hpp"

#include <chrono>
#include <limits>
#include <utility>

#include "mobula/actors/caf/caf_clock.hpp"
#include "mobula/actors/caf/spawn_service.hpp"
#include "mobula/actors/messages/owner_messages.hpp"
#include "mobula/actors/messages/service_messages.hpp"
#include "mobula/actors/messages/stats_request.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/node/service_state.hpp"
#include "mobula/actors/protocol/ownership/owner_table.hpp"

namespace mobula {

namespace {

void add_figures(const owner_table& table, node_stats& stats) {
  owner_figures figures;
  table.add_figures(figures);
  stats.owned += figures.owned;
  stats.pending_objects += figures.pending_objects;
  stats.inline_values += figures.inline_values;
  stats.failed_objects += figures.failed_objects;
  stats.stored += figures.stored;
  stats.references += figures.references;
  stats.references_added += figures.references_added;
  stats.references_removed += figures.references_removed;
}

/// Feeds the owner table and carries out its effects.
class owner_state : public service_state<owner_actor, service_kind::owner> {
public:
  void init() {
    start_ = core_->now();
  }

  behavior_type handlers() {
    return {
      counted<&owner_state::add>(),     counted<&owner_state::seal>(),
      counted<&owner_state::remove>(),  uncounted<&owner_state::collect>(),
      uncounted<&owner_state::check>(), uncounted<&owner_state::stop>(),
    };
  }

  void add(const add_references& message) {
    // One look at the clock for all of them, and none where objects are made.
    auto now = seconds();
    for (auto reference : message.references) {
      reference.reported_at_s = now;
      table_.add_reference(reference);
    }
  }

  void seal(const seal_objects& message) {
    for (const auto& object : message.objects)
      table_.object_sealed(object);
  }

  void remove(remove_references& message) {
    // Releasing the tokens frees inline values, and may drop references nested in them.
    auto tokens = std::move(*message.tokens);
    for (auto& token : tokens)
      if (table_.remove_reference(token->sequence()) != owner_table::effect::nothing
          && in_shard(*token))
        core_->release_stored(std::move(token));
  }

  void collect(collect_stats& request) {
    add_figures(table_, request.request->stats);
    if (auto& listing = request.request->objects)
      describe(*listing);
    self_->send(core_->heap_keeper(), std::move(request));
  }

  void check(check_tables) const {
    table_.check_invariants();
  }

private:
  void describe(object_listing& listing) const {
    if (listing.asked().grouping != reported_grouping::none)
      table_.for_each([&](const object_record& object) {
        look_at(object, [&](const object_entry& entry) { listing.sum(entry); });
      });
    if (listing.asked().max_objects == 0)
      return;
    consider_known(listing);
    listing.choose();
    auto now = seconds();
    for (const auto& object : listing.chosen())
      look_at(object,
              [&](const object_entry& entry) { listing.add(entry, now - object.reported_at_s); });
    table_.for_each([&](const object_record& object) {
      if (object.content == object_content::references)
        look_at(object, [&](const object_entry& entry) { listing.add_contents(entry); });
    });
    core_->gateway().for_each_borrowed(
      [&](const object_entry& entry) { listing.add_contents(entry); });
  }

  void consider_known(object_listing& listing) const {
    auto consider = [&](const object_record& object) {
      listing.consider(object, key_of(object, listing));
    };
    if (const auto& one = listing.asked().only; one.empty())
      table_.for_each(consider);
    else if (auto known = table_.find(one.sequence); known && one.owner == core_->incarnation())
      consider(*known);
  }

  /// What comes first has the largest key.
  std::uint64_t key_of(const object_record& object, const object_listing& listing) const {
    switch (listing.asked().order) {
      case reported_order::references: {
        std::uint64_t references = 0;
        look_at(object,
                [&](const object_entry& entry) { references = listing.references_to(entry); });
        return references;
      }
      case reported_order::age:
        return std::numeric_limits<std::uint32_t>::max() - object.reported_at_s;
      case reported_order::size:
        break;
    }
    return object.size_bytes;
  }

  /// Since the owner began.
  std::uint32_t seconds() const {
    return static_cast<std::uint32_t>((core_->now() - start_) / std::chrono::seconds{1});
  }

  template <class F>
  void look_at(const object_record& object, F&& f) const {
    core_->stripes()[entry_stripe::index_of(object.sequence)].look_at(*object.entry,
                                                                      std::forward<F>(f));
  }

  caf_clock::time_point start_;
  owner_table table_;
};

} // namespace

owner_actor spawn_owner(node_core& core) {
  return start_service<owner_state>(core);
}

} // namespace mobula
