// The actor that speaks for a node: hands each message to the membership, the reference exchange or
// the names, tells each what the others have heard, looks for owners and answers reports.

#include "mobula/actors/cluster/cluster_actor.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "mobula/actors/caf/caf_error.hpp"
#include "mobula/actors/caf/caf_log.hpp"
#include "mobula/actors/caf/remote_actors.hpp"
#include "mobula/actors/caf/spawn_service.hpp"
#include "mobula/actors/exchange/reference_exchange.hpp"
#include "mobula/actors/names/name_service.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/node/receiving_node.hpp"
#include "mobula/actors/protocol/membership/address_choice.hpp"
#include "mobula/actors/protocol/membership/owner_search.hpp"
#include "mobula/actors/reports/process_memory.hpp"
#include "mobula/version.hpp"

namespace mobula {

namespace {

/// Longer than the larger incarnation of a pair waits before it dials, and than a dial takes where
/// there is somebody: who is vouched for when a round begins usually has a session at its end.
constexpr auto search_round = std::chrono::seconds{1};

/// Reports under way at once; more are refused.
constexpr std::size_t max_reports = 64;

/// Objects in one report: a few megabytes.
constexpr std::uint64_t max_reported_objects = 20'000;

/// Owns a membership and an exchange, tells the one what the other needs, and lets owners be found.
class cluster_state : public owner_finder, public member_listener {
public:
  using self_pointer = cluster_actor::pointer;

  cluster_state() = default;

  ~cluster_state() override {
    if (!core_)
      return;
    // Whatever ends this actor: from here on nothing passes the gateway.
    receiving_nodes::delist(*core_);
    names.stop();
    exchange.stop();
    core_->service_stopped(service_kind::cluster);
  }

  void init(node_core& core, self_pointer self) {
    core_ = core_pointer{&core};
    self_ = self;
    guard_service(*self, core, service_kind::cluster);
    nodes.attach(self, dialect_of(core.options().cluster), *this);
    timers_.attach(self);
    exchange.attach(self, core, *this);
    names.attach(self, core);
  }

  // -- membership ---------------------------------------------------------------------------------

  void member_joined(const node_record& record, session_id session,
                     const caf::strong_actor_ptr& peer) override {
    search_.found(record.incarnation);
    if (search_.idle())
      timers_.stop(round_timer_);
    session_opened({record.incarnation, session}, peer,
                   {.arena = {.host = record.host, .path = record.arena_path},
                    .data = endpoint_from_here(record)});
    find_remote_address(*self_, peer->node(), [this, node = record.incarnation](auto& address) {
      caf::anon_send(core_->transfers(), source_speaks_at{node, address});
    });
    watchers.joined({record, session, peer->node()});
  }

  void member_left(const incarnation_id& incarnation, session_id session, departure why) override {
    session_closed({incarnation, session});
    watchers.left(incarnation, why);
  }

  void member_unreachable(const std::string& text) override {
    log_warning(text);
  }

  void node_refused(const std::string& text) override {
    log_warning("refused a node: " + text);
  }

  void message_ignored(const std::string& text) override {
    log_warning("ignored " + text);
  }

  void end(const end_membership& message) {
    core_->count_message();
    nodes.leave();
    names.stop();
    message.done->set_value();
  }

  // -- sessions -----------------------------------------------------------------------------------

  void session_opened(const peer_session& peer, const caf::strong_actor_ptr& handle,
                      const peer_addresses& addresses) {
    exchange.session_opened(peer, handle, addresses);
    names.session_opened(peer, handle);
  }

  void session_closed(const peer_session& peer) {
    exchange.session_closed(peer);
    names.session_closed(peer);
  }

  // -- owners -------------------------------------------------------------------------------------

  void find_owner(const incarnation_id& owner) override {
    if (finder_)
      caf::anon_send(finder_, mobula::find_owner{core_->incarnation(), owner});
    else if (nodes.table() == nullptr || nodes.table()->has_left())
      self_->send(self_, owner_not_found{owner});
    else if (search_.begin(owner))
      start_round();
  }

  void set_finder(const ask_for_owners& message) {
    core_->count_message();
    finder_ = message.finder;
  }

  void round_over() {
    core_->count_message();
    auto given_up = search_.round_over(
      [this](const auto& owner) { return nodes.table()->is_vouched_for(owner); });
    // First: what is given up makes the exchange look further, and that may begin a search.
    if (!search_.idle())
      start_round();
    for (const auto& owner : given_up)
      exchange.owner_unreachable(owner);
  }

