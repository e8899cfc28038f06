// The data ports of a simulation: bytes go from buffer to buffer in the one thread there is, a step
// at a time, over connections that break when the seed says so.

#include "mobula/runtime/simulated_ports.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "mobula/actors/messages/transfer_events.hpp"
#include "mobula/actors/messages/transfer_messages.hpp"
#include "mobula/actors/transfer/served_values.hpp"
#include "mobula/store/system/assertion.hpp"
#include <caf/event_based_actor.hpp>

namespace mobula::testing {

using namespace internal;

namespace {

/// Tells a port's actor to do what is next.
struct take_step {};
MOBULA_MESSAGE(mobula::testing::take_step)

transfer_token token_of(const incarnation_id& node) {
  transfer_token result;
  result.bytes.fill(static_cast<std::byte>(node.low));
  return result;
}

} // namespace

// -- simulated_port -------------------------------------------------------------------------------

/// What one node does with its port becomes steps, which keep their order.
class simulated_port final : public transfer_port {
public:
  simulated_port(std::shared_ptr<simulated_ports> all, const incarnation_id& self,
                 std::shared_ptr<served_values> values, std::shared_ptr<transfer_events> events)
    : all_(std::move(all)), self_(self), values(std::move(values)), events(std::move(events)),
      steps_(std::make_shared<std::deque<std::function<void()>>>()) {
    actor_ = all_->system_.spawn<caf::hidden>([steps = steps_](caf::event_based_actor*) {
      return caf::behavior{[steps](take_step) {
        if (steps->empty())
          return;
        auto next = std::move(steps->front());
        steps->pop_front();
        next();
      }};
    });
  }

  ~simulated_port() override {
    steps_->clear();
    all_->ports_.erase(self_);
    all_->break_all(self_, nullptr);
    caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown);
  }

  void admit(const incarnation_id& node, const transfer_token& token) override {
    later([this, node, token] { admitted_[node] = token; });
  }

  void add_peer(const incarnation_id& node, std::span<const data_address>,
                const transfer_token& token) override {
    later([this, node, token] { peers_[node] = token; });
  }

  void remove_node(const incarnation_id& node) override {
    later([this, node] {
      admitted_.erase(node);
      peers_.erase(node);
      all_->break_all(self_, &node);
    });
  }

  void ask(const ask_bytes& ask, std::span<std::byte> buffer) override {
    later([this, ask, buffer] { all_->begin_ask(self_, ask, buffer); });
  }

  void cancel(const cancel_ask& cancel) override {
    later([this, ask = cancel.ask] { all_->cancel(self_, ask); });
  }

  void close(const close_lane& lane) override {
    later([this, lane] { all_->close_lane_of(self_, lane); });
  }

  void send(const send_chunk& chunk) override {
    later([this, chunk] { all_->carry(self_, chunk); });
  }

  void refuse(const send_refusal& refusal) override {
    later([this, refusal] { all_->refuse(refusal); });
  }

  [[nodiscard]] bool admits(const incarnation_id& node, const simulated_port& reader) const {
    auto here = admitted_.find(node);
    auto there = reader.peers_.find(self_);
    return here != admitted_.end() && there != reader.peers_.end()
           && same_token(here->second, there->second);
  }

private:
  void later(std::function<void()> step) {
    steps_->push_back(std::move(step));
    caf::anon_send(actor_, take_step{});
  }

  std::shared_ptr<simulated_ports> all_;
  incarnation_id self_;

public:
  const std::shared_ptr<served_values> values;
  const std::shared_ptr<transfer_events> events;

private:
  std::shared_ptr<std::deque<std::function<void()>>> steps_;
  std::map<incarnation_id, transfer_token> admitted_;
  std::map<incarnation_id, transfer_token> peers_;
  caf::actor actor_;
};

// -- simulated_ports ------------------------------------------------------------------------------

void simulated_ports::open(node_core& core) {
  auto self = core.incarnation();
  auto values = std::make_shared<served_values>();
  auto events = std::make_shared<port_messenger>(
    caf::actor_cast<caf::strong_actor_ptr>(core.transfers()), event_batch::one);
  auto port = std::make_shared<simulated_port>(shared_from_this(), self, values, events);
  ports_[self] = port.get();
  core.set_data_endpoint({.where = {{"simulated", 1}}, .token = token_of(self)},
                         {values, events, port});
}

void simulated_ports::close() {
  closed_ = true;
  connections_.clear();
}

void simulated_ports::hide(const incarnation_id& node) {
  hidden_.insert(node);
  std::vector<reader_connection> ended;
  for (const auto& [number, over] : connections_)
    if (over.server == node)
      ended.push_back(number);
  for (auto number : ended)
    break_connection(connections_.find(number));
}

simulated_port* simulated_ports::port_of(const incarnation_id& node) const {
  auto known = ports_.find(node);
  return known == ports_.end() ? nullptr : known->second;
}

