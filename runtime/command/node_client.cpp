// Asks a node, and by what that says all others of its cluster, for reports: dials each as nodes
// do, but joins nothing. Members that do not answer are named.

#include "node_client.hpp"

#include <chrono>
#include <optional>
#include <set>

#include <caf/event_based_actor.hpp>
#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>
#include <fmt/format.h>

#include "mobula/actors/caf/caf_error.hpp"
#include "mobula/actors/caf/sending.hpp"
#include "mobula/actors/caf/typed_interface.hpp"
#include "mobula/actors/membership/dial_worker.hpp"

namespace mobula::command {

namespace {

using reporter = caf::typed_actor<answers<ask_report, node_report>>;

constexpr auto dial_limit = std::chrono::seconds{3};
constexpr auto answer_limit = std::chrono::seconds{10};

/// Returns the members that a node knows, those that it cannot connect to among them.
std::vector<member_hint> nodes_named_by(const node_report& report) {
  auto result = report.members;
  for (const auto& gap : report.unreachable)
    result.push_back({gap.node, gap.control});
  return result;
}

[[noreturn]] void fail(std::string text) {
  throw object_error{{.type = error_type::node_died, .message = std::move(text)}};
}

} // namespace

caf::strong_actor_ptr node_client::connect(const endpoint& where) {
  caf::scoped_actor self{system_};
  auto asker = caf::actor_cast<caf::strong_actor_ptr>(self.ptr());
  auto dialer = system_.spawn<caf::hidden>([asker](caf::event_based_actor* myself) {
    return caf::behavior{[=](const dial_connected& dialed) { shake_hands(*myself, dialed); },
                         [=](const dial_ended& ended) {
                           send_to(asker, ended);
                           myself->quit();
                         }};
  });
  spawn_dial_worker(system_, caf::actor_cast<caf::strong_actor_ptr>(dialer),
                    {.number = dial_id{++dials_},
                     .target = where,
                     .limit = dial_limit,
                     .interface = system_.message_types<reporter>()});
  std::variant<caf::strong_actor_ptr, address_failure> outcome;
  self->receive([&](dial_ended& ended) { outcome = std::move(ended.outcome); });
  if (auto* failure = std::get_if<address_failure>(&outcome))
    fail(failure->text);
  return std::get<caf::strong_actor_ptr>(std::move(outcome));
}

node_report node_client::ask(const endpoint& where, const ask_report& question) {
  auto node = caf::actor_cast<reporter>(connect(where));
  caf::scoped_actor self{system_};
  std::optional<node_report> result;
  caf::error error;
  self->request(node, answer_limit, question)
    .receive([&](node_report& report) { result = std::move(report); },
             [&](caf::error& reason) { error = std::move(reason); });
  if (!result)
    fail(fmt::format("the node at {} did not report: {}; is it stopped, or of another version?",
                     to_string(where), to_error_info(error).message));
  return *std::move(result);
}

node_report node_client::ask_first(const std::vector<endpoint>& addresses,
                                   const ask_report& question) {
  std::string reasons;
  for (const auto& where : addresses) {
    try {
      return ask(where, question);
    } catch (const object_error& error) {
      reasons += (reasons.empty() ? "" : "; ") + error.info().message;
    }
  }
  fail(reasons.empty() ? "it has no address" : reasons);
}

cluster_report node_client::ask_all(const endpoint& where, const ask_report& question) {
  cluster_report result;
  std::set<incarnation_id> known;
  std::vector<member_hint> found;
  auto answered = [&](node_report report) {
    known.insert(report.incarnation);
    for (const auto& member : nodes_named_by(report))
      if (known.insert(member.incarnation).second)
        found.push_back(member);
    result.nodes.push_back(std::move(report));
  };
  answered(ask(where, question));
  for (std::size_t next = 0; next < found.size(); ++next) {
    auto member = found[next];
    try {
      answered(ask_first(member.control, question));
    } catch (const object_error& error) {
      auto address = member.control.empty() ? endpoint{} : member.control.front();
      result.silent.push_back({std::move(address), error.info().message});
    }
  }
  return result;
}

} // namespace mobula::command
