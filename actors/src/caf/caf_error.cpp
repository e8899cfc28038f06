// Wraps errors of ours into CAF's and back, and puts CAF's own into words.

#include "mobula/actors/caf/caf_error.hpp"

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <caf/actor_system_config.hpp>
#include <caf/atom.hpp>
#include <caf/exit_reason.hpp>
#include <caf/make_message.hpp>
#include <caf/message.hpp>
#include <caf/sec.hpp>
#include <caf/to_string.hpp>
#include <fmt/format.h>

namespace mobula {

namespace {

constexpr auto error_category = caf::atom("mobula");

/// CAF takes the code 0 for "no error", which is a number of ours (`worker_died`).
std::uint8_t to_code(error_type type) {
  return static_cast<std::uint8_t>(static_cast<std::uint16_t>(type) + 1);
}

template <class Code>
struct worded_code {
  Code code;
  std::string_view words;
};

constexpr worded_code<caf::sec> system_errors[] = {
  {caf::sec::request_timeout, "no answer came before the time limit"},
  {caf::sec::request_receiver_down, "the actor that was asked has ended"},
  {caf::sec::unexpected_message,
   "the actor does not take such a message, or its node has shut down and could not read it"},
  {caf::sec::unexpected_response, "the answer is not of the type that was expected"},
  {caf::sec::unknown_type,
   "a type of a message has no name here; mobula::add_messages gives it one"},
  {caf::sec::end_of_stream, "a message ends in the middle"},
  {caf::sec::cannot_connect_to_node, "nobody answers at this address"},
  {caf::sec::runtime_error, "an exception was thrown"},
};

constexpr worded_code<caf::exit_reason> exit_reasons[] = {
  {caf::exit_reason::unhandled_exception, "an exception ended the actor"},
  {caf::exit_reason::kill, "the actor was killed"},
  {caf::exit_reason::user_shutdown, "the actor was told to end"},
  {caf::exit_reason::remote_link_unreachable, "the connection to the actor's process was lost"},
};

template <class Code, std::size_t Count>
std::string_view words_for(const caf::error& error, const worded_code<Code> (&known)[Count]) {
  for (const auto& each : known)
    if (error == each.code)
      return each.words;
  return {};
}

/// Returns what one of CAF's own errors means, and its name for who looks it up there.
std::string text_of(const caf::error& error) {
  auto name = caf::to_string(error);
  for (auto words : {words_for(error, system_errors), words_for(error, exit_reasons)})
    if (!words.empty())
      return fmt::format("{} (CAF's {})", words, name);
  return name;
}

/// Returns what CAF shows for an error of ours: a sentence that says what is wrong.
std::string render_error(std::uint8_t code, caf::atom_value, const caf::message& context) {
  if (context.match_elements<error_info>()) {
    const auto& info = context.get_as<error_info>(0);
    return info.message.empty() ? std::string{to_string(info.type)}
                                : fmt::format("{} ({})", info.message, to_string(info.type));
  }
  // Only the number arrived.
  auto type = error_type_from_number(static_cast<std::uint16_t>(code - 1));
  return fmt::format("{} (without a text)", type ? to_string(*type) : "an unknown error of Mobula");
}

} // namespace

caf::error to_caf_error(error_info info) {
  auto code = to_code(info.type);
  return {code, error_category, caf::make_message(std::move(info))};
}

error_info to_error_info(const caf::error& error) {
  // CAF's own "no error" has no category to ask for.
  if (!error)
    return {.type = error_type::task_execution_exception, .message = "no error"};
  // What CAF answers for an actor that is no more.
  if (error == caf::sec::request_receiver_down)
    return {.type = error_type::actor_died, .message = text_of(error)};
  if (error.category() == error_category && error.context().match_elements<error_info>())
    return error.context().get_as<error_info>(0);
  if (error == caf::sec::request_timeout)
    return {.type = error_type::get_timed_out, .message = text_of(error)};
  return {.type = error_type::task_execution_exception, .message = text_of(error)};
}

caf::error error_without_text(error_type type) {
  return caf::error{to_code(type), error_category};
}

void add_error_rendering(caf::actor_system_config& config) {
  config.add_error_category(error_category, render_error);
}

// -- between nodes --------------------------------------------------------------------------------

// As text: CAF writes and reads that all at once.

caf::error apply_encoded(caf::serializer& sink, const error_info& info) {
  auto bytes = encode(info);
  std::string text{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  return sink(text);
}

caf::error apply_encoded(caf::deserializer& source, error_info& info) {
  std::string text;
  if (auto error = source(text))
    return error;
  auto read = decode_error_info(std::as_bytes(std::span{text}));
  if (!read)
    return caf::sec::invalid_argument;
  info = *std::move(read);
  return {};
}

} // namespace mobula
