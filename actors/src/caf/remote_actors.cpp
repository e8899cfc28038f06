// Requests to actors of other nodes that end with the connection, and handles that outlive it.
//
// Waiters are listed by the proxy that they wait for, in one table of the process, and each proxy
// tells the table of its end: so a request costs the same however many others are under way, and
// leaves nothing at the proxy when it is answered.

#include "mobula/actors/caf/remote_actors.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include <caf/attachable.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/io/network/multiplexer.hpp>
#include <fmt/format.h>

#include "mobula/actors/caf/caf_clock.hpp"
#include "mobula/actors/caf/caf_connection.hpp"
#include "mobula/actors/caf/caf_error.hpp"
#include "mobula/actors/caf/request_limit.hpp"
#include "mobula/actors/caf/sending.hpp"

namespace mobula {

namespace {

/// What the end of an actor is to somebody who waits.
enum class waited_for : std::uint8_t {
  answer, ///< of the other node, whose own news are better while the connection stands
  end
};

struct waiter {
  caf::weak_actor_ptr who;
  caf::message_id response;
  waited_for what;
};

/// | field   | raised by               | lowered by                                     |
/// |---------|-------------------------|------------------------------------------------|
/// | actors_ | the first who waits     | the actor's end                                |
/// | waiters | `add`                   | `remove`, the actor's end                      |
///
/// Thread-safe.
class waiter_table {
public:
  using key = const caf::actor_control_block*;

  /// Lives as long as the process: actors end at any time.
  static waiter_table& of_process() {
    static auto* table = new waiter_table;
    return *table;
  }

  enum class watched : std::uint8_t { already, not_yet };

  struct place {
    std::uint64_t number;
    watched actor; ///< whether the actor tells of its end already
  };

  place add(key actor, waiter added) {
    std::unique_lock guard{mutex_};
    auto [position, fresh] = actors_.try_emplace(actor);
    position->second.emplace(++last_number_, std::move(added));
    return {last_number_, fresh ? watched::not_yet : watched::already};
  }

  void remove(key actor, std::uint64_t number) {
    std::unique_lock guard{mutex_};
    if (auto known = actors_.find(actor); known != actors_.end())
      known->second.erase(number);
  }

  /// The actor has ended. Returns who waited for it.
  std::vector<waiter> take(key actor) {
    std::unique_lock guard{mutex_};
    auto known = actors_.extract(actor);
    std::vector<waiter> result;
    if (!known.empty())
      for (auto& [number, each] : known.mapped())
        result.push_back(std::move(each));
    return result;
  }

private:
  std::mutex mutex_;
  /// By number: who waits is told in the order of waiting, the same in each run of a simulation.
  std::unordered_map<key, std::map<std::uint64_t, waiter>> actors_;
  std::uint64_t last_number_ = 0;
};

error_info error_of(const std::string& actor, const caf::error& reason) {
  if (reason == caf::exit_reason::remote_link_unreachable)
    return {.type = error_type::node_died,
            .message = fmt::format("the connection with the node of actor {} is lost, and with it "
                                   "what was asked there; ask again when the node is back",
                                   actor)};
  return {.type = error_type::actor_died,
          .message = reason
                       ? fmt::format("actor {} has ended: {}", actor, to_error_info(reason).message)
                       : fmt::format("actor {} has ended", actor)};
}

void answer(const waiter& waiting, error_info info) {
  if (auto who = caf::actor_cast<caf::strong_actor_ptr>(waiting.who))
    who->enqueue(
      caf::make_mailbox_element(nullptr, waiting.response, {}, to_caf_error(std::move(info))),
      nullptr);
}

/// Tells the table of an actor's end.
class end_report final : public caf::attachable {
public:
  explicit end_report(const caf::strong_actor_ptr& actor)
    : actor_(actor.get()), name_(to_string(actor)) {
    // nop
  }

  void actor_exited(const caf::error& reason, caf::execution_unit*) override {
    auto is_lost = reason == caf::exit_reason::remote_link_unreachable;
    for (const auto& waiting : waiter_table::of_process().take(actor_))
      if (is_lost || waiting.what == waited_for::end)
        answer(waiting, error_of(name_, reason));
  }

private:
  waiter_table::key actor_;
  std::string name_;
};

/// One who waits. Begins when it is told for whom, and ends with its last owner.
class wait_entry {
public:
  explicit wait_entry(waiter waiting) : waiting_(std::move(waiting)) {
    // nop
  }

  wait_entry(const wait_entry&) = delete;
  wait_entry& operator=(const wait_entry&) = delete;

  ~wait_entry() {
    if (actor_)
      waiter_table::of_process().remove(actor_.get(), number_);
  }

  /// REQUIRES: called once.
  void begin(const caf::strong_actor_ptr& actor) {
    actor_ = actor;
    // If it has ended by now, it says so at once.
    auto place = waiter_table::of_process().add(actor.get(), waiting_);
    number_ = place.number;
    if (place.actor == waiter_table::watched::not_yet)
      actor->get()->attach(caf::attachable_ptr{new end_report{actor}});
  }

  /// What is asked was sent. A proxy that ended just before, as it does with its actor, has dropped
  /// it, and the other node, which does not know of it, has no news: the end is the answer then. If
  /// that node has one all the same, the second of the two is ignored.
  void sent() const {
    if (waiting_.what == waited_for::answer && has_ended(actor_))
      actor_->get()->attach_functor(
        [waiting = waiting_, name = to_string(actor_)](const caf::error& reason) {
          answer(waiting, error_of(name, reason));
        });
  }

