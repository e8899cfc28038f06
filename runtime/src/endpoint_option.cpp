// Reads the addresses that users write.

#include "mobula/runtime/endpoint_option.hpp"

#include <charconv>
#include <system_error>

#include <fmt/format.h>

#include "mobula/serialization/error.hpp"

namespace mobula {

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
  throw object_error{
    {.type = error_type::invalid_argument,
     .message = fmt::format("option {} is \"{}\", but must be ADDRESS:PORT with a port from 0 to "
                            "65535, such as 127.0.0.1:4242",
                            option, text)}};
}

} // namespace mobula
