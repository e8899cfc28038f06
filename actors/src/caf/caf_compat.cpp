// Wraps what differs between versions of CAF: errors and their texts, the log, alarms that can be
// stopped, serializers, and the clock of its test scheduler.

#include "mobula/actors/caf/caf_compat.hpp"

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <caf/abstract_actor.hpp>
#include <caf/atom.hpp>
#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/exit_reason.hpp>
#include <caf/logger.hpp>
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

bool has_ended(const caf::strong_actor_ptr& actor) {
  return actor->get()->getf(caf::abstract_actor::is_cleaned_up_flag);
}

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

void add_error_rendering(caf::actor_system_config& config) {
  config.add_error_category(error_category, render_error);
}

void log_info(const std::string& line) {
  CAF_LOG_IMPL("mobula", CAF_LOG_LEVEL_INFO, line);
}

void log_warning(const std::string& line) {
  CAF_LOG_IMPL("mobula", CAF_LOG_LEVEL_WARNING, line);
}

void log_warning(caf::actor_system& system, const std::string& line) {
  auto* before = caf::logger::current_logger();
  caf::logger::set_current_actor_system(&system);
  log_warning(line);
  // A thread of the system itself has its log already; there is no way to set another one back.
  if (before == nullptr)
    caf::logger::set_current_actor_system(nullptr);
}

// -- alarms -------------------------------------------------------------------------

actor_alarm::~actor_alarm() {
  if (handler_)
    *handler_ = nullptr;
  stop();
}

void actor_alarm::attach(caf::scheduled_actor* self, std::function<void()> on_ring) {
  self_ = self;
  on_ring_ = std::move(on_ring);
}

void actor_alarm::set(caf_clock::time_point due) {
  stop();
  // CAF keeps a handler until its answer comes, so the one of a stopped alarm serves the next.
  if (!handler_) {
    handler_ = std::make_shared<actor_alarm*>(this);
    request_ = self_->new_request_id(caf::message_priority::normal).response_id();
    self_->add_multiplexed_response_handler(request_,
                                            caf::behavior{[handler = handler_](const caf::error&) {
                                              if (*handler != nullptr)
                                                (*handler)->ring();
                                            }});
  }
  due_ = due;
  self_->clock().set_request_timeout(due, self_, request_);
}

void actor_alarm::stop() {
  if (std::exchange(due_, std::nullopt))
    self_->clock().cancel_request_timeout(self_, request_);
}

/// It may ring for a time that was set before and had passed when that was taken back.
void actor_alarm::ring() {
  handler_.reset();
  if (!due_)
    return;
  auto due = *due_;
  if (self_->clock().now() < due)
    return set(due);
  due_.reset();
  on_ring_();
}

// -- serializing --------------------------------------------------------------------

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

std::optional<write_position> position_of(const caf::serializer& sink) {
  const auto* binary = dynamic_cast<const caf::binary_serializer*>(&sink);
  if (binary == nullptr)
    return std::nullopt;
  return write_position{&binary->buf(), binary->write_pos()};
}

std::optional<std::size_t> bytes_left(const caf::deserializer& source) {
  const auto* binary = dynamic_cast<const caf::binary_deserializer*>(&source);
  return binary == nullptr ? std::nullopt : std::optional{binary->remaining()};
}

std::optional<caf_clock::time_point> next_timeout(caf::scheduler::test_coordinator& scheduler) {
  const auto& schedule = scheduler.clock().schedule();
  if (schedule.empty())
    return std::nullopt;
  return schedule.begin()->first;
}

} // namespace mobula
