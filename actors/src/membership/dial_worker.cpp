// Connects to another node in a thread of its own, since resolving and connecting may take long,
// and then has CAF shake hands over that socket within a limit, which CAF's own connect does not
// have.

#include "mobula/actors/membership/dial_worker.hpp"

#include <utility>

#include <caf/event_based_actor.hpp>
#include <caf/sec.hpp>
#include <fmt/format.h>

#include "mobula/actors/caf/request_limit.hpp"

#include "mobula/actors/caf/sending.hpp"

namespace mobula {

namespace {

address_failure lasting(std::string text) {
  return {dial_failure::lasting, std::move(text)};
}

std::variant<caf::strong_actor_ptr, address_failure> check(caf::actor_system& system,
                                                           const caf::strong_actor_ptr& peer,
                                                           const std::set<std::string>& offered,
                                                           const dial_job& job) {
  if (peer == nullptr)
    return lasting(fmt::format("no actor is published at {}; does a Mobula node listen there?",
                               to_string(job.target)));
  if (!system.assignable(offered, job.interface))
    return lasting(fmt::format("the CAF actor at {} is no Mobula node; give the address of a "
                               "member",
                               to_string(job.target)));
  return peer;
}

void dial_worker(caf::event_based_actor*, const caf::strong_actor_ptr& client,
                 const dial_job& job) {
  auto outcome = connect_to(job.target, job.limit);
  if (auto* failure = std::get_if<address_failure>(&outcome))
    return send_to(client, dial_connected{job, std::move(*failure)});
  auto socket = std::make_shared<owned_socket>(std::get<owned_socket>(std::move(outcome)));
  send_to(client, dial_connected{job, std::move(socket)});
}

} // namespace

address_failure explain_handshake(const caf::error& error, const dial_job& job) {
  auto silent = [&](const std::string& how_long) {
    return address_failure{dial_failure::silent,
                           fmt::format("{} accepts connections, but {}; is the process there "
                                       "stopped, or no Mobula node?",
                                       to_string(job.target), how_long)};
  };
  if (error == caf::sec::request_timeout)
    return silent(fmt::format("did not answer within {} ms", job.limit.count()));
  // CAF's heartbeat ends what says nothing at all, by a time of its own: sooner, where it is short.
  if (error == caf::sec::connection_timeout)
    return silent("said nothing for as long as mobula.heartbeat-timeout allows");
  // The port accepted a connection a moment ago, so this may be a node that ends, or that begins.
  return {dial_failure::passing,
          fmt::format("the handshake with {} failed ({}); does a Mobula node listen there?",
                      to_string(job.target), caf::to_string(error))};
}

void spawn_dial_worker(caf::actor_system& system, caf::strong_actor_ptr client, dial_job job) {
  system.spawn<caf::detached + caf::hidden>(dial_worker, std::move(client), std::move(job));
}

void shake_hands(caf::scheduled_actor& self, const dial_connected& dialed) {
  const auto& job = dialed.job;
  auto client = caf::actor_cast<caf::strong_actor_ptr>(self.address());
  if (const auto* failure = std::get_if<address_failure>(&dialed.outcome))
    return send_to(client, dial_ended{job.number, *failure, {}});
  // What CAF's own connect does, but with a socket that was connected within a limit.
  auto& system = self.system();
  auto connection =
    make_connection(system, std::move(*std::get<std::shared_ptr<owned_socket>>(dialed.outcome)),
                    {.peer = handshake_of::listener, .max_message_bytes = job.max_message_bytes});
  auto grip = connection.grip;
  auto request = self.new_request_id(caf::message_priority::normal);
  auto limit =
    std::make_shared<request_limit>(self, request.response_id(), self.clock().now() + job.limit);
  self.add_multiplexed_response_handler(
    request.response_id(),
    caf::behavior{
      [&system, client, job, limit, grip](const caf::node_id&, const caf::strong_actor_ptr& peer,
                                          const std::set<std::string>& offered) {
        send_to(client, dial_ended{job.number, check(system, peer, offered, job), grip});
      },
      [&system, client, job, limit, grip](const caf::error& error) {
        grip.drop(system);
        send_to(client, dial_ended{job.number, explain_handshake(error, job), {}});
      }});
  greet(self, request, std::move(connection), job.target.port);
}

} // namespace mobula
