// The network of a simulation: messages between nodes become bytes that stand in lines, and arrive
// in an order, and with losses, that the scheduler and the seed decide.

#include "mobula/runtime/simulated_network.hpp"

#include <algorithm>

#include <caf/actor_config.hpp>
#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/make_actor.hpp>
#include <caf/monitorable_actor.hpp>
#include <caf/scoped_execution_unit.hpp>
#include <fmt/format.h>

#include "mobula/actors/caf/caf_error.hpp"
#include "mobula/actors/caf/sending.hpp"
#include "mobula/actors/launch/launch_node.hpp"
#include "mobula/actors/messages/cluster_requests.hpp"
#include "mobula/actors/node/receiving_node.hpp"
#include "mobula/runtime/inexact_numbers.hpp"
#include "mobula/runtime/wire_reference.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula::testing {

using namespace internal;

namespace {

/// Tells a line's actor to take one message out.
struct deliver_frame {};
MOBULA_MESSAGE(mobula::testing::deliver_frame)

/// Stands for an actor at the other end of a line: what it gets goes over the line. It is called
/// like the actor, as CAF's own are.
class line_proxy : public caf::monitorable_actor {
public:
  /// Without a session, it uses whatever connection there is.
  line_proxy(caf::actor_config& config, std::shared_ptr<simulated_line> line,
             caf::strong_actor_ptr target, session_id session)
    : monitorable_actor(config), line_(std::move(line)), target_(std::move(target)),
      session_(session) {
    // nop
  }

  void enqueue(caf::mailbox_element_ptr element, caf::execution_unit*) override {
    if (session_ != session_id::none && session_ != line_->session())
      return;
    if (!line_->send(target_, element->sender, element->mid, element->move_content_to_message()))
      bounce(element, caf::exit_reason::remote_link_unreachable);
  }

private:
  std::shared_ptr<simulated_line> line_;
  caf::strong_actor_ptr target_;
  session_id session_;
};

caf::strong_actor_ptr make_proxy(caf::actor_system& system, std::shared_ptr<simulated_line> line,
                                 const caf::strong_actor_ptr& target, session_id session) {
  caf::actor_config config;
  return caf::make_actor<line_proxy, caf::strong_actor_ptr>(
    target->id(), target->node(), &system, config, std::move(line), target, session);
}

caf::strong_actor_ptr cluster_of(node_core& core) {
  return caf::actor_cast<caf::strong_actor_ptr>(core.cluster());
}

peer_addresses addresses_of(node_core& core) {
  return {.arena = own_arena(core), .data = core.own_endpoint()};
}

} // namespace

// -- simulated_line -------------------------------------------------------------------------------

simulated_line::simulated_line(simulated_network& network, node_core& from, node_core& to)
  : network_(&network), from_(&from), to_(&to) {
  courier_ = network.system().spawn<caf::hidden>([this](caf::event_based_actor*) {
    return caf::behavior{[this](deliver_frame) {
      deliver_next();
    }};
  });
}

void simulated_line::close_down() {
  end(in_flight::lost);
  caf::anon_send_exit(courier_, caf::exit_reason::user_shutdown);
  courier_ = nullptr;
}

void simulated_line::begin(session_id session) {
  session_ = session;
  latest_session_ = session;
}

void simulated_line::end(in_flight rest) {
  session_ = session_id::none;
  is_open_ = false;
  peer = nullptr;
  auto unsent = std::exchange(held_, {});
  if (rest == in_flight::delivered)
    return;
  auto kept = rest == in_flight::lost ? 0 : network_->choose_up_to(frames_.size());
  // What an end is to learn of its connections is not on the wire.
  std::deque<frame> all;
  all.swap(frames_);
  for (std::size_t index = 0; index < all.size(); ++index)
    if (index < kept || all[index].notice)
      frames_.push_back(std::move(all[index]));
}

void simulated_line::open() {
  is_open_ = true;
  for (const auto& message : std::exchange(held_, {}))
    write(message);
}

bool simulated_line::send(const caf::strong_actor_ptr& receiver,
                          const caf::strong_actor_ptr& sender, caf::message_id id,
                          caf::message content) {
  if (session_ == session_id::none)
    return false;
  held_message message{receiver, sender, id, std::move(content)};
  if (is_open_)
    write(message);
  else
    held_.push_back(std::move(message));
  return true;
}