  void end_without(const caf::strong_actor_ptr& actor) const {
    answer(waiting_, error_of(to_string(actor), caf::exit_reason::remote_link_unreachable));
  }

private:
  waiter waiting_;
  std::uint64_t number_ = 0;
  caf::strong_actor_ptr actor_; ///< stays, so that its place in the table is not another's
};

/// A wait with a time limit.
struct limited_wait {
  limited_wait(caf::local_actor& self, caf::message_id response, caf_clock::time_point due,
               actor_wait_token entry)
    : entry(std::move(entry)), limit(self, response, due) {
    // nop
  }

  actor_wait_token entry;
  request_limit limit;
};

bool is_remote(const caf::local_actor& self, const caf::strong_actor_ptr& actor) {
  return actor->node() != self.home_system().node();
}

/// Calls `on_found` with a proxy for the same actor that lives, or with null if there is no
/// connection with its node. In the thread of CAF's network: nowhere else is it safe from the end
/// of that.
template <class F>
void find_again(caf::actor_system& system, const caf::strong_actor_ptr& lost, F on_found) {
  auto broker = network_broker(system);
  system.middleman().backend().post([broker, lost, on_found = std::move(on_found)] {
    auto* content = caf::actor_cast<caf::abstract_actor*>(broker);
    if (content->getf(caf::abstract_actor::is_terminated_flag))
      return on_found(nullptr);
    auto& basp = static_cast<caf::io::basp_broker&>(*content);
    auto route = basp.instance.tbl().lookup(lost->node());
    forget_last_hop(basp);
    on_found(route ? basp.proxies().get_or_put(lost->node(), lost->id()) : nullptr);
  });
}

actor_wait_token start_waiting(caf::local_actor& self, const caf::strong_actor_ptr& actor,
                               caf::message_id request, waited_for what, caf::message content) {
  auto myself = caf::actor_cast<caf::strong_actor_ptr>(self.address());
  auto send = [myself, request, content = std::move(content)](const caf::strong_actor_ptr& to,
                                                              caf::execution_unit* context) {
    if (!content.empty())
      to->enqueue(caf::make_mailbox_element(myself, request, {}, content), context);
  };
  // CAF answers for actors of this system itself.
  if (what == waited_for::answer && !is_remote(self, actor)) {
    send(actor, self.context());
    return nullptr;
  }
  auto entry = std::make_shared<wait_entry>(
    waiter{caf::actor_cast<caf::weak_actor_ptr>(myself), request.response_id(), what});
  if (is_remote(self, actor) && has_ended(actor)) {
    find_again(self.home_system(), actor,
               [actor, send, waiting = std::weak_ptr{entry}](const caf::strong_actor_ptr& found) {
                 auto entry = waiting.lock();
                 if (!entry)
                   return;
                 if (!found)
                   return entry->end_without(actor);
                 entry->begin(found);
                 send(found, nullptr);
                 entry->sent();
               });
    return entry;
  }
  entry->begin(actor);
  send(actor, self.context());
  entry->sent();
  return entry;
}

} // namespace

void find_remote_address(caf::scheduled_actor& self, const caf::node_id& node,
                         std::function<void(const std::string&)> on_found) {
  auto& system = self.home_system();
  if (node == system.node() || !system.has_middleman())
    return;
  auto myself = caf::actor_cast<caf::strong_actor_ptr>(self.address());
  auto request = self.new_request_id(caf::message_priority::normal);
  self.add_multiplexed_response_handler(
    request.response_id(),
    caf::behavior{[on_found = std::move(on_found)](const caf::node_id&, const std::string& address,
                                                   std::uint16_t) {
                    if (!address.empty())
                      on_found(address);
                  },
                  [](const caf::error&) {
                    // nop
                  }});
  caf::actor_cast<caf::strong_actor_ptr>(system.middleman().actor_handle())
    ->enqueue(caf::make_mailbox_element(myself, request, {}, caf::get_atom_v, node),
              self.context());
}

actor_wait_token send_request(caf::local_actor& self, const caf::strong_actor_ptr& receiver,
                              caf::message_id request, caf::message content,
                              const std::optional<time_span>& limit) {
  if (!receiver) {
    answer_request(caf::actor_cast<caf::strong_actor_ptr>(self.address()), request,
                   caf::make_error(caf::sec::invalid_argument));
    return nullptr;
  }
  auto entry = start_waiting(self, receiver, request, waited_for::answer, std::move(content));
  auto due = limit ? deadline_after(self.clock().now(), *limit) : caf_clock::time_point::max();
  if (due == caf_clock::time_point::max())
    return entry;
  return std::make_shared<limited_wait>(self, request.response_id(), due, std::move(entry));
}

void watch_actor(caf::scheduled_actor& self, const caf::strong_actor_ptr& actor,
                 std::function<void(caf::error&)> on_end) {
  auto request = self.new_request_id(caf::message_priority::normal);
  actor_wait_token token;
  if (actor)
    token = start_waiting(self, actor, request, waited_for::end, {});
  else
    answer_request(caf::actor_cast<caf::strong_actor_ptr>(self.address()), request,
                   to_caf_error({.type = error_type::actor_died,
                                 .message = "there is no actor behind this handle"}));
  self.add_multiplexed_response_handler(
    request.response_id(), caf::behavior{[on_end = std::move(on_end), token](caf::error& reason) {
      on_end(reason);
    }});
}

void send_anew(caf::local_actor& self, const caf::strong_actor_ptr& receiver,
               caf::message content) {
  auto myself = caf::actor_cast<caf::strong_actor_ptr>(self.address());
  auto send = [myself, content = std::move(content)](const caf::strong_actor_ptr& to) {
    if (to)
      to->enqueue(caf::make_mailbox_element(myself, caf::make_message_id(), {}, content), nullptr);
  };
  if (is_remote(self, receiver) && has_ended(receiver))
    find_again(self.home_system(), receiver, send);
  else
    send(receiver);
}

} // namespace mobula
