// The actor that brings the process heap back below its limit, as `heap_relief` plans it: chooses
// what leaves, sends values to shards, and tells those who wait for space how that ended.

#include "mobula/actors/heap/heap_keeper.hpp"

#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "mobula/actors/caf/actor_timers.hpp"
#include "mobula/actors/caf/spawn_service.hpp"
#include "mobula/actors/messages/heap_messages.hpp"
#include "mobula/actors/messages/service_messages.hpp"
#include "mobula/actors/messages/shard_messages.hpp"
#include "mobula/actors/messages/space_request.hpp"
#include "mobula/actors/messages/stats_request.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/node/service_state.hpp"
#include "mobula/actors/objects/stored_copy.hpp"
#include "mobula/actors/objects/waiting_readers.hpp"
#include "mobula/serialization/counted.hpp"

namespace mobula {

namespace {

heap_relief_config config_of(const node_core& core) {
  heap_relief_config result;
  result.limit_bytes = core.options().heap_limit_bytes;
  return result;
}

/// Feeds the state machine and carries out its effects.
class heap_keeper_state : public service_state<heap_keeper_actor, service_kind::heap_keeper> {
public:
  void init() {
    timers_.attach(self_);
    relief_.emplace(config_of(*core_));
  }

  behavior_type handlers() {
    return {
      counted<&heap_keeper_state::look>(),      counted<&heap_keeper_state::reserve>(),
      counted<&heap_keeper_state::ended>(),     counted<&heap_keeper_state::space_in_store>(),
      uncounted<&heap_keeper_state::collect>(), uncounted<&heap_keeper_state::check>(),
      uncounted<&heap_keeper_state::stop>(),
    };
  }

  // -- events -------------------------------------------------------------------------------------

  void look(look_at_heap) {
    core_->heap_look_begins();
    relief_->looked(used_bytes(), effects_);
    run();
  }

  void reserve(reserve_heap_space& request) {
    waiting_.push_back(std::move(request));
    // Waiters are worth another attempt.
    if (relief_->refused())
      retry_refused();
    relief_->await_space(waiting_.back().bytes, used_bytes(), effects_);
    run();
  }

  void ended(const heap_part_ended& news) {
    count(news.bytes, news.end, news.content == heap_content::value ? left_ : decoded_dropped_);
    relief_->leave_ended(news.bytes, news.end, used_bytes(), effects_);
    // The store may have had space again before anybody knew that this waits for it.
    if (news.end == heap_leave_end::refused
        && !core_->heap_of_values().await_store_free(news.store_frees)) {
      retry_refused();
      relief_->store_has_space(used_bytes(), effects_);
    }
    run();
  }

  void space_in_store(store_has_space) {
    retry_refused();
    relief_->store_has_space(used_bytes(), effects_);
    run();
  }

  void collect(collect_stats& request) {
    auto& stats = request.request->stats;
    const auto& leaving = relief_->leaving();
    stats.leaving_heap += {leaving.objects, leaving.bytes};
    stats.waiting_for_heap += waiting_.size();
    stats.left_heap += left_;
    stats.decoded_dropped += decoded_dropped_;
    stats.heap_refusals += refusals_;
    stats.timers += timers_.size();
    self_->send(core_->shards().front(), std::move(request));
  }

  void check(check_tables) const {
    for (const auto& stripe : core_->stripes())
      stripe.order().check_invariants();
  }

private:
  /// What has left at once; told to the state machine when its question is answered.
  struct immediate_end {
    std::size_t bytes;
    heap_leave_end end;
  };

  void give_up(stall_number number) {
    // There may be space that nobody told of.
    relief_->looked(used_bytes(), effects_);
    carry_out();
    relief_->give_up(number, effects_);
    run();
  }

  [[nodiscard]] std::uint64_t used_bytes() const {
    return core_->heap_of_values().limits().used_bytes();
  }

  void retry_refused() {
    for (auto& stripe : core_->stripes())
      stripe.order().retry_refused();
  }

  static void count(std::size_t bytes, heap_leave_end end, object_count& figure) {
    if (end == heap_leave_end::left)
      figure += {1, bytes};
  }

  // -- effects ------------------------------------------------------------------------------------

  void run() {
    carry_out();
    core_->watch_heap(*relief_);
    // Bytes that were given back before somebody was seen to wait were not told.
    auto awaits = relief_->waiting() > 0;
    if (!std::exchange(awaiting_, awaits) && awaits) {
      relief_->looked(used_bytes(), effects_);
      carry_out();
      core_->watch_heap(*relief_);
      awaiting_ = relief_->waiting() > 0;
    }
  }

  void carry_out() {
    for (std::size_t next = 0; next < effects_.size(); ++next) {
      auto effect = effects_[next];
      std::visit([this](const auto& content) { apply(content); }, effect);
    }
    effects_.clear();
    if (!relief_->stalled())
      timers_.stop(std::exchange(hope_, {}));
    auto watched = std::exchange(watching_, relief_->watches());
    // What stripes were granted ahead of need would let them pass the threshold unseen.
    if (watched && !watching_)
      core_->heap_of_values().limits().take_idle_back();
    if (!watched && watching_)
      begin_spell();
  }

  void begin_spell() {
    watching_ = true;
    for (auto& stripe : core_->stripes())
      stripe.order().begin_spell();
  }

