#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include <caf/actor_control_block.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/message_id.hpp>

#include "mobula/actors/caf/message_type.hpp"
#include "mobula/actors/caf/packed_fields.hpp"
#include "mobula/actors/protocol/names/name_table.hpp"
#include "mobula/actors/wire/wire_incarnation.hpp"
#include "mobula/serialization/error.hpp"

/// What is said of names: between nodes, and within one. Each type that may cross a connection is
/// named in `add_name_messages` (name_messages.cpp), and nowhere else.

namespace mobula {

// -- between nodes --------------------------------------------------------------------------------

/// Names one question of the node that asks.
enum class search_number : std::uint64_t {};

/// To the publisher: what does this name stand for?
struct find_name {
  session_id session = session_id::none;
  search_number search{};
  std::string name;
};

/// From the publisher, once for each question. What the name stands for is a message of its own, so
/// that references and actors in it travel as in any other; empty if the name was taken back.
struct name_found {
  session_id session = session_id::none;
  search_number search{};
  caf::message content;
};

/// Makes these types known to systems that run with `config`.
void add_name_messages(caf::actor_system_config& config);

// -- within a node --------------------------------------------------------------------------------

/// What a lookup found.
struct named_content {
  std::string about;
  incarnation_id publisher;
  caf::message content;
};

/// What a thread is told that publishes a name or takes one back: nothing, or why not.
using publish_answer = std::optional<error_info>;

/// What a thread is told that looks one up.
using name_answer = std::variant<named_content, error_info>;

/// What an actor is told that does either, as the answer to a request of its own. Nothing to say
/// stands for success.
struct name_reply {
  std::variant<std::monostate, named_content, error_info> content;
};

/// An actor that waits for an answer. It gets exactly one: `otherwise`, if none was given when this
/// goes, as CAF tells nobody of a question that is dropped.
class asking_actor {
public:
  asking_actor(caf::strong_actor_ptr asker, caf::message_id request, error_info otherwise);

  asking_actor(const asking_actor&) = delete;
  asking_actor& operator=(const asking_actor&) = delete;

  ~asking_actor();

  void tell(publish_answer answer);
  void tell(name_answer answer);

private:
  void send(name_reply answer);

  caf::strong_actor_ptr asker_; ///< null when it was told
  caf::message_id request_;
  error_info otherwise_;
};

/// Where an answer goes: to a thread that waits for it, or to an actor.
template <class Answer>
class answer_slot {
public:
  answer_slot() = default;

  answer_slot(std::shared_ptr<std::promise<Answer>> thread) : thread_(std::move(thread)) {
    // nop
  }

  answer_slot(std::shared_ptr<asking_actor> actor) : actor_(std::move(actor)) {
    // nop
  }

  /// REQUIRES: called once for each question.
  void set_value(Answer answer) const {
    if (actor_)
      actor_->tell(std::move(answer));
    else
      thread_->set_value(std::move(answer));
  }

private:
  std::shared_ptr<std::promise<Answer>> thread_;
  std::shared_ptr<asking_actor> actor_;
};

struct publish_name {
  std::string name;
  std::string about; ///< what it stands for, in words that all nodes are told
  caf::message content;
  answer_slot<publish_answer> answer;
  own_name if_own = own_name::refuse;
  /// The object, if it is one: for reports, to which the content is closed.
  object_id object{};
};

struct unpublish_name {
  std::string name;
  answer_slot<publish_answer> answer;
};

struct lookup_name {
  std::string name;
  /// How long to wait for somebody to publish it: nothing means as long as it takes, zero or less
  /// not at all.
  std::optional<std::chrono::nanoseconds> limit;
  answer_slot<name_answer> answer;
};

// -- inspection -----------------------------------------------------------------------------------

MOBULA_MESSAGE(mobula::withdrawn_name, name, number)

/// The payload as text: CAF reads bytes one by one into variables without a value, which compilers
/// notice.
template <class Inspector>
inspection_result<Inspector> inspect(Inspector& f, published_name& x) {
  const auto* begin = reinterpret_cast<const char*>(x.payload.data());
  std::string payload{begin, begin + x.payload.size()};
  if constexpr (byte_inspector<Inspector>) {
    auto error = f(x.name, x.number, payload);
    if constexpr (loading_inspector<Inspector>)
      if (!error) {
        const auto* bytes = reinterpret_cast<const std::byte*>(payload.data());
        x.payload.assign(bytes, bytes + payload.size());
      }
    return error;
  } else {
    return show_fields(f, "mobula::published_name", x.name, x.number, payload);
  }
}

MOBULA_MESSAGE(mobula::names_changed, session, withdrawn, published)
MOBULA_MESSAGE(mobula::find_name, session, search, name)
MOBULA_MESSAGE(mobula::name_found, session, search, content)

} // namespace mobula

MOBULA_LOCAL_MESSAGE(mobula::name_reply)
MOBULA_LOCAL_MESSAGE(mobula::publish_name)
MOBULA_LOCAL_MESSAGE(mobula::unpublish_name)
MOBULA_LOCAL_MESSAGE(mobula::lookup_name)
