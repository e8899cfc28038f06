// A node's place in a cluster, as applications see it: opens the ports, joins, lists and watches
// members, and leaves. What nodes say to each other is the cluster actor's business.

#include "mobula/cluster.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <random>
#include <utility>

#include <caf/io/middleman.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "mobula/actors/caf/caf_connection.hpp"
#include "mobula/actors/caf/caf_log.hpp"
#include "mobula/actors/membership/control_port.hpp"
#include "mobula/actors/membership/network_address.hpp"
#include "mobula/runtime/cluster_leaving.hpp"
#include "mobula/runtime/cluster_options.hpp"
#include "mobula/runtime/cluster_question.hpp"
#include "mobula/runtime/node_places.hpp"
#include "mobula/runtime/option_ranges.hpp"
#include "mobula/runtime/worker_thread.hpp"
#include "mobula/store/port/data_port.hpp"

namespace mobula {

namespace {

[[noreturn]] void refuse(error_type type, std::string text) {
  throw object_error{{.type = type, .message = std::move(text)}};
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

node_record describe(const node_core& core, const endpoint& where) {
  auto arena = core.own_arena();
  return {.incarnation = core.incarnation(),
          .name = core.options().name.empty() ? fmt::format("{}:{}", host_name(), ::getpid())
                                              : core.options().name,
          .host = std::move(arena.host),
          .process_id = ::getpid(),
          .control = control_endpoints(core, where),
          .data = core.own_endpoint(),
          .arena_path = std::move(arena.path)};
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
  auto events =
    std::make_shared<port_messenger>(caf::actor_cast<caf::strong_actor_ptr>(core.transfers()));
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
                            .interface = system->message_types(actor),
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

cluster::cluster(node& owner) : core_(&owner.core()) {
  // nop
}

cluster::~cluster() {
  // In a forked child, the mutex may be locked for ever.
  if (core_->at_home()) {
    auto& all = offered();
    std::unique_lock guard{all.mutex};
    std::erase_if(all.known, [this](const auto& each) { return each.second == this; });
  }
  end();
}

// -- listening and joining -----------------------------------------------------------------------

/// Throws if the node is of no use any more: its actor system may be gone.
void cluster::require_open() const {
  if (core_->closing())
    throw object_error{core_->shutting_down_error()};
}

std::uint16_t cluster::listen(const std::string& address, std::uint16_t port) {
  require_open();
  require_may_block("cluster::listen", instead_of_waiting);
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
void cluster::open(const std::string& address, std::uint16_t port) {
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
                 begin_membership{.self = describe(*core_, where),
                                  .config = {.speaks = dialect_of(core_->options().cluster)},
                                  .max_message_bytes = max_message_bytes(core_->options())});
  open_to_others(*control, *core_, actor_);
}

/// Opens both ports. Returns the one that nodes join through, where they wait still.
std::shared_ptr<control_port> cluster::publish(const endpoint& where) {
  auto opened = control_port::open(where, {});
  if (const auto* failure = std::get_if<std::string>(&opened))
    refuse(error_type::invalid_argument, *failure);
  core_->start_cluster();
  open_data_port(*core_, where.address);
  return std::get<std::unique_ptr<control_port>>(std::move(opened));
}

void cluster::join(const std::string& address, std::uint16_t port) {
  require_open();
  require_no_watcher(*core_, "cluster::join");
  require_may_block("cluster::join", instead_of_waiting);
  if (!listens()) {
    // It may take long to find out what a name stands for.
    auto own_address = address_to_join_from(*core_, {address, port});
    std::unique_lock guard{mutex_};
    if (!actor_ && !left_)
      open(own_address, 0);
  }
  auto answer = make_answer<std::optional<join_failure>>(*core_);
  auto outcome = answer->get_future();
  caf::anon_send(require_actor(), join_through{{address, port}, std::move(answer)});
  if (!await(*core_, outcome))
    throw object_error{core_->shutting_down_error()};
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

bool cluster::listens() const {
  std::unique_lock guard{mutex_};
  return actor_ || left_;
}

void cluster::follow_options() {
  require_open();
  if (take_over())
    return;
  const auto& settings = core_->system().config();
  if (auto where = caf::get_if<std::string>(&settings, "mobula.listen")) {
    auto [address, port] = parse_endpoint("listen", *where);
    listen(address, port);
  }
  if (auto where = caf::get_if<std::string>(&settings, "mobula.join")) {
    auto [address, port] = parse_endpoint("join", *where);
    join(address, port);
  }
}

void cluster::offer() {
  auto& all = offered();
  std::unique_lock guard{all.mutex};
  if (port() != 0)
    all.known[core_.get()] = this;
}

/// Returns whether there was an object to take over from. The registry's mutex comes first.
bool cluster::take_over() {
  auto& all = offered();
  std::unique_lock guard{all.mutex};
  auto found = all.known.find(core_.get());
  if (found == all.known.end() || found->second == this)
    return false;
  auto& former = *found->second;
  std::scoped_lock both{mutex_, former.mutex_};
  if (actor_ || left_ || former.left_)
    return false;
  actor_ = std::exchange(former.actor_, nullptr);
  port_ = std::exchange(former.port_, 0);
  all.known.erase(found);
  return true;
}

// -- members -------------------------------------------------------------------------------------

std::vector<member_info> cluster::members() const {
  core_->require_home();
  require_no_watcher(*core_, "cluster::members");
  require_may_block("cluster::members", "cluster::watch");
  cluster_actor actor;
  {
    std::unique_lock guard{mutex_};
    if (!actor_ || core_->services_gone())
      return {};
    actor = actor_;
  }
  auto answer = make_answer<std::vector<member_info>>(*core_);
  auto result = answer->get_future();
  caf::anon_send(actor, list_members{std::move(answer)});
  if (!await(*core_, result))
    return {};
  try {
    return result.get();
  } catch (const std::future_error&) {
    return {};
  }
}

std::uint16_t cluster::port() const {
  core_->require_home();
  std::unique_lock guard{mutex_};
  return port_;
}

void cluster::watch(std::function<void(const member_event&)> watcher) {
  require_open();
  if (!watcher)
    refuse(error_type::invalid_argument, "there is nothing to call in this std::function");
  caf::anon_send(require_actor(), watch_members{std::move(watcher)});
}

void cluster::leave() {
  require_no_watcher(*core_, "cluster::leave");
  require_may_block("cluster::leave", instead_of_waiting);
  end();
}

void cluster::end() {
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

cluster_actor cluster::require_actor() const {
  std::unique_lock guard{mutex_};
  if (left_)
    refuse(error_type::shutting_down, "this node has left its cluster; start another one");
  if (!actor_)
    refuse(error_type::invalid_argument, "this node does not listen yet; call listen first");
  return actor_;
}

// -- options -------------------------------------------------------------------------------------

endpoint parse_endpoint(std::string_view option, std::string_view text) {
  auto split = text.rfind(':');
  std::uint16_t port = 0;
  if (split != std::string_view::npos) {
    auto digits = text.substr(split + 1);
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    auto address = text.substr(0, split);
    if (address.starts_with('[') && address.ends_with(']'))
      address = address.substr(1, address.size() - 2);
    if (error == std::errc{} && end == digits.data() + digits.size())
      return {std::string{address}, port};
  }
  refuse(error_type::invalid_argument,
         fmt::format("option mobula.{} is \"{}\", but must be ADDRESS:PORT with a port from 0 to "
                     "65535, such as 127.0.0.1:4242",
                     option, text));
}

} // namespace mobula
