// Nodes, links and time of the protocol's simulation: which message arrives next, what is lost with
// a node or a connection, and whether a promise was broken.

#include "simulated_cluster.hpp"

#include <algorithm>

namespace mobula::test {

namespace {

place place_of(const incarnation_id& node) {
  return static_cast<place>(node.high - 1);
}

std::pair<place, place> pair_of(place one, place other) {
  return std::minmax(one, other);
}

/// Returns the session that a message names, none if it names none.
session_id session_of(const wire_message& message) {
  return std::visit(
    []<class Message>(const Message& given) {
      if constexpr (std::is_same_v<Message, user_message>)
        return session_id::none;
      else if constexpr (std::is_same_v<Message, reference_message>)
        return std::visit([](const auto& about) { return about.session; }, given);
      else
        return given.session;
    },
    message);
}

} // namespace

simulated_cluster::simulated_cluster(const cluster_options& options)
  : options_(options), random_(options.seed), nodes_(options.nodes), lives_(options.nodes),
    turn_wanted_(options.nodes) {
  for (place where = 0; where < options.nodes; ++where)
    restart(where);
}

// -- what happens from outside --------------------------------------------------------------------

void simulated_cluster::restart(place where) {
  if (lives(where))
    return;
  incarnation_id self{.high = where + 1, .low = ++lives_[where]};
  nodes_[where] =
    std::make_unique<simulated_node>(self, static_cast<node_surroundings&>(*this), options_.limits);
  nodes_[where]->sound_without_session = options_.expect == failures::none;
  turn_wanted_[where] = false;
  note([&] { return "node " + to_text(self) + " starts"; });
}

void simulated_cluster::crash(place where) {
  if (!lives(where))
    return;
  note([&] { return "node " + to_text(node(where).self()) + " crashes"; });
  for (const auto& [pair, which] : connected_)
    if ((pair.first == where || pair.second == where) && !connections_[which].is_cut)
      cut_connection(which);
  nodes_[where].reset();
}

void simulated_cluster::connect(place from, place to) {
  if (from == to || !lives(from) || !lives(to) || blocked_[pair_of(from, to)])
    return;
  if (auto which = connection_of(from, to); which != no_connection && !connections_[which].is_cut)
    return;
  connection made{.session = session_id{++sessions_},
                  .ends = {node(from).self(), node(to).self()},
                  .directions = {}};
  for (auto& direction : made.directions)
    direction.max_delay = options_.max_delay >> (2 * random_.below(3));
  connected_[pair_of(from, to)] = connections_.size();
  connections_.push_back(made);
  note([&] { return "node " + to_text(made.ends[0]) + " connects to " + to_text(made.ends[1]); });
  send(made.ends[0], made.ends[1], session_hello{made.session});
  node(from).begin_session({made.ends[1], made.session});
}

void simulated_cluster::connect_all() {
  for (place one = 0; one < places(); ++one)
    for (place other = 0; other < one; ++other)
      connect(one, other);
}

void simulated_cluster::sever(place one, place other, cut how) {
  if (one == other)
    return;
  blocked_[pair_of(one, other)] = how == cut::until_healed;
  if (auto which = connection_of(one, other); which != no_connection && !connections_[which].is_cut)
    cut_connection(which);
}

void simulated_cluster::heal(place one, place other) {
  blocked_[pair_of(one, other)] = false;
  connect(one, other);
}

void simulated_cluster::send(place from, place to, const std::vector<object_id>& objects,
                             receiver who) {
  if (!lives(from) || from == to || objects.empty())
    return;
  auto message = node(from).serialize(objects);
  // Nobody has a handle on an actor of a node that is no member yet.
  incarnation_id target{.high = to + 1, .low = lives_[to]};
  if (node(from).session_with(target) == session_id::none)
    return;
  post(node(from).self(), target, std::move(message), who);
}

void simulated_cluster::at(std::uint64_t time, std::function<void()> f) {
  calls_.push_back(std::move(f));
  push(time > now_ ? time - now_ : 0, {.what = kind::call, .number = calls_.size() - 1});
}

// -- links ----------------------------------------------------------------------------------------

std::size_t simulated_cluster::connection_of(place one, place other) const {
  auto found = connected_.find(pair_of(one, other));
  return found == connected_.end() ? no_connection : found->second;
}

void simulated_cluster::send(const incarnation_id& from, const incarnation_id& to,
                             wire_message message) {
  if (const auto* about = std::get_if<reference_message>(&message)) {
    ++counts_[about->index()];
    ++message_count_;
  }
  post(from, to, std::move(message), receiver::there);
}

void simulated_cluster::post(const incarnation_id& from, const incarnation_id& to,
                             wire_message message, receiver who) {
  note([&] {
    return "  " + to_text(from) + " -> " + to_text(to) + ": " + to_text(message)
           + (who == receiver::gone ? " (receiver gone)" : "");
  });
  auto which = connection_of(place_of(from), place_of(to));
  if (which == no_connection)
    return;
  auto& over = connections_[which];
  auto session = session_of(message);
  if (over.is_cut || (session != session_id::none && session != over.session))
    return;
  auto end = over.ends[0] == from ? std::size_t{0} : std::size_t{1};
  auto& way = over.directions[end];
  way.last_time = std::max(way.last_time, now_ + delay_below(way.max_delay));
  if (free_messages_.empty()) {
    free_messages_.push_back(messages_.size());
    messages_.emplace_back();
  }
  auto index = free_messages_.back();
  free_messages_.pop_back();
  messages_[index] = {which, end, way.sent++, who, std::move(message)};
  push(way.last_time - now_, {.what = kind::deliver, .node = to, .number = index});
}

void simulated_cluster::deliver(std::size_t which) {
  auto arrived = std::move(messages_[which]);
  free_messages_.push_back(which);
  auto over = connections_[arrived.connection];
  auto& way = connections_[arrived.connection].directions[arrived.direction];
  auto* to = find(over.ends[1 - arrived.direction]);
  if (to == nullptr || (over.is_cut && arrived.index >= way.keep))
    return;
  ++way.delivered;
  const auto& from = over.ends[arrived.direction];
  note([&] {
    return to_text(to->self()) + " gets from " + to_text(from) + ": " + to_text(arrived.message);
  });
  auto is_hello = std::holds_alternative<session_hello>(arrived.message);
  auto latest = connection_of(place_of(over.ends[0]), place_of(over.ends[1]));
  // The membership knows that the connection of this hello is an old one.
  if (arrived.who == receiver::gone || (is_hello && latest != arrived.connection))
    return;
  to->handle(from, arrived.message);
  if (const auto* message = std::get_if<user_message>(&arrived.message); message && received_)
    received_(place_of(to->self()), *message);
  if (is_hello && over.is_cut)
    lose_session(arrived.connection, 1 - arrived.direction);
}

void simulated_cluster::cut_connection(std::size_t which) {
  auto& over = connections_[which];
  note([&] {
    return "connection between " + to_text(over.ends[0]) + " and " + to_text(over.ends[1])
           + " is lost";
  });
  over.is_cut = true;
  for (auto& way : over.directions)
    way.keep = way.delivered + random_.below(way.sent - way.delivered + 1);
  lose_session(which, 0);
  lose_session(which, 1);
}

void simulated_cluster::lose_session(std::size_t which, std::size_t end) {
  const auto& over = connections_[which];
  push(delay_below(options_.max_detection), {.what = kind::session_lost,
                                             .node = over.ends[end],
                                             .peer = {over.ends[1 - end], over.session}});
}

// -- node_surroundings ----------------------------------------------------------------------------

void simulated_cluster::start_timer(const incarnation_id& of, start_grace timer) {
  push(options_.grace,
       {.what = kind::grace, .node = of, .number = static_cast<std::uint64_t>(timer.number)});
}

void simulated_cluster::start_timer(const incarnation_id& of, start_lease timer) {
  push(options_.lease,
       {.what = kind::lease, .node = of, .number = static_cast<std::uint64_t>(timer.mark)});
}

void simulated_cluster::dial(const incarnation_id& from, const incarnation_id& owner) {
  push(delay_below(options_.max_delay), {.what = kind::dial, .node = from, .peer = {owner, {}}});
}

void simulated_cluster::want_turn(const incarnation_id& of) {
  if (turn_wanted_[place_of(of)])
    return;
  turn_wanted_[place_of(of)] = true;
  push(delay_below(options_.max_turn_delay), {.what = kind::turn, .node = of});
}

void simulated_cluster::object_freed(const object_id& object) {
  note([&] { return "  " + to_text(object) + " is freed"; });
  for (const auto& holder : nodes_)
    if (holder && holder->relies_on(object))
      violation(to_text(object) + " is freed while node " + to_text(holder->self())
                + " relies on it");
}

void simulated_cluster::violation(const std::string& text) {
  note([&] { return "VIOLATION: " + text; });
  throw simulation_failure{text};
}

// -- running --------------------------------------------------------------------------------------

void simulated_cluster::push(std::uint64_t delay, event what) {
  what.time = now_ + delay;
  what.order = ++orders_;
  work_ += is_timer(what.what) ? 0 : 1;
  events_.push(what);
}

std::uint64_t simulated_cluster::delay_below(std::uint64_t bound) {
  return options_.seed == 0 ? 0 : random_.below(bound + 1);
}

bool simulated_cluster::step() {
  if (events_.empty())
    return false;
  auto next = events_.top();
  events_.pop();
  work_ -= is_timer(next.what) ? 0 : 1;
  now_ = next.time;
  handle(next);
  return true;
}

void simulated_cluster::handle(const event& what) {
  if (what.what == kind::call)
    return calls_[what.number]();
  if (what.what == kind::deliver)
    return deliver(what.number);
  auto* node = find(what.node);
  if (node == nullptr)
    return;
  switch (what.what) {
    case kind::turn:
      turn_wanted_[place_of(what.node)] = false;
      return node->turn();
    case kind::grace:
      note([&] {
        return to_text(what.node) + ": grace period " + std::to_string(what.number) + " is over";
      });
      return node->grace_over(grace_number{what.number});
    case kind::lease:
      note([&] {
        return to_text(what.node) + ": lease " + std::to_string(what.number) + " has passed";
      });
      return node->lease_passed(lease_mark{what.number});
    case kind::session_lost:
      note(
        [&] { return to_text(what.node) + " loses its session with " + to_text(what.peer.node); });
      return session_lost(*node, what.peer);
    default:
      return dialed(*node, what.peer.node);
  }
}

void simulated_cluster::session_lost(simulated_node& node, const peer_session& peer) {
  auto had_one = node.session_with(peer.node) != session_id::none;
  node.end_session(peer);
  // A connection that is lost before its session began answers no dial, so that one goes on.
  if (!had_one)
    dial(node.self(), peer.node);
}

void simulated_cluster::dialed(simulated_node& from, const incarnation_id& owner) {
  auto one = place_of(from.self());
  auto other = place_of(owner);
  auto* to = find(owner);
  if (to == nullptr || blocked_[pair_of(one, other)])
    return from.owner_unreachable(owner);
  connect(one, other);
}

void simulated_cluster::settle() {
  while (work_ > 0)
    step();
}

void simulated_cluster::settle_until(const std::function<bool()>& condition) {
  while (!condition())
    if (!step())
      violation("what the scenario waits for does not happen");
}

void simulated_cluster::run_some(std::uint64_t steps) {
  while (steps-- > 0 && work_ > 0)
    step();
}

void simulated_cluster::finish() {
  for (const auto& node : nodes_)
    if (node) {
      node->ending = true;
      node->drop_all();
    }
  while (step()) {
  }
  for (const auto& node : nodes_)
    if (node)
      if (auto left = node->leftovers(); !left.empty())
        violation("node " + to_text(node->self()) + " is left with" + left);
}

bool simulated_cluster::exists(const object_id& object) const {
  const auto* owner = find(object.owner);
  return owner != nullptr && owner->has_own(object.sequence);
}

simulated_node* simulated_cluster::find(const incarnation_id& node) const {
  const auto& found = nodes_[place_of(node)];
  return found && found->self() == node ? found.get() : nullptr;
}

} // namespace mobula::test