void simulated_line::write(const held_message& message) {
  auto answers = back.lock();
  if (!answers)
    return;
  frame next{
    .notice = {}, .receiver = message.receiver, .sender = {}, .id = message.id, .bytes = {}};
  if (message.sender != nullptr)
    next.sender = message.sender == cluster_of(*from_)
                    ? answers->peer
                    : make_proxy(network_->system(), answers, message.sender, session_id::none);
  caf::scoped_execution_unit context{&network_->system()};
  // Before anything is written: CAF would never come back from an infinity.
  if (auto inexact = find_inexact_number(context, message.content))
    return network_->note_lost(inexact);
  crossing_scope crossing{*from_};
  caf::binary_serializer sink{&context, next.bytes};
  auto error = sink(message.content);
  if (!error)
    error = crossing.failure();
  if (error)
    network_->note_lost(error);
  else
    push(std::move(next));
}

void simulated_line::send_notice(std::function<void()> f) {
  push({.notice = std::move(f), .receiver = {}, .sender = {}, .id = {}, .bytes = {}});
}

void simulated_line::push(frame content) {
  frames_.push_back(std::move(content));
  caf::anon_send(courier_, deliver_frame{});
}

void simulated_line::deliver_next() {
  // Some may have been lost since the actor was told.
  if (frames_.empty())
    return;
  auto next = std::move(frames_.front());
  frames_.pop_front();
  if (next.notice)
    next.notice();
  else
    deliver(next);
}

void simulated_line::deliver(frame& content) {
  // Like CAF, which does not even read what nobody gets.
  if (has_ended(content.receiver))
    return;
  receiving_scope scope{*to_};
  caf::scoped_execution_unit context{&network_->system()};
  caf::binary_deserializer source{&context, content.bytes};
  caf::message message;
  crossing_scope crossing;
  auto error = source(message);
  if (crossing.failure())
    error = crossing.failure();
  else if (!error && message.empty())
    error = caf::make_error(caf::sec::unknown_type, "a message could not be read; are its types "
                                                    "known to the configuration?");
  if (error)
    return network_->note_lost(error);
  content.receiver->enqueue(
    caf::make_mailbox_element(std::move(content.sender), content.id, {}, std::move(message)),
    nullptr);
}

// -- simulated_network ----------------------------------------------------------------------------

simulated_network::simulated_network(caf::actor_system& system, std::mt19937_64& random)
  : system_(system), random_(random), ports_(std::make_shared<simulated_ports>(system, random)),
    alive_(std::make_shared<simulated_network*>(this)) {
  directory_ = system.spawn<caf::hidden>([this](caf::event_based_actor*) {
    return caf::behavior{[this](const mobula::find_owner& request) {
      find_owner(request);
    }};
  });
}

simulated_network::~simulated_network() {
  *alive_ = nullptr;
  ports_->close();
  for (auto& [ends, line] : lines_)
    line->close_down();
  caf::anon_send_exit(directory_, caf::exit_reason::user_shutdown);
}

void simulated_network::enlist(node_core& core) {
  if (std::ranges::find(nodes_, &core, &core_pointer::get) != nodes_.end())
    return;
  launch_cluster(core);
  if (!core.claim_membership())
    throw object_error{{.type = error_type::invalid_argument,
                        .message = fmt::format("node {} is in a cluster already, through a real "
                                               "network or another simulated one",
                                               to_string(core.incarnation())),
                        .origin = core.origin()}};
  ports_->open(core);
  nodes_.emplace_back(&core);
  caf::anon_send(core.cluster(), ask_for_owners{directory_});
  // A node that shuts down leaves.
  caf::actor_cast<caf::abstract_actor*>(core.cluster())->attach_functor([network = alive_, &core] {
    if (*network != nullptr)
      (*network)->remove(core, in_flight::delivered, in_flight::lost);
  });
}

std::shared_ptr<simulated_line> simulated_network::line(node_core& from, node_core& to) {
  auto& there = lines_[{from.incarnation(), to.incarnation()}];
  if (there == nullptr) {
    there = std::make_shared<simulated_line>(*this, from, to);
    auto& back = lines_[{to.incarnation(), from.incarnation()}];
    back = std::make_shared<simulated_line>(*this, to, from);
    there->back = back;
    back->back = there;
  }
  return there;
}

