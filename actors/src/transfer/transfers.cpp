// The actor that owns data port, puller and pusher, and hands each message to the one that it
// concerns. The port closes before they let go of what it reads and writes.

#include "mobula/actors/transfer/transfers.hpp"

#include <unordered_map>
#include <utility>
#include <vector>

#include "mobula/actors/caf/caf_log.hpp"
#include "mobula/actors/caf/spawn_service.hpp"
#include "mobula/actors/protocol/membership/address_choice.hpp"
#include "puller.hpp"
#include "pusher.hpp"

namespace mobula {

namespace {

class transfers_state {
public:
  using self_pointer = transfers_actor::pointer;

  transfers_state() = default;
  transfers_state(const transfers_state&) = delete;
  transfers_state& operator=(const transfers_state&) = delete;

  ~transfers_state() {
    if (!core_)
      return;
    // In this order: once the port is closed, nobody reads or writes what the others hold.
    pulls->open(nullptr);
    pushes->open(nullptr, values_);
    port_.reset();
    pulls->close();
    pushes->close();
    core_->service_stopped(service_kind::transfers);
  }

  void init(node_core& core, self_pointer self) {
    core_ = core_pointer{&core};
    self_ = self;
    guard_service(*self, core, service_kind::transfers);
    pushes.emplace(core, self);
    pulls.emplace(core, self, *pushes);
  }

  void begin(begin_transfers& message) {
    values_ = std::move(message.values);
    events_ = std::move(message.events);
    port_ = std::move(message.port);
    pulls->open(port_);
    pushes->open(port_, values_);
  }

  void joined(const source_joined& message) {
    port_->admit(message.node, core_->own_endpoint().token);
    endpoints_[message.node] = message.data;
    add_peer(message.node, message.data);
    pulls->source_joined(message.node);
  }

  /// It may have left meanwhile.
  void speaks_at(const source_speaks_at& message) {
    auto known = endpoints_.find(message.node);
    if (known == endpoints_.end())
      return;
    known->second.where = used_first(std::move(known->second.where), message.address);
    add_peer(message.node, known->second);
  }

  void left(const source_left& message) {
    if (!port_)
      return;
    endpoints_.erase(message.node);
    port_->remove_node(message.node);
    pulls->source_left(message.node);
    pushes->source_left(message.node);
  }

  void received(const port_event& message) {
    std::visit([this](const auto& news) { take(news); }, message.event);
  }

  void collect(collect_stats& request) {
    pulls->add_figures(request.request->stats);
    pushes->add_figures(request.request->stats);
    self_->send(core_->counter(), std::move(request));
  }

  void check() const {
    pulls->check_invariants();
    pushes->check_invariants();
  }

  void stop() {
    self_->quit();
  }

  template <class F>
  void event(F&& f) {
    core_->count_message();
    f();
  }

  // Made by `init`, as they need the actor.
  std::optional<pusher> pushes;
  std::optional<puller> pulls;

private:
  template <class News>
  void take(const News& news) {
    if constexpr (requires(puller & part) { part.received(news); })
      pulls->received(news);
    else
      pushes->received(news);
  }

  void take(const connection_refused& news) {
    log_warning(news.why);
  }

  void add_peer(const incarnation_id& node, const data_endpoint& data) {
    std::vector<data_address> addresses;
    for (const auto& where : data.where)
      addresses.push_back({where.address, where.port});
    port_->add_peer(node, addresses, data.token);
  }

  core_pointer core_;
  self_pointer self_ = nullptr;
  std::shared_ptr<served_values> values_;
  std::shared_ptr<transfer_events> events_;
  std::shared_ptr<transfer_port> port_;
  std::unordered_map<incarnation_id, data_endpoint> endpoints_; ///< of nodes with a session
};

transfers_actor::behavior_type transfers(transfers_actor::stateful_pointer<transfers_state> self,
                                         node_core* core) {
  auto& state = self->state;
  state.init(*core, self);
  return {
    [&state](begin_transfers& message) { state.begin(message); },
    [&state](const source_joined& message) { state.event([&] { state.joined(message); }); },
    [&state](const source_left& message) { state.event([&] { state.left(message); }); },
    [&state](const source_speaks_at& message) { state.event([&] { state.speaks_at(message); }); },
    [&state](const pull_value& message) { state.event([&] { state.pulls->pull(message); }); },
    [&state](const raise_priority& message) { state.event([&] { state.pulls->raise(message); }); },
    [&state](const end_pull& message) { state.event([&] { state.pulls->end(message); }); },
    [&state](const pull_buffer_answered& message) {
      state.event([&] { state.pulls->buffer_answered(message); });
    },
    [&state](const pull_sealed& message) { state.event([&] { state.pulls->sealed(message); }); },
    [&state](const buffer_let_go& message) { state.event([&] { state.pulls->let_go(message); }); },
    [&state](const port_event& message) { state.event([&] { state.received(message); }); },
    [&state](const served_ready& message) {
      state.event([&] { state.pushes->ready(message.id); });
    },
    [&state](const record_found& message) {
      state.event([&] { state.pushes->record_found(message); });
    },
    [&state](collect_stats& request) { state.collect(request); },
    [&state](check_tables) { state.check(); },
    [&state](shut_down) { state.stop(); },
  };
}

} // namespace

transfers_actor spawn_transfers(node_core& core) {
  return spawn_service(core.system(), transfers, &core);
}

} // namespace mobula