  // -- the node -----------------------------------------------------------------------------------

  void collect(collect_stats& request) {
    exchange.turn();
    exchange.add_figures(request.request->stats);
    request.request->stats.timers += timers_.size() + nodes.timers() + names.timers();
    self_->send(core_->transfers(), std::move(request));
  }

  caf::result<node_report> report(const ask_report& question) {
    if (reports_.size() >= max_reports)
      return to_caf_error({.type = error_type::store_full,
                           .message = fmt::format("this node is at work on {} reports already; ask "
                                                  "again later",
                                                  reports_.size()),
                           .origin = core_->origin()});
    auto promise = self_->make_response_promise<node_report>();
    auto number = ++last_report_;
    reports_.emplace(number, promise);
    collect_stats request{std::make_shared<stats_request>(
      [myself = cluster_actor{self_}, number](stats_request& ended) {
        auto objects = std::make_shared<object_listing>(*std::move(ended.objects));
        caf::anon_send(myself, report_collected{number, ended.stats, std::move(objects)});
      })};
    auto bounded = question;
    bounded.max_objects = std::min(question.max_objects, max_reported_objects);
    exchange.turn();
    exchange.count_references(request.request->objects.emplace(bounded, core_->incarnation()));
    collect(request);
    return promise;
  }

  void answer_report(report_collected& answers) {
    auto asked = reports_.extract(answers.number);
    if (asked.empty())
      return;
    exchange.describe(*answers.objects);
    names.describe(*answers.objects);
    core_->complete(answers.stats);
    node_report result{.incarnation = core_->incarnation(),
                       .name = {},
                       .cluster = core_->options().cluster,
                       .library_version = MOBULA_VERSION_STRING,
                       .process_id = ::getpid(),
                       .control = {},
                       .members = {},
                       .unreachable = {},
                       .figures = figures_of(answers.stats),
                       .objects = std::move(answers.objects->objects),
                       .objects_left_out = answers.objects->left_out,
                       .nested_elsewhere = answers.objects->take_nested_elsewhere(),
                       .call_sites = std::move(answers.objects->call_sites),
                       .pinned_only = std::move(answers.objects->pinned_only),
                       .groups = answers.objects->take_groups()};
    add_process_figures(result.figures);
    nodes.describe(result);
    asked.mapped().deliver(std::move(result));
  }

  void stop() {
    // Nobody would answer them any more, and CAF tells nobody of a promise that is dropped.
    for (auto& [number, promise] : std::exchange(reports_, {}))
      promise.deliver(to_caf_error(core_->shutting_down_error()));
    receiving_nodes::delist(*core_);
    nodes.leave();
    names.stop();
    exchange.stop();
    self_->quit();
  }

  /// Counts a message and hands it to the exchange.
  template <class Message>
  void receive(Message& message) {
    core_->count_message();
    exchange.received(message);
  }

  void count() {
    core_->count_message();
  }

  /// The same for the membership.
  template <class Message>
  void member_message(const Message& message) {
    core_->count_message();
    nodes.received(message);
  }

  template <class F>
  void member_event(F&& f) {
    core_->count_message();
    f(nodes);
  }

  template <class F>
  void event(F&& f) {
    core_->count_message();
    f(exchange);
  }

  template <class F>
  void name_event(F&& f) {
    core_->count_message();
    f(names);
  }

  void check() const {
    exchange.check_invariants();
    names.check_invariants();
  }

  membership nodes;
  reference_exchange exchange;
  name_service names;
  member_watchers watchers;

private:
  /// Leaves out addresses that lead nowhere from this host.
  [[nodiscard]] data_endpoint endpoint_from_here(const node_record& record) const {
    auto result = record.data;
    if (record.host.boot_id != core_->own_arena().host.boot_id)
      result.where = without_loopback(std::move(result.where));
    return result;
  }

  void start_round() {
    round_timer_ = timers_.start(search_round, [this] { round_over(); });
  }

