// The system calls behind addresses: resolving, connecting within a limit, listening, and the
// interfaces of this host. Which addresses are used is decided in address_choice.cpp.

#include "mobula/actors/membership/network_address.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace mobula {

namespace {

std::string describe(int error) {
  return std::generic_category().message(error);
}

struct free_addresses {
  void operator()(addrinfo* list) const noexcept {
    ::freeaddrinfo(list);
  }
};

using address_list = std::unique_ptr<addrinfo, free_addresses>;

std::variant<address_list, std::string> resolve(const endpoint& where, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* result = nullptr;
  const auto* name = where.address.empty() ? nullptr : where.address.c_str();
  auto error = ::getaddrinfo(name, std::to_string(where.port).c_str(), &hints, &result);
  if (error == 0)
    return address_list{result};
  return std::string{error == EAI_SYSTEM ? describe(errno) : ::gai_strerror(error)};
}

std::string numeric(const sockaddr* address, socklen_t size) {
  char text[NI_MAXHOST] = {};
  auto error = ::getnameinfo(address, size, text, sizeof(text), nullptr, 0, NI_NUMERICHOST);
  return error == 0 ? text : "";
}

/// Waits for the end of a connect, which signals do not cut short. Returns the error number, or 0.
int await_connect(int socket, std::chrono::milliseconds limit) {
  using std::chrono::milliseconds;
  auto due = std::chrono::steady_clock::now() + limit;
  for (auto left = limit;;
       left = std::chrono::ceil<milliseconds>(due - std::chrono::steady_clock::now())) {
    pollfd waiting{.fd = socket, .events = POLLOUT, .revents = 0};
    auto ready = ::poll(&waiting, 1, static_cast<int>(std::max(left, milliseconds{0}).count()));
    if (ready > 0)
      break;
    if (ready == 0)
      return ETIMEDOUT;
    if (errno != EINTR)
      return errno;
  }
  int error = 0;
  socklen_t size = sizeof(error);
  return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

/// Returns the error number of a connect, or 0 with a socket.
std::pair<int, owned_socket> try_connect(const addrinfo& address, std::chrono::milliseconds limit) {
  owned_socket attempt{::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  auto ended = [&attempt](int error) {
    return std::pair{error, std::move(attempt)};
  };
  if (attempt.get() < 0)
    return ended(errno);
  if (::connect(attempt.get(), address.ai_addr, address.ai_addrlen) == 0)
    return ended(0);
  // An interrupted one goes on as well.
  if (errno != EINPROGRESS && errno != EINTR)
    return ended(errno);
  return ended(await_connect(attempt.get(), limit));
}

/// Returns the error number, or 0 with a socket.
std::pair<int, owned_socket> try_listen(const addrinfo& address) {
  owned_socket attempt{::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  auto ended = [&attempt](int error) {
    return std::pair{error, std::move(attempt)};
  };
  if (attempt.get() < 0)
    return ended(errno);
  constexpr int yes = 1;
  constexpr int no = 0;
  ::setsockopt(attempt.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (address.ai_family == AF_INET6)
    ::setsockopt(attempt.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
  if (::bind(attempt.get(), address.ai_addr, address.ai_addrlen) != 0
      || ::listen(attempt.get(), SOMAXCONN) != 0)
    return ended(errno);
  return ended(0);
}

} // namespace

std::variant<owned_socket, address_failure> connect_to(const endpoint& target,
                                                       std::chrono::milliseconds limit) {
  if (target.port == 0 || target.address.empty())
    return address_failure{dial_failure::lasting,
                           fmt::format("\"{}\" names no address and port to dial; give those that "
                                       "a member listens at",
                                       to_string(target))};
  auto found = resolve(target, AI_NUMERICSERV);
  if (const auto* text = std::get_if<std::string>(&found))
    return address_failure{dial_failure::lasting,
                           fmt::format("cannot resolve the name \"{}\": {}; check the spelling, or "
                                       "give a number",
                                       target.address, *text)};
  int error = 0;
  for (const auto* next = std::get<address_list>(found).get(); next != nullptr;
       next = next->ai_next) {
    auto [failure, socket] = try_connect(*next, limit);
    if (failure == 0)
      return std::move(socket);
    error = failure;
  }
  return address_failure{dial_failure::passing,
                         fmt::format("nobody answers at {}: {}; is a member of the cluster "
                                     "listening there?",
                                     to_string(target), describe(error))};
}

std::variant<owned_socket, std::string> listen_at(const endpoint& where) {
  auto refuse = [&](const std::string& why, std::string_view remedy) {
    return fmt::format("cannot listen at {}: {}; {}", to_string(where), why, remedy);
  };
  auto found = resolve(where, AI_PASSIVE | AI_NUMERICSERV);
  if (const auto* text = std::get_if<std::string>(&found))
    return refuse(*text, "give an address of this host");
  auto [error, socket] = try_listen(*std::get<address_list>(found));
  if (error == 0)
    return std::move(socket);
  if (error == EADDRINUSE)
    return refuse("the port is in use", "choose another, or 0 for any that is free");
  return refuse(describe(error), "give an address of this host and a port that this user may open");
}

std::uint16_t port_of(const owned_socket& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return 0;
  // Both families have the port at the same place.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
}

std::vector<std::string> interface_addresses() {
  std::vector<std::string> result;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0)
    return result;
  std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner{list, &::freeifaddrs};
  for (const auto* next = list; next != nullptr; next = next->ifa_next) {
    if (next->ifa_addr == nullptr || (next->ifa_flags & IFF_UP) == 0)
      continue;
    auto family = next->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6)
      continue;
    auto size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    if (auto number = numeric(next->ifa_addr, static_cast<socklen_t>(size)); !number.empty())
      result.push_back(std::move(number));
  }
  return result;
}

std::string all_addresses() {
  owned_socket attempt{::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  auto works = attempt.get() >= 0
               && ::bind(attempt.get(), reinterpret_cast<const sockaddr*>(&any), sizeof(any)) == 0;
  return works ? "::" : "0.0.0.0";
}

std::variant<std::vector<std::string>, address_failure> numeric_addresses(const std::string& name) {
  auto found = name.empty() ? std::variant<address_list, std::string>{"there is no name"}
                            : resolve({name, 0}, AI_NUMERICSERV);
  if (const auto* text = std::get_if<std::string>(&found))
    return address_failure{dial_failure::lasting,
                           fmt::format("cannot resolve the name \"{}\": {}; check the spelling, or "
                                       "give a number",
                                       name, *text)};
  std::vector<std::string> result;
  for (const auto* next = std::get<address_list>(found).get(); next != nullptr;
       next = next->ai_next)
    result.push_back(numeric(next->ai_addr, next->ai_addrlen));
  return result;
}

} // namespace mobula
