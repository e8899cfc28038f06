// The places of a node: what its options say, put together with what the system knows.

#include "mobula/runtime/node_places.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "mobula/actors/membership/network_address.hpp"
#include "mobula/actors/node/node_core.hpp"

namespace mobula::internal {

namespace {

[[noreturn]] void refuse(std::string text) {
  throw object_error{{.type = error_type::invalid_argument, .message = std::move(text)}};
}

std::vector<std::string> numbers_of(const std::string& name, const std::string& label) {
  auto found = numeric_addresses(name);
  if (const auto* failure = std::get_if<address_failure>(&found))
    refuse(fmt::format("{}: {}", label, failure->text));
  return std::get<std::vector<std::string>>(std::move(found));
}

/// A name may stand for an IPv6 address that the host has not, and comes first all the same.
std::string likeliest_of(const std::vector<std::string>& numbers) {
  auto v4 = std::ranges::find_if(
    numbers, [](const std::string& number) { return number.find(':') == std::string::npos; });
  return v4 != numbers.end() ? *v4 : numbers.front();
}

/// What the option says, as it was checked when the node started.
std::vector<endpoint> advertised_by(const node_core& core) {
  std::vector<endpoint> result;
  for (const auto& each : core.options().advertise)
    if (auto where = read_advertised(each))
      result.push_back(*std::move(where));
  return result;
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

} // namespace

std::string listening_number(const node_core& core, const endpoint& asked) {
  auto number = asked.address.empty()
                  ? std::string{"127.0.0.1"}
                  : likeliest_of(numbers_of(asked.address, "cannot listen at " + to_string(asked)));
  if (auto objection = objection_to_listening(asked, number, core.options().listening))
    refuse(*std::move(objection));
  return number;
}

std::string address_to_join_from(const node_core& core, const endpoint& target) {
  auto label = "cannot join through " + to_string(target);
  // The dial says in words what is wrong with an empty one.
  auto numbers =
    target.address.empty() ? std::vector<std::string>{} : numbers_of(target.address, label);
  auto place = place_to_join_from(target, numbers, core.options().listening);
  if (const auto* objection = std::get_if<std::string>(&place))
    refuse(fmt::format("{}: {}", label, *objection));
  auto address = std::get<joining_place>(std::move(place)).address;
  return address.empty() ? all_addresses() : address;
}

std::vector<endpoint> control_endpoints(const node_core& core, const endpoint& where) {
  return endpoints_to_advertise(where, interface_addresses(), advertised_by(core));
}

/// A data port is not dialed by name: its one thread must not wait for an answer.
std::vector<endpoint> data_endpoints(const node_core& core, const endpoint& where) {
  std::vector<endpoint> advertised;
  for (const auto& each : advertised_by(core))
    for (auto& number : numbers_of(each.address, "option mobula.advertise"))
      advertised.push_back({plain_address(number), where.port});
  return endpoints_to_advertise(where, interface_addresses(), advertised);
}

node_record own_record(const node_core& core, const endpoint& where) {
  auto arena = own_arena(core);
  return {.incarnation = core.incarnation(),
          .name = core.options().name.empty() ? fmt::format("{}:{}", host_name(), ::getpid())
                                              : core.options().name,
          .host = std::move(arena.host),
          .process_id = ::getpid(),
          .control = control_endpoints(core, where),
          .data = core.own_endpoint(),
          .arena_path = std::move(arena.path)};
}

} // namespace mobula::internal
