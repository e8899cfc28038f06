// Whom a data port lets connect, and where it finds the others.

#include "data_peers.hpp"

#include <algorithm>
#include <utility>

namespace mobula {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

std::optional<tcp::endpoint> endpoint_of(const data_address& address) {
  boost::system::error_code error;
  auto ip = asio::ip::make_address(address.ip, error);
  return error ? std::nullopt : std::optional{tcp::endpoint{ip, address.port}};
}

bool data_peers::believes(const hello_frame& greeting) const {
  auto known = admitted_.find(greeting.sender);
  return known != admitted_.end() && greeting.receiver == self_
         && same_token(known->second, greeting.token);
}

void data_peers::add(const incarnation_id& node, std::span<const data_address> addresses,
                     const transfer_token& token, transfer_events& events) {
  peer fresh{.endpoints = {}, .token = token};
  for (const auto& address : addresses)
    if (auto endpoint = endpoint_of(address))
      fresh.endpoints.push_back(*endpoint);
    else
      events.connection_refused("data port: cannot connect to " + to_string(node) + " at "
                                + address.ip + ", which is no address in numbers");
  if (!fresh.endpoints.empty())
    peers_.insert_or_assign(node, std::move(fresh));
}

void data_peers::reached(const incarnation_id& node, const tcp::endpoint& where) {
  auto known = peers_.find(node);
  if (known == peers_.end())
    return;
  auto& endpoints = known->second.endpoints;
  // It may have been told anew meanwhile, and have other addresses now.
  if (auto found = std::ranges::find(endpoints, where); found != endpoints.end())
    std::rotate(endpoints.begin(), found, found + 1);
}

void data_peers::remove(const incarnation_id& node) {
  admitted_.erase(node);
  peers_.erase(node);
}

const data_peers::peer* data_peers::find(const incarnation_id& node) const {
  auto known = peers_.find(node);
  return known == peers_.end() ? nullptr : &known->second;
}

} // namespace mobula
