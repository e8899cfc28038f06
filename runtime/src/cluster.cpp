// A node's place in a cluster, as applications see it: opens the ports, joins, lists and watches
// members, and leaves. What nodes say to each other is the cluster actor's business.

#include "mobula/cluster.hpp"

#include <algorithm>
#include <future>
#include <map>
#include <mutex>
#include <random>
#include <utility>

#include <caf/io/middleman.hpp>
#include <fmt/format.h>

#include "mobula/actors/caf/caf_connection.hpp"
#include "mobula/actors/caf/caf_log.hpp"
#include "mobula/actors/cluster/cluster_actor.hpp"
#include "mobula/actors/launch/launch_node.hpp"
#include "mobula/actors/membership/control_port.hpp"
#include "mobula/actors/membership/member_watchers.hpp"
#include "mobula/actors/membership/membership.hpp"
#include "mobula/actors/membership/network_address.hpp"
#include "mobula/actors/messages/cluster_requests.hpp"
#include "mobula/actors/messages/transfer_events.hpp"
#include "mobula/actors/messages/transfer_messages.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/actors/transfer/served_values.hpp"
#include "mobula/actors/wire/cluster_messages.hpp"
#include "mobula/node.hpp"
#include "mobula/runtime/cluster_leaving.hpp"
#include "mobula/runtime/cluster_options.hpp"
#include "mobula/runtime/cluster_question.hpp"
#include "mobula/runtime/node_places.hpp"
#include "mobula/runtime/option_ranges.hpp"
#include "mobula/runtime/worker_thread.hpp"
#include "mobula/store/port/data_port.hpp"

namespace mobula {

using namespace internal;

namespace {

[[noreturn]] void refuse(error_type type, std::string text) {
  throw object_error{{.type = type, .message = std::move(text)}};
}

transfer_token draw_token() {
  transfer_token result;
  std::random_device device;
  std::uniform_int_distribution<unsigned> any{0, 255};
  for (auto& byte : result.bytes)
    byte = static_cast<std::byte>(any(device));
  return result;
}

/// Opens the data port at the address of the control port.
void open_data_port(node_core& core, const std::string& number) {
  auto values = std::make_shared<served_values>();
  auto events = std::make_shared<port_messenger>(
    caf::actor_cast<caf::strong_actor_ptr>(core.transfers()), event_batch::turn);
  data_port_config config{.self = core.incarnation(),
                          .listen = {.ip = number, .port = core.options().data_port},
                          .compression = core.options().compression};
  auto opened = data_port::open(config, *values, *events);
  if (const auto* failure = std::get_if<data_port_failure>(&opened))
    refuse(error_type::invalid_argument, failure->message);
  auto port = std::get<std::unique_ptr<data_port>>(std::move(opened));
  auto where = data_endpoints(core, {number, port->address().port});
  core.set_data_endpoint(
    {.where = std::move(where), .token = draw_token()},
    {.values = std::move(values), .events = std::move(events), .port = std::move(port)});
}

/// What an actor does that is to speak for its node: see `require_may_block`.
constexpr std::string_view instead_of_waiting = "the thread that made the node";

/// Has those who come through the port, and greet as nodes do, meet `actor`.
void open_to_others(control_port& control, const node_core& core, const cluster_actor& actor) {
  auto* system = &core.system();
  published_service service{.actor = caf::actor_cast<caf::strong_actor_ptr>(actor),
                            .interface = cluster_interface(*system),
                            .port = control.port()};
  connection_rules rules{.peer = handshake_of::dialer,
                         .max_message_bytes = max_message_bytes(core.options())};
  auto take = [system, service, rules](greeted_connection fresh) {
    serve(*system, service,
          make_connection(*system, std::move(fresh.socket), rules, std::move(fresh.place)));
  };
  auto report = [system](const std::string& line) {
    log_warning(*system, line);
  };
  control.start(std::move(take), std::move(report));
}

/// The objects that may be taken over, by their nodes. An object is here no longer than it lives.
struct offered_clusters {
  std::mutex mutex;
  std::map<const node_core*, cluster*> known;
};

offered_clusters& offered() {
  static auto& result = *new offered_clusters; // outlives all objects
  return result;
}

} // namespace

/// What an object of class `cluster` knows, and does under its mutex.
class cluster::place {
public:
  explicit place(node_core& core) : core_(&core) {
    // nop
  }

  [[nodiscard]] node_core& core() const noexcept {
    return *core_;
  }