simulated_ports::connections::iterator simulated_ports::connect(const incarnation_id& reader,
                                                                const ask_bytes& ask) {
  auto known = std::ranges::find_if(connections_, [&](const auto& each) {
    return each.second.reader == reader && each.second.server == ask.node
           && each.second.lane == ask.lane;
  });
  if (known != connections_.end())
    return known;
  auto* server = port_of(ask.node);
  if (closed_ || server == nullptr || !server->admits(reader, *port_of(reader)))
    return connections_.end();
  reader_connection number{++last_connection_};
  server->events->reader_connected(number, reader);
  connection fresh{
    .reader = reader, .server = ask.node, .lane = ask.lane, .asks = {}, .arrived = {}};
  return connections_.emplace(number, std::move(fresh)).first;
}

void simulated_ports::begin_ask(const incarnation_id& reader, const ask_bytes& ask,
                                std::span<std::byte> buffer) {
  if (hidden_.contains(ask.node)) {
    port_of(reader)->events->source_unreachable(ask.node, connect_failure::silent);
    return port_of(reader)->events->ask_lost(ask.ask);
  }
  auto over = connect(reader, ask);
  if (over == connections_.end())
    return port_of(reader)->events->ask_lost(ask.ask);
  over->second.asks[ask.ask] = {ask.range, buffer};
  port_of(ask.node)->events->asked(over->first, ask.ask, ask.range);
}

void simulated_ports::cancel(const incarnation_id& reader, ask_number ask) {
  for (auto& [number, over] : connections_)
    if (over.reader == reader && over.asks.erase(ask) > 0) {
      over.arrived.erase(ask);
      port_of(reader)->events->ask_lost(ask);
      port_of(over.server)->events->canceled(number, ask);
      return;
    }
}

void simulated_ports::close_lane_of(const incarnation_id& reader, const close_lane& lane) {
  auto known = std::ranges::find_if(connections_, [&](const auto& each) {
    return each.second.reader == reader && each.second.server == lane.node
           && each.second.lane == lane.lane;
  });
  if (known != connections_.end())
    break_connection(known);
}

void simulated_ports::carry(const incarnation_id& server, const send_chunk& chunk) {
  auto& events = *port_of(server)->events;
  auto over = connections_.find(chunk.connection);
  if (over == connections_.end())
    return events.send_failed(chunk.send, send_failure::connection_lost);
  auto bytes = port_of(server)->values->pin(chunk);
  if (!bytes)
    return events.send_failed(chunk.send, send_failure::unreadable);
  auto asked = over->second.asks.find(chunk.ask);
  auto broken = breaks();
  if (asked != over->second.asks.end()) {
    const auto& [range, buffer] = asked->second;
    auto part = bytes->bytes.first(broken ? bytes->bytes.size() / 2 : bytes->bytes.size());
    auto offset = chunk.range.offset_bytes - range.offset_bytes;
    std::ranges::copy(part, buffer.subspan(offset).begin());
  }
  if (broken) {
    events.send_failed(chunk.send, send_failure::connection_lost);
    return break_connection(over);
  }
  events.sent(chunk.send);
  if (asked == over->second.asks.end())
    return;
  auto& reader = *port_of(over->second.reader)->events;
  auto& arrived = over->second.arrived[chunk.ask];
  arrived += chunk.range.length_bytes;
  reader.bytes_arrived(chunk.ask, chunk.range.length_bytes);
  if (arrived < asked->second.first.length_bytes)
    return;
  over->second.arrived.erase(chunk.ask);
  over->second.asks.erase(asked);
  reader.ask_finished(chunk.ask);
}

void simulated_ports::refuse(const send_refusal& refusal) {
  auto over = connections_.find(refusal.connection);
  if (over == connections_.end() || over->second.asks.erase(refusal.ask) == 0)
    return;
  over->second.arrived.erase(refusal.ask);
  port_of(over->second.reader)->events->ask_refused(refusal.ask, refusal.reason);
}

/// Both ends learn of it, as far as they are there.
void simulated_ports::break_connection(connections::iterator position) {
  auto ended = connections_.extract(position);
  const auto& over = ended.mapped();
  if (auto* reader = port_of(over.reader))
    for (const auto& [ask, target] : over.asks)
      reader->events->ask_lost(ask);
  if (auto* server = port_of(over.server))
    server->events->reader_disconnected(ended.key());
}

void simulated_ports::break_all(const incarnation_id& one, const incarnation_id* other) {
  std::vector<reader_connection> ended;
  for (const auto& [number, over] : connections_) {
    auto touches = over.reader == one || over.server == one;
    auto between = other == nullptr || over.reader == *other || over.server == *other;
    if (touches && between)
      ended.push_back(number);
  }
  for (auto number : ended)
    break_connection(connections_.find(number));
}

bool simulated_ports::breaks() {
  return break_one_of_ > 0
         && std::uniform_int_distribution<std::uint64_t>{1, break_one_of_}(random_) == 1;
}

} // namespace mobula::testing
