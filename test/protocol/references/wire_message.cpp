// Messages of the protocol's simulation as text, for the trace of a run that failed.

#include "wire_message.hpp"

#include <fmt/format.h>

namespace mobula::test {

std::string to_text(const incarnation_id& node) {
  return node.empty() ? "nobody" : fmt::format("{}.{}", node.high - 1, node.low);
}

std::string to_text(const object_id& object) {
  return fmt::format("object {}/{}", to_text(object.owner), object.sequence);
}

namespace {

template <class Number>
std::uint64_t number_of(Number number) {
  return static_cast<std::uint64_t>(number);
}

struct message_text {
  std::string operator()(const user_message& message) const {
    std::string result = "user message with";
    for (const auto& reference : message.references)
      result +=
        fmt::format(" {} (transit {})", to_text(reference.object), number_of(reference.transit));
    return result;
  }

  std::string operator()(const request_value& message) const {
    return fmt::format("request for value of /{}", message.sequence);
  }

  std::string operator()(const value_reply& message) const {
    std::string result = message.outcome == value_outcome::found ? "value with" : "no such object";
    for (const auto& reference : message.inner)
      result += fmt::format(" {}", to_text(reference.object));
    return result;
  }

  std::string operator()(const session_hello&) const {
    return "hello";
  }

  std::string operator()(const reference_message& message) const {
    return std::visit(*this, message);
  }

  std::string operator()(const borrow_references& message) const {
    auto result = fmt::format("borrow batch {}:", number_of(message.batch));
    for (const auto& reference : message.references)
      result += fmt::format(" /{} (transit {} of {})", reference.sequence,
                            number_of(reference.transit), to_text(reference.sender));
    return result;
  }

  std::string operator()(const references_confirmed& message) const {
    auto result = fmt::format("confirmed batch {}", number_of(message.batch));
    for (auto sequence : message.unknown)
      result += fmt::format(", unknown /{}", sequence);
    return result;
  }

  std::string operator()(const transits_ended& message) const {
    std::string result = "transits ended:";
    for (const auto& ended : message.transits)
      result += fmt::format(" {} of /{}", number_of(ended.transit), ended.sequence);
    return result;
  }

  std::string operator()(const free_objects& message) const {
    std::string result = "free";
    for (auto sequence : message.sequences)
      result += fmt::format(" /{}", sequence);
    return result;
  }

  std::string operator()(const return_references& message) const {
    std::string result = "return";
    for (const auto& reference : message.references)
      result += fmt::format(" /{} x{}", reference.sequence, reference.count);
    return result;
  }

  std::string operator()(const pass_barrier& message) const {
    return fmt::format("pass barrier {}", number_of(message.number));
  }

  std::string operator()(const barrier_passed& message) const {
    return fmt::format("barrier {} passed", number_of(message.number));
  }
};

} // namespace

std::string to_text(const wire_message& message) {
  return std::visit(message_text{}, message);
}

} // namespace mobula::test
