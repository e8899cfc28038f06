// Which addresses a node listens at, tells and tries.

#include "mobula/actors/protocol/membership/address_choice.hpp"

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include "mobula/actors/protocol/membership/member_checks.hpp"

namespace mobula {

namespace {

std::optional<in_addr> read_v4(const std::string& address) {
  in_addr result{};
  return ::inet_pton(AF_INET, address.c_str(), &result) == 1 ? std::optional{result} : std::nullopt;
}

std::optional<in6_addr> read_v6(const std::string& address) {
  in6_addr result{};
  return ::inet_pton(AF_INET6, address.c_str(), &result) == 1 ? std::optional{result}
                                                              : std::nullopt;
}

address_reach reach_of(const in_addr& address) {
  auto number = ntohl(address.s_addr);
  if (number == INADDR_ANY)
    return address_reach::all;
  if (number >> 24U == IN_LOOPBACKNET)
    return address_reach::loopback;
  constexpr std::uint32_t link_local_network = 0xA9FE; // 169.254
  return number >> 16U == link_local_network ? address_reach::link_local : address_reach::network;
}

address_reach reach_of(const in6_addr& address) {
  if (IN6_IS_ADDR_UNSPECIFIED(&address))
    return address_reach::all;
  if (IN6_IS_ADDR_LOOPBACK(&address))
    return address_reach::loopback;
  return IN6_IS_ADDR_LINKLOCAL(&address) ? address_reach::link_local : address_reach::network;
}

bool is_v6(const std::string& address) {
  return address.find(':') != std::string::npos;
}

/// Returns whether a socket that listens at all addresses of `where` listens at this one.
bool is_heard_at(const std::string& where, const std::string& address) {
  return is_v6(where) || !is_v6(address);
}

/// An address that a name or a list may have twice is tried once.
void add_once(std::vector<endpoint>& list, endpoint fresh) {
  if (std::ranges::find(list, fresh) == list.end())
    list.push_back(std::move(fresh));
}

std::optional<std::uint16_t> read_port(std::string_view text) {
  std::uint16_t port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  auto whole = error == std::errc{} && end == text.data() + text.size();
  return whole && port != 0 ? std::optional{port} : std::nullopt;
}

/// Where an address ends and its port begins; the end of the text if there is no port.
std::size_t end_of_address(std::string_view text) {
  if (text.starts_with('[')) {
    auto bracket = text.find(']');
    return bracket == std::string_view::npos ? text.size() : bracket + 1;
  }
  // With several colons it is an IPv6 address without brackets.
  auto colon = text.find(':');
  auto is_alone = colon != std::string_view::npos && text.rfind(':') == colon;
  return is_alone ? colon : text.size();
}

} // namespace

address_reach reach_of(const std::string& address) {
  auto plain = plain_address(address);
  if (auto number = read_v4(plain))
    return reach_of(*number);
  if (auto number = read_v6(plain))
    return reach_of(*number);
  return address_reach::named;
}

std::string plain_address(const std::string& address) {
  auto number = address.substr(0, address.find('%'));
  auto read = read_v6(number);
  if (!read)
    return address;
  if (!IN6_IS_ADDR_V4MAPPED(&*read))
    return number;
  constexpr std::size_t v4_offset = 12;
  char text[INET_ADDRSTRLEN] = {};
  ::inet_ntop(AF_INET, read->s6_addr + v4_offset, text, sizeof(text));
  return text;
}

std::optional<endpoint> read_advertised(std::string_view text) {
  auto end = end_of_address(text);
  auto address = text.substr(0, end);
  if (address.starts_with('['))
    address = address.ends_with(']') ? address.substr(1, address.size() - 2) : std::string_view{};
  endpoint result{std::string{address}, 0};
  if (!can_be_address(address) || reach_of(result.address) == address_reach::all)
    return std::nullopt;
  if (end == text.size())
    return result;
  auto port = text[end] == ':' ? read_port(text.substr(end + 1)) : std::nullopt;
  if (!port)
    return std::nullopt;
  result.port = *port;
  return result;
}

// -- listening ------------------------------------------------------------------------------------

std::optional<std::string> objection_to_listening(const endpoint& asked, const std::string& number,
                                                  listening_scope allowed) {
  if (allowed == listening_scope::any || reach_of(number) == address_reach::loopback)
    return std::nullopt;
  return fmt::format("cannot listen at {}: whoever can connect there could read and change all "
                     "values, since nodes do not authenticate each other; listen at 127.0.0.1, or "
                     "set mobula.insecure=true if you trust the whole network",
                     to_string(asked));
}

std::variant<joining_place, std::string> place_to_join_from(const endpoint& target,
                                                            std::span<const std::string> numbers,
                                                            listening_scope allowed) {
  auto is_loopback = [](const std::string& number) {
    return reach_of(number) == address_reach::loopback;
  };
  if (std::ranges::all_of(numbers, is_loopback))
    return joining_place{numbers.empty() || !std::ranges::all_of(numbers, is_v6) ? "127.0.0.1"
                                                                                 : "::1"};
  if (allowed == listening_scope::any)
    return joining_place{};
  return fmt::format("the members of the cluster at {} have to connect to this node too, which "
                     "listens at loopback only, since nodes do not authenticate each other; set "
                     "mobula.insecure=true if you trust the whole network",
                     to_string(target));
}

// -- advertising ----------------------------------------------------------------------------------

std::vector<endpoint> endpoints_to_advertise(const endpoint& where,
                                             std::span<const std::string> interfaces,
                                             std::span<const endpoint> advertised) {
  std::vector<endpoint> result;
  for (const auto& each : advertised)
    add_once(result, {each.address, each.port != 0 ? each.port : where.port});
  if (result.empty() && reach_of(where.address) != address_reach::all)
    result.push_back({plain_address(where.address), where.port});
  if (!result.empty()) {
    result.resize(std::min(result.size(), max_advertised_endpoints));
    return result;
  }
  for (auto reach : {address_reach::network, address_reach::loopback})
    for (const auto& address : interfaces)
      if (reach_of(address) == reach && is_heard_at(where.address, address))
        add_once(result, {plain_address(address), where.port});
  auto loopback = endpoint{"127.0.0.1", where.port};
  if (result.size() > max_advertised_endpoints || result.empty()) {
    result.resize(std::min(result.size(), max_advertised_endpoints - 1));
    add_once(result, loopback);
  }
  return result;
}

// -- trying ---------------------------------------------------------------------------------------

std::vector<endpoint> used_first(std::vector<endpoint> advertised, const std::string& used) {
  auto plain = plain_address(used);
  std::stable_partition(advertised.begin(), advertised.end(), [&](const endpoint& where) {
    return plain_address(where.address) == plain;
  });
  return advertised;
}

std::vector<endpoint> reached_first(std::vector<endpoint> advertised,
                                    const std::optional<endpoint>& reached) {
  if (!reached)
    return advertised;
  std::erase(advertised, *reached);
  advertised.insert(advertised.begin(), *reached);
  return advertised;
}

std::vector<endpoint> without_loopback(std::vector<endpoint> advertised) {
  auto result = advertised;
  std::erase_if(result, [](const endpoint& where) {
    return reach_of(where.address) == address_reach::loopback;
  });
  return result.empty() ? advertised : result;
}

} // namespace mobula
