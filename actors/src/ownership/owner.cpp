// The actor that knows the objects that this node made: feeds the owner table, frees what nobody
// refers to any more, has shards free what they hold, and lists objects for reports.

#include "mobula/actors/ownership/owner.hpp"

#include <chrono>
#include <limits>
#include <utility>

#include "mobula/actors/caf/spawn_service.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/protocol/ownership/owner_table.hpp"

namespace mobula {

namespace {

/// Feeds the owner table and carries out its effects.
class owner_state {
public:
  using self_pointer = owner_actor::pointer;

  owner_state() = default;

  ~owner_state() {
    if (core_)
      core_->service_stopped(service_kind::owner);
  }

  void init(node_core& core, self_pointer self) {
    core_ = core_pointer{&core};
    self_ = self;
    start_ = core.now();
    guard_service(*self, core, service_kind::owner);
  }

  void add(const add_references& message) {
    core_->count_message();
    // One look at the clock for all of them, and none where objects are made.
    auto now = seconds();
    for (auto reference : message.references) {
      reference.reported_at_s = now;
      table_.add_reference(reference);
    }
  }

  void seal(const seal_objects& message) {
    core_->count_message();
    for (const auto& object : message.objects)
      table_.object_sealed(object);
  }

  void remove(remove_references& message) {
    core_->count_message();
    // Releasing the tokens frees inline values, and may drop references nested in them.
    auto tokens = std::move(*message.tokens);
    for (auto& token : tokens)
      if (table_.remove_reference(token->sequence()) != owner_table::effect::nothing
          && token->in_shard())
        core_->release_stored(std::move(token));
  }

  void collect(collect_stats& request) {
    table_.add_figures(request.request->stats);
    if (auto& listing = request.request->objects)
      describe(*listing);
    self_->send(core_->heap_keeper(), std::move(request));
  }

  void stop() {
    self_->quit();
  }

  void check() const {
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

  core_pointer core_;
  self_pointer self_ = nullptr;
  caf_clock::time_point start_;
  owner_table table_;
};

owner_actor::behavior_type owner(owner_actor::stateful_pointer<owner_state> self, node_core* core) {
  auto& state = self->state;
  state.init(*core, self);
  return {
    [&state](const add_references& message) { state.add(message); },
    [&state](const seal_objects& message) { state.seal(message); },
    [&state](remove_references& message) { state.remove(message); },
    [&state](collect_stats& request) { state.collect(request); },
    [&state](check_tables) { state.check(); },
    [&state](shut_down) { state.stop(); },
  };
}

} // namespace

owner_actor spawn_owner(node_core& core) {
  return core.start_counted(service_kind::owner,
                            [&] { return spawn_service(core.system(), owner, &core); });
}

} // namespace mobula