  void apply(const choose_victims& effect) {
    // What leaves at once may end the spell within the event that began it.
    if (!watching_)
      begin_spell();
    object_tally victims;
    std::vector<immediate_end> ends;
    choose(heap_content::decoded, effect, victims, ends);
    if (effect.among == heap_choice::all)
      choose(heap_content::value, effect, victims, ends);
    relief_->chosen(victims, effects_);
    for (const auto& each : ends)
      relief_->leave_ended(each.bytes, each.end, used_bytes(), effects_);
  }

  /// Each stripe in turn, until none has any more.
  void choose(heap_content content, const choose_victims& wanted, object_tally& victims,
              std::vector<immediate_end>& ends) {
    for (std::size_t without = 0; without < entry_stripe::count;) {
      if (victims.bytes >= wanted.bytes || victims.objects >= wanted.max_objects)
        return;
      auto& stripe = core_->stripes()[next_stripe_++ % entry_stripe::count];
      auto victim = stripe.order().take_victim(content);
      if (!victim) {
        ++without;
        continue;
      }
      without = 0;
      victims.add(victim->bytes);
      if (auto end = send_away(stripe, *victim))
        ends.push_back({victim->bytes, *end});
    }
  }

  /// Returns how it ended; nothing if a shard is going to say it.
  std::optional<heap_leave_end> send_away(entry_stripe& stripe, heap_victim& victim) {
    auto& entry = *victim.entry.get();
    auto& copy = *entry.copy();
    if (victim.content == heap_content::decoded)
      return drop_decoded(stripe, victim);
    if (entry.kind() == entry_kind::borrowed)
      return give_up(stripe, entry);
    core_->send_to_shard(copy.shard, take_from_heap{copy_pointer{&copy}, std::move(victim.entry)});
    return std::nullopt;
  }

  /// Its owner can be asked again. First it is forgotten, since it may come back at once.
  std::optional<heap_leave_end> give_up(entry_stripe& stripe, object_entry& entry) {
    auto bytes = entry.copy()->size_bytes;
    stripe.order().leave_ended(entry, heap_content::value, heap_leave_end::left);
    auto end = heap_leave_end::left;
    if (!entry.copy()->place->drop_here(*entry.copy())) {
      end = heap_leave_end::pinned;
      stripe.order().back_in_heap(entry);
    }
    count(bytes, end, left_);
    return end;
  }

  /// A shard decides over the copies that it has.
  std::optional<heap_leave_end> drop_decoded(entry_stripe& stripe, heap_victim& victim) {
    auto& entry = *victim.entry.get();
    auto& copy = *entry.copy();
    auto end = heap_leave_end::left;
    if (in_shard(entry)) {
      core_->send_to_shard(copy.shard, drop_decoded_value{std::move(victim.entry), victim.bytes});
      return std::nullopt;
    }
    if (copy.place == nullptr && !copy.drop_decoded())
      end = heap_leave_end::pinned;
    stripe.order().leave_ended(entry, heap_content::decoded, end);
    count(victim.bytes, end, decoded_dropped_);
    // Readers that came while the copy was closed wait.
    waiting_readers{entry}.restored();
    return end;
  }

  void apply(const wake_heap_waiters&) {
    for (auto& each : std::exchange(waiting_, {}))
      each.request->grant();
  }

  void apply(const report_heap_stall& effect) {
    // That of a stall that ended within the same event.
    timers_.stop(std::exchange(hope_, {}));
    hope_ = timers_.start(core_->options().full_timeout,
                          [this, number = effect.number] { give_up(number); });
  }

  void apply(const refuse_heap_waiters& effect) {
    auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(effect.count);
    for (auto each = waiting_.begin(); each != end; ++each) {
      ++refusals_;
      each->request->refuse(full_error(each->bytes));
    }
    waiting_.erase(waiting_.begin(), end);
  }

  [[nodiscard]] error_info full_error(std::uint64_t bytes) const {
    const auto& options = core_->options();
    auto why = relief_->refused()
                 ? fmt::format("the store of {} bytes has no space for those that could move there",
                               options.store_size_bytes)
                 : fmt::format("none can move into the store: values of less than {} bytes stay as "
                               "long as there are references to them, larger ones while views pin "
                               "them",
                               least_movable_bytes);
    return {.type = error_type::store_full,
            .message = fmt::format(
              "no space for a value of {} in the process heap: values take "
              "{} of the {} bytes that mobula.heap-limit allows, and {}; let go "
              "of references and views, raise mobula.heap-limit{}",
              mobula::counted(bytes, "byte"), used_bytes(), options.heap_limit_bytes, why,
              relief_->refused() ? " or mobula.store-size, or set "
                                   "mobula.spill-dirs"
                                 : ""),
            .origin = core_->origin()};
  }

  std::optional<heap_relief> relief_;
  heap_effects effects_;
  std::vector<reserve_heap_space> waiting_;
  actor_timers timers_;
  deadline hope_; ///< of those who wait in a stall
  std::size_t next_stripe_ = 0;
  bool watching_ = false;
  bool awaiting_ = false;
  object_count left_;
  object_count decoded_dropped_;
  std::uint64_t refusals_ = 0;
};

} // namespace

heap_keeper_actor spawn_heap_keeper(node_core& core) {
  return start_service<heap_keeper_state>(core);
}

} // namespace mobula
