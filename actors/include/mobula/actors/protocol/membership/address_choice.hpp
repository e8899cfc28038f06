#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "mobula/actors/protocol/membership/listening_scope.hpp"
#include "mobula/store/port/endpoint.hpp"

/// Where a node listens, which addresses it tells others, and in which order they try them. No CAF,
/// no clock, no I/O: what the system knows is asked in `network_address.hpp`.
///
/// *The idea.* A node cannot know which of its addresses another one reaches, and neither can that
/// one. So all are told, and tried one after the other, with patience that is spread over them;
/// what has worked once is tried first from then on. The side that connects has a hint besides: the
/// address over which the two speak already.

namespace mobula {

/// Addresses of one node in a record; of more, the last network addresses are left out.
inline constexpr std::size_t max_advertised_endpoints = 16;

/// From where an address can be dialed.
enum class address_reach : std::uint8_t {
  named,      ///< it is no number: whatever its name stands for
  all,        ///< it stands for all addresses of a host, and cannot be dialed at all
  loopback,   ///< from the host itself
  link_local, ///< from one network, by who also names an interface
  network     ///< from others
};

[[nodiscard]] address_reach reach_of(const std::string& address);

/// Returns an address in numbers as others write it: without an interface, and as an IPv4 address
/// if it stands for one (`::ffff:10.0.0.1`). Names stay what they are.
[[nodiscard]] std::string plain_address(const std::string& address);

/// Reads `ADDRESS`, `ADDRESS:PORT` or `[ADDRESS]:PORT`, with port 0 if there is none. Returns
/// nothing for what no other node could dial.
[[nodiscard]] std::optional<endpoint> read_advertised(std::string_view text);

// -- listening ------------------------------------------------------------------------------------

/// Returns why a node must not listen at `asked`, whose address is `number`, with the remedy;
/// nothing if it may. Connections are not authenticated: whoever can make one can read and change
/// all values.
[[nodiscard]] std::optional<std::string>
objection_to_listening(const endpoint& asked, const std::string& number, listening_scope allowed);

/// Where a node listens that only joins. An empty address stands for all that the host has.
struct joining_place {
  std::string address;
};

/// Returns where a node listens that joins through `target`, a name that stands for `numbers`:
/// where the members that it meets there can connect to it. Or why it cannot, with the remedy.
[[nodiscard]] std::variant<joining_place, std::string>
place_to_join_from(const endpoint& target, std::span<const std::string> numbers,
                   listening_scope allowed);

// -- advertising ----------------------------------------------------------------------------------

/// Returns where others may find what listens at `where`, an address in numbers: what is
/// advertised, if anything; else that address or, if it stands for all, those of the host's
/// interfaces that it stands for, loopback last. At least one, at most `max_advertised_endpoints`,
/// each once.
[[nodiscard]] std::vector<endpoint> endpoints_to_advertise(const endpoint& where,
                                                           std::span<const std::string> interfaces,
                                                           std::span<const endpoint> advertised);

// -- trying ---------------------------------------------------------------------------------------

/// Returns `advertised` with those first that have the address `used`, over which this node and the
/// other one speak already. `used` may be empty: not known.
[[nodiscard]] std::vector<endpoint> used_first(std::vector<endpoint> advertised,
                                               const std::string& used);

/// Returns `advertised` with `reached` first, where the node answered before; also if it was not
/// advertised.
[[nodiscard]] std::vector<endpoint> reached_first(std::vector<endpoint> advertised,
                                                  const std::optional<endpoint>& reached);

/// Returns those of `advertised` that may lead to a node of another host: not its loopback
/// addresses, unless there are no others.
[[nodiscard]] std::vector<endpoint> without_loopback(std::vector<endpoint> advertised);

} // namespace mobula