void simulated_network::connect(node_core& one, node_core& other) {
  if (&one == &other)
    throw object_error{{.type = error_type::invalid_argument,
                        .message = "a node cannot be connected to itself; give two nodes"}};
  cuts_.erase(std::minmax(one.incarnation(), other.incarnation()));
  enlist(one);
  enlist(other);
  if (!connected(one, other))
    begin(*line(one, other), *line(other, one));
}

bool simulated_network::connected(node_core& one, node_core& other) const {
  auto there = lines_.find({one.incarnation(), other.incarnation()});
  return there != lines_.end() && there->second->session() != session_id::none;
}

/// The first end knows at once, the other one when the first message over the line arrives.
void simulated_network::begin(simulated_line& there, simulated_line& back) {
  auto session = session_id{++sessions_};
  for (auto* line : {&there, &back}) {
    line->begin(session);
    line->peer =
      make_proxy(system_, this->line(line->from(), line->to()), cluster_of(line->to()), session);
  }
  caf::anon_send(
    there.from().cluster(),
    session_opened{{there.to().incarnation(), session}, there.peer, addresses_of(there.to())});
  there.open();
  there.send_notice([&there, session, peer = back.peer, answers = &back] {
    // Of two connections, the membership goes by the younger one.
    if (there.latest_session() != session)
      return;
    peer_session opened{there.from().incarnation(), session};
    caf::anon_send(there.to().cluster(), session_opened{opened, peer, addresses_of(there.from())});
    if (there.session() == session)
      answers->open();
    else
      caf::anon_send(there.to().cluster(), session_closed{opened});
  });
}

void simulated_network::cut(node_core& one, node_core& other) {
  cuts_.insert(std::minmax(one.incarnation(), other.incarnation()));
  ports_->cut(one.incarnation(), other.incarnation());
  if (!connected(one, other))
    return;
  auto session = line(one, other)->session();
  for (const auto& each : {line(one, other), line(other, one)})
    each->end(in_flight::chance);
  for (const auto& each : {line(one, other), line(other, one)})
    tell_end(*each, session);
}

void simulated_network::remove(node_core& core, in_flight to_others, in_flight to_it) {
  auto known = std::ranges::find(nodes_, &core, &core_pointer::get);
  if (known == nodes_.end())
    return;
  auto gone = *known;
  nodes_.erase(known);
  for (const auto& [ends, each] : lines_) {
    auto session = each->session();
    if (&each->to() == &core)
      each->end(to_it);
    if (&each->from() != &core)
      continue;
    each->end(to_others);
    if (session != session_id::none)
      tell_end(*each, session);
  }
}

/// Has the receiving end of a line know that its session is over: behind what still arrives, or at
/// once.
void simulated_network::tell_end(simulated_line& there, session_id session) {
  auto tell = [&there, session] {
    caf::anon_send(there.to().cluster(), session_closed{{there.from().incarnation(), session}});
  };
  if (choose_up_to(1) == 0)
    there.send_notice(tell);
  else
    tell();
}

void simulated_network::find_owner(const mobula::find_owner& request) {
  auto* asker = node_called(request.asker);
  auto* owner = node_called(request.owner);
  if (asker == nullptr)
    return;
  if (owner == nullptr || cuts_.contains(std::minmax(request.asker, request.owner)))
    caf::anon_send(asker->cluster(), owner_not_found{request.owner});
  else
    connect(*asker, *owner);
}

node_core* simulated_network::node_called(const incarnation_id& name) const {
  auto found =
    std::ranges::find_if(nodes_, [&](const auto& core) { return core->incarnation() == name; });
  return found == nodes_.end() ? nullptr : found->get();
}

caf::actor simulated_network::remote(node_core& from, node_core& to, const caf::actor& target) {
  enlist(from);
  enlist(to);
  return caf::actor_cast<caf::actor>(make_proxy(
    system_, line(from, to), caf::actor_cast<caf::strong_actor_ptr>(target), session_id::none));
}

std::size_t simulated_network::choose_up_to(std::size_t most) {
  return std::uniform_int_distribution<std::size_t>{0, most}(random_);
}

void simulated_network::note_lost(const caf::error& reason) {
  lost_.push_back(to_error_info(reason));
}

} // namespace mobula::testing