  /// Throws if the node is of no use any more: its actor system may be gone.
  void require_open() const {
    if (core_->closing())
      throw object_error{core_->shutting_down_error()};
  }

  std::uint16_t listen(const std::string& address, std::uint16_t port);

  /// Listens at an address that suits `target`, unless it listens already.
  void listen_for(const endpoint& target);

  /// Returns whether there was a place to take over. REQUIRES: nobody else takes anything over.
  bool take_over(place& former);

  /// Returns the actor that speaks for the node in its cluster; null if it is in none, or none any
  /// more.
  [[nodiscard]] cluster_actor actor() const;

  /// Throws where that is null.
  [[nodiscard]] cluster_actor require_actor() const;

  [[nodiscard]] std::uint16_t port() const;

  void end();

private:
  void open(const std::string& address, std::uint16_t port);
  [[nodiscard]] std::shared_ptr<control_port> publish(const endpoint& where);
  [[nodiscard]] bool listens() const;

  core_pointer core_;
  mutable std::mutex mutex_;
  cluster_actor actor_; ///< null until the node listens
  std::uint16_t port_ = 0;
  bool left_ = false;
};

cluster::cluster(node& owner) : place_(std::make_unique<place>(owner.core())) {
  // nop
}

cluster::~cluster() {
  // In a forked child, the mutex may be locked for ever.
  if (place_->core().at_home()) {
    auto& all = offered();
    std::unique_lock guard{all.mutex};
    std::erase_if(all.known, [this](const auto& each) { return each.second == this; });
  }
  place_->end();
}

// -- listening and joining -----------------------------------------------------------------------

std::uint16_t cluster::listen(const std::string& address, std::uint16_t port) {
  place_->require_open();
  require_may_block("cluster::listen", instead_of_waiting);
  return place_->listen(address, port);
}

std::uint16_t cluster::place::listen(const std::string& address, std::uint16_t port) {
  std::unique_lock guard{mutex_};
  if (left_)
    refuse(error_type::shutting_down, "this node has left its cluster; start another one");
  if (actor_)
    refuse(error_type::invalid_argument,
           fmt::format("this node listens at port {} already; it cannot listen twice", port_));
  open(address, port);
  return port_;
}

/// REQUIRES: the mutex is held, and there is no actor yet.
void cluster::place::open(const std::string& address, std::uint16_t port) {
  // First: a system whose times are bad was given no middleman, whatever else was set.
  require_valid_times(core_->options(), read_heartbeat_times(core_->system().config()).timeout);
  if (!core_->system().has_middleman())
    refuse(error_type::invalid_argument,
           "the actor system has no middleman; call load<caf::io::middleman>() on its "
           "configuration, or give the option mobula.listen");
  if (!core_->claim_membership())
    refuse(error_type::invalid_argument,
           "this node listens, or has listened, through another cluster object, and does so once "
           "in its life; use that object, which run_main hands to a third parameter of what it "
           "runs, or start another node");
  endpoint where{address, port};
  std::shared_ptr<control_port> control;
  try {
    where.address = listening_number(*core_, where);
    control = publish(where);
  } catch (...) {
    core_->release_membership();
    throw;
  }
  where.port = port_ = control->port();
  actor_ = core_->cluster();
  core_->set_port_closer([system = &core_->system(), actor = actor_, control](port_closing until) {
    close_control_port(*system, *control, actor, until);
  });
  caf::anon_send(actor_,
                 begin_membership{.self = own_record(*core_, where),
                                  .config = {.speaks = dialect_of(core_->options().cluster)},
                                  .max_message_bytes = max_message_bytes(core_->options())});
  open_to_others(*control, *core_, actor_);
}

/// Opens both ports. Returns the one that nodes join through, where they wait still.
std::shared_ptr<control_port> cluster::place::publish(const endpoint& where) {
  auto opened = control_port::open(where, {});
  if (const auto* failure = std::get_if<std::string>(&opened))
    refuse(error_type::invalid_argument, *failure);
  launch_cluster(*core_);
  open_data_port(*core_, where.address);
  return std::get<std::unique_ptr<control_port>>(std::move(opened));
}

void cluster::place::listen_for(const endpoint& target) {
  if (listens())
    return;
  // It may take long to find out what a name stands for.
  auto own_address = address_to_join_from(*core_, target);
  std::unique_lock guard{mutex_};
  if (!actor_ && !left_)
    open(own_address, 0);
}

bool cluster::place::listens() const {
  std::unique_lock guard{mutex_};
  return actor_ || left_;
}

void cluster::join(const std::string& address, std::uint16_t port) {
  auto& core = place_->core();
  place_->require_open();
  require_no_watcher(core, "cluster::join");
  require_may_block("cluster::join", instead_of_waiting);
  place_->listen_for({address, port});
  auto answer = make_answer<std::optional<join_failure>>(core);
  auto outcome = answer->get_future();
  caf::anon_send(place_->require_actor(), join_through{{address, port}, std::move(answer)});
  if (!await(core, outcome))
    throw object_error{core.shutting_down_error()};
  std::optional<join_failure> failure;
  try {
    failure = outcome.get();
  } catch (const std::future_error&) {
    refuse(error_type::shutting_down, "this node left its cluster before it had joined");
  }
  if (failure)
    refuse(
      failure->kind == dial_failure::lasting ? error_type::invalid_argument : error_type::node_died,
      fmt::format("cannot join through {}: {}", to_string(endpoint{address, port}), failure->text));
}

void cluster::follow_options() {
  place_->require_open();
  if (take_over())
    return;
  const auto& settings = place_->core().system().config();
  if (auto where = caf::get_if<std::string>(&settings, "mobula.listen")) {
    auto [address, port] = parse_endpoint("mobula.listen", *where);
    listen(address, port);
  }
  if (auto where = caf::get_if<std::string>(&settings, "mobula.join")) {
    auto [address, port] = parse_endpoint("mobula.join", *where);
    join(address, port);
  }
}

void cluster::offer() {
  auto& all = offered();
  std::unique_lock guard{all.mutex};
  if (port() != 0)
    all.known[&place_->core()] = this;
}

/// Returns whether there was an object to take over from. The registry's mutex comes first.
bool cluster::take_over() {
  auto& all = offered();
  std::unique_lock guard{all.mutex};
  auto found = all.known.find(&place_->core());
  if (found == all.known.end() || found->second == this)
    return false;
  if (!place_->take_over(*found->second->place_))
    return false;
  all.known.erase(found);
  return true;
}

bool cluster::place::take_over(place& former) {
  std::scoped_lock both{mutex_, former.mutex_};
  if (actor_ || left_ || former.left_)
    return false;
  actor_ = std::exchange(former.actor_, nullptr);
  port_ = std::exchange(former.port_, 0);
  return true;
}

// -- members -------------------------------------------------------------------------------------

std::vector<member_info> cluster::members() const {
  auto& core = place_->core();
  core.require_home();
  require_no_watcher(core, "cluster::members");
  require_may_block("cluster::members", "cluster::watch");
  auto actor = place_->actor();
  if (!actor || core.services_gone())
    return {};
  auto answer = make_answer<std::vector<member_info>>(core);
  auto result = answer->get_future();
  caf::anon_send(actor, list_members{std::move(answer)});
  if (!await(core, result))
    return {};
  try {
    return result.get();
  } catch (const std::future_error&) {
    return {};
  }
}

std::uint16_t cluster::port() const {
  return place_->port();
}

std::uint16_t cluster::place::port() const {
  core_->require_home();
  std::unique_lock guard{mutex_};
  return port_;
}

void cluster::watch(std::function<void(const member_event&)> watcher) {
  place_->require_open();
  if (!watcher)
    refuse(error_type::invalid_argument, "there is nothing to call in this std::function");
  caf::anon_send(place_->require_actor(), watch_members{std::move(watcher)});
}

void cluster::leave() {
  require_no_watcher(place_->core(), "cluster::leave");
  require_may_block("cluster::leave", instead_of_waiting);
  place_->end();
}

void cluster::place::end() {
  // In a forked child, the mutex may be locked for ever, and the place is the parent's.
  if (!core_->at_home())
    return;
  cluster_actor actor;
  {
    std::unique_lock guard{mutex_};
    left_ = true;
    port_ = 0;
    actor = std::exchange(actor_, nullptr);
  }
  if (actor)
    leave_cluster_of(*core_);
}

cluster_actor cluster::place::actor() const {
  std::unique_lock guard{mutex_};
  return actor_;
}

cluster_actor cluster::place::require_actor() const {
  std::unique_lock guard{mutex_};
  if (left_)
    refuse(error_type::shutting_down, "this node has left its cluster; start another one");
  if (!actor_)
    refuse(error_type::invalid_argument, "this node does not listen yet; call listen first");
  return actor_;
}

} // namespace mobula
