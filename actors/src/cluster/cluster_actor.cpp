// The actor that speaks for a node: hands each message to the part that it is for (the membership,
// the reference exchange, the names), and tells each what the others have heard.

#include "mobula/actors/cluster/cluster_actor.hpp"

#include <tuple>
#include <utility>

#include "mobula/actors/caf/caf_error.hpp"
#include "mobula/actors/caf/caf_log.hpp"
#include "mobula/actors/caf/remote_actors.hpp"
#include "mobula/actors/caf/spawn_service.hpp"
#include "mobula/actors/cluster/owner_seeker.hpp"
#include "mobula/actors/cluster/report_desk.hpp"
#include "mobula/actors/exchange/exchange_host.hpp"
#include "mobula/actors/exchange/reference_exchange.hpp"
#include "mobula/actors/membership/member_watchers.hpp"
#include "mobula/actors/membership/membership.hpp"
#include "mobula/actors/messages/cluster_requests.hpp"
#include "mobula/actors/messages/service_messages.hpp"
#include "mobula/actors/messages/transfer_messages.hpp"
#include "mobula/actors/names/name_service.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/node/receiving_node.hpp"
#include "mobula/actors/node/service_state.hpp"
#include "mobula/actors/protocol/membership/address_choice.hpp"
#include "mobula/actors/reports/node_report.hpp"
#include "mobula/actors/wire/name_messages.hpp"
#include "mobula/actors/wire/peer_messages.hpp"