  core_pointer core_;
  self_pointer self_ = nullptr;
  owner_search search_;
  actor_timers timers_;
  deadline round_timer_; ///< runs while owners are searched for
  std::map<std::uint64_t, caf::typed_response_promise<node_report>> reports_; ///< under way
  std::uint64_t last_report_ = 0;
  caf::actor finder_; ///< the simulated network, if there is one
};

cluster_actor::behavior_type cluster(cluster_actor::stateful_pointer<cluster_state> self,
                                     node_core* core) {
  auto& state = self->state;
  state.init(*core, self);
  self->set_down_handler([&state](const caf::down_msg& message) {
    state.member_event([&](auto& nodes) { nodes.down(message); });
  });
  return {
    [&state](const ask_report& question) { return state.report(question); },
    [&state](const hello_envelope& message) { state.member_message(message); },
    [&state](const welcome& message) { state.member_message(message); },
    [&state](const crossed& message) { state.member_message(message); },
    [&state](const already_connected& message) { state.member_message(message); },
    [&state](const refused& message) { state.member_message(message); },
    [&state](const members_changed& message) { state.member_message(message); },
    [&state](const session_over& message) { state.member_message(message); },
    [&state](const leave_cluster& message) { state.member_message(message); },
    [&state](const borrow_references& message) { state.receive(message); },
    [&state](const references_confirmed& message) { state.receive(message); },
    [&state](const transits_ended& message) { state.receive(message); },
    [&state](const return_references& message) { state.receive(message); },
    [&state](const pass_barrier& message) { state.receive(message); },
    [&state](const barrier_passed& message) { state.receive(message); },
    [&state](const request_objects& message) { state.receive(message); },
    [&state](object_replies& message) { state.receive(message); },
    [&state](const objects_unpinned& message) { state.receive(message); },
    [&state](const report_copies& message) { state.receive(message); },
    [&state](const free_objects& message) { state.receive(message); },
    [&state](const keep_objects& message) { state.receive(message); },
    [&state](const objects_kept& message) { state.receive(message); },
    [&state](const names_changed& message) {
      state.name_event([&](auto& names) { names.received(message); });
    },
    [&state](const find_name& message) {
      state.name_event([&](auto& names) { names.received(message); });
    },
    [&state](name_found& message) {
      state.name_event([&](auto& names) { names.received(message); });
    },
    [&state](const begin_membership& message) {
      state.member_event([&](auto& nodes) { nodes.begin(message); });
    },
    [&state](const join_through& message) {
      state.member_event([&](auto& nodes) { nodes.join(message); });
    },
    [&state](const list_members& message) {
      state.member_event([&](auto& nodes) { nodes.list(message); });
    },
    [&state](const watch_members& message) {
      state.count();
      state.watchers.add(message);
    },
    [&state](const dial_connected& message) {
      state.member_event([&](auto& nodes) { nodes.dial_connected(message); });
    },
    [&state](const dial_ended& message) {
      state.member_event([&](auto& nodes) { nodes.dial_done(message); });
    },
    [&state](const end_membership& message) { state.end(message); },
    [&state](const owner_not_found& message) {
      state.event([&](auto& exchange) { exchange.owner_unreachable(message.owner); });
    },
    [&state](report_collected& answers) { state.answer_report(answers); },
    [&state](gateway_event_noted) { state.event([](auto& exchange) { exchange.turn(); }); },
    [&state](const borrowed_unpinned& message) {
      state.event([&](auto& exchange) { exchange.borrowed_unpinned(message.object); });
    },
    [&state](const pull_ended& message) {
      state.event([&](auto& exchange) { exchange.pull_ended(message); });
    },
    [&state](const copy_evicted& message) {
      state.event([&](auto& exchange) { exchange.copy_evicted(message); });
    },
    [&state](const drain_values& message) {
      state.event([&](auto& exchange) { exchange.drain(message); });
    },
    [&state](const keep_ready& message) {
      state.event([&](auto& exchange) { exchange.value_ready_to_keep(message); });
    },
    [&state](reports_due) { state.event([](auto& exchange) { exchange.send_reports(); }); },
    [&state](collect_stats& request) { state.collect(request); },
    [&state](check_tables) { state.check(); },
    [&state](shut_down) { state.stop(); },
    [&state](const publish_name& message) {
      state.name_event([&](auto& names) { names.publish(message); });
    },
    [&state](const unpublish_name& message) {
      state.name_event([&](auto& names) { names.unpublish(message); });
    },
    [&state](const lookup_name& message) {
      state.name_event([&](auto& names) { names.lookup(message); });
    },
    [&state](const session_opened& message) {
      state.count();
      state.session_opened(message.peer, message.handle, message.addresses);
    },
    [&state](const session_closed& message) {
      state.count();
      state.session_closed(message.peer);
    },
    [&state](const ask_for_owners& message) { state.set_finder(message); },
  };
}

} // namespace

cluster_actor spawn_cluster(node_core& core) {
  return spawn_service(core.system(), cluster, &core);
}

} // namespace mobula