namespace mobula {

namespace {

/// Owns a membership, an exchange and the names, tells each what it needs of the others, and lets
/// owners be found.
class cluster_state : public service_state<cluster_actor, service_kind::cluster>,
                      public exchange_host,
                      public member_listener {
public:
  void init() {
    nodes.attach(self_, dialect_of(core_->options().cluster), *this);
    owners.attach(self_, *core_, nodes, [this](const auto& owner) { owner_unreachable(owner); });
    exchange.attach(self_, *core_, *this);
    names.attach(self_, *core_);
    reports.attach(self_, *core_);
  }

  /// From here on nothing passes the gateway.
  void end() {
    receiving_nodes::delist(*core_);
    names.stop();
    exchange.stop();
  }

  behavior_type handlers();

  // -- events -------------------------------------------------------------------------------------

  void count() {
    core_->count_message();
  }

  /// All that happens to the exchange passes here; several times within one event of this actor, if
  /// it begins or ends several sessions. The tables must know first what threads have serialized
  /// and deserialized before.
  template <class F>
  auto exchange_event(F&& f) {
    exchange.turn();
    return f();
  }

  using service_state::counted;

  /// As `counted`, for parts that receive several messages.
  template <class Message, class Part>
  [[nodiscard]] auto received_by(Part& part) {
    return [this, &part](Message message) {
      count();
      part.received(message);
    };
  }

  /// As `counted`, for the exchange, with a turn before.
  template <class Message>
  [[nodiscard]] auto after_turn(void (reference_exchange::*handler)(Message)) {
    return [this, handler](Message message) {
      count();
      exchange_event([&] { (exchange.*handler)(message); });
    };
  }

  // -- for the exchange ---------------------------------------------------------------------------

  void find_owner(const incarnation_id& owner) override {
    owners.find_owner(owner);
  }

  void timer_ended(const std::function<void()>& event) override {
    count();
    exchange_event(event);
  }

  void owner_unreachable(const incarnation_id& owner) {
    exchange_event([&] { exchange.owner_unreachable(owner); });
  }

  void owner_not_found(const mobula::owner_not_found& message) {
    owner_unreachable(message.owner);
  }

  // -- for the membership -------------------------------------------------------------------------

  void member_joined(const node_record& record, session_id session,
                     const caf::strong_actor_ptr& peer) override {
    owners.found(record.incarnation);
    open_session({.peer = {record.incarnation, session},
                  .handle = peer,
                  .addresses = {.arena = {.host = record.host, .path = record.arena_path},
                                .data = endpoint_from_here(record)}});
    find_remote_address(*self_, peer->node(), [this, node = record.incarnation](auto& address) {
      caf::anon_send(core_->transfers(), source_speaks_at{node, address});
    });
    watchers.joined({record, session, peer->node()});
  }

  void member_left(const incarnation_id& incarnation, session_id session, departure why) override {
    close_session({.peer = {incarnation, session}});
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

  // -- sessions -----------------------------------------------------------------------------------

  void open_session(const session_opened& opened) {
    exchange_event([&] { exchange.session_opened(opened.peer, opened.handle, opened.addresses); });
    names.session_opened(opened.peer, opened.handle);
  }

  void close_session(const session_closed& closed) {
    exchange_event([&] { exchange.session_closed(closed.peer); });
    names.session_closed(closed.peer);
  }

  // -- the node -----------------------------------------------------------------------------------

  void end_membership(const mobula::end_membership& message) {
    nodes.leave();
    names.stop();
    message.done->set_value();
  }

  void stop() {
    reports.stop();
    receiving_nodes::delist(*core_);
    nodes.leave();
    names.stop();
    exchange.stop();
    self_->quit();
  }

  void check() const {
    exchange.check_invariants();
    names.check_invariants();
  }

  membership nodes;
  reference_exchange exchange;
  name_service names;
  member_watchers watchers;
  owner_seeker owners;
  report_desk reports{reported_parts{nodes, exchange, names, owners}};

private:
  /// Leaves out addresses that lead nowhere from this host.
  [[nodiscard]] data_endpoint endpoint_from_here(const node_record& record) const {
    auto result = record.data;
    if (record.host.boot_id != own_arena(*core_).host.boot_id)
      result.where = without_loopback(std::move(result.where));
    return result;
  }
};

// -- handlers -------------------------------------------------------------------------------------

auto member_handlers(cluster_state& state) {
  auto& nodes = state.nodes;
  return std::tuple{
    state.received_by<const hello_envelope&>(nodes),
    state.received_by<const welcome&>(nodes),
    state.received_by<const crossed&>(nodes),
    state.received_by<const already_connected&>(nodes),
    state.received_by<const refused&>(nodes),
    state.received_by<const members_changed&>(nodes),
    state.received_by<const session_over&>(nodes),
    state.received_by<const leave_cluster&>(nodes),
    state.counted<&membership::begin>(nodes),
    state.counted<&membership::join>(nodes),
    state.counted<&membership::list>(nodes),
    state.counted<&membership::dial_connected>(nodes),
    state.counted<&membership::dial_done>(nodes),
    state.counted<&member_watchers::add>(state.watchers),
    state.counted<&cluster_state::end_membership>(),
  };
}

auto peer_handlers(cluster_state& state) {
  using exchange = reference_exchange;
  return std::tuple{
    state.after_turn<const borrow_references&>(&exchange::received),
    state.after_turn<const references_confirmed&>(&exchange::received),
    state.after_turn<const transits_ended&>(&exchange::received),
    state.after_turn<const return_references&>(&exchange::received),
    state.after_turn<const pass_barrier&>(&exchange::received),
    state.after_turn<const barrier_passed&>(&exchange::received),
    state.after_turn<const request_objects&>(&exchange::received),
    state.after_turn<object_replies&>(&exchange::received),
    state.after_turn<const objects_unpinned&>(&exchange::received),
    state.after_turn<const report_copies&>(&exchange::received),
    state.after_turn<const free_objects&>(&exchange::received),
    state.after_turn<const keep_objects&>(&exchange::received),
    state.after_turn<const objects_kept&>(&exchange::received),
  };
}

auto exchange_handlers(cluster_state& state) {
  using exchange = reference_exchange;
  return std::tuple{
    state.after_turn(&exchange::gateway_noted),
    state.after_turn(&exchange::borrowed_unpinned),
    state.after_turn(&exchange::pull_ended),
    state.after_turn(&exchange::send_reports),
    state.after_turn(&exchange::drain),
    state.after_turn(&exchange::value_ready_to_keep),
    state.counted<&reference_exchange::copy_evicted>(state.exchange),
    state.counted<&cluster_state::owner_not_found>(),
    state.counted<&owner_seeker::ask_through>(state.owners),
    state.counted<&cluster_state::open_session>(),
    state.counted<&cluster_state::close_session>(),
  };
}

auto name_handlers(cluster_state& state) {
  auto& names = state.names;
  return std::tuple{
    state.received_by<const names_changed&>(names), state.received_by<const find_name&>(names),
    state.received_by<name_found&>(names),          state.counted<&name_service::publish>(names),
    state.counted<&name_service::unpublish>(names), state.counted<&name_service::lookup>(names),
  };
}

/// Questions, and the end: not counted, so that asking changes no figures.
auto node_handlers(cluster_state& state) {
  return std::tuple{
    [&state](const ask_report& question) {
      return state.exchange_event([&] { return state.reports.ask(question); });
    },
    [&state](report_collected& answers) { state.reports.answer(answers); },
    [&state](collect_stats& request) {
      state.exchange_event([&] { state.reports.collect(request); });
    },
    [&state](check_tables) { state.check(); },
    [&state](shut_down) { state.stop(); },
  };
}

cluster_state::behavior_type cluster_state::handlers() {
  self_->set_down_handler([this](const caf::down_msg& message) {
    count();
    nodes.down(message);
  });
  return std::apply([](auto... handlers) { return behavior_type(std::move(handlers)...); },
                    std::tuple_cat(member_handlers(*this), peer_handlers(*this),
                                   exchange_handlers(*this), name_handlers(*this),
                                   node_handlers(*this)));
}

} // namespace

cluster_actor spawn_cluster(node_core& core) {
  // Whoever starts it counts it: see `service_life::start_cluster`.
  return spawn_uncounted<cluster_state>(core);
}

std::set<std::string> cluster_interface(const caf::actor_system& system) {
  return system.message_types<cluster_actor>();
}

} // namespace mobula
