// An owner's answers to readers on other nodes: one object reply for each object, at once or when
// it is there, in messages of bounded size. What is too much for one event is deferred.

#include "mobula/actors/exchange/value_server.hpp"

#include <algorithm>
#include <map>
#include <string_view>

#include <fmt/format.h>

#include "mobula/actors/node/node_core.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

namespace {

object_reply in_form(reply_form form, std::uint64_t sequence, const pinned_value& pin,
                     metadata_writer& writer) {
  switch (form) {
    case reply_form::place:
      return reply_with_place(sequence, pin);
    case reply_form::description:
      return reply_with_description(sequence, pin.value(), pin.value().bytes().size(), writer);
    default:
      return reply_with_value(sequence, pin.clone(), writer);
  }
}

/// For what a message has beside one large object, which is generous.
constexpr std::uint64_t beside_an_object = 64U << 10U;

/// What an object takes in a message, but for some bytes. Metadata that are as before are left out.
std::size_t bytes_of(const object_reply& object) {
  auto result = object.metadata_as_before ? 0 : object.metadata.bytes().size();
  result += object.data.bytes().size() + object.nested_types.size() * sizeof(std::uint32_t)
            + object.successors.size() * sizeof(nested_successor);
  for (const auto& type : object.types)
    result += type.name.size();
  return result + sizeof(std::uint64_t);
}

bool all_pull(std::span<const awaiting_peer> readers) {
  return std::ranges::all_of(
    readers, [](const auto& reader) { return reader.form == reply_form::description; });
}

} // namespace

value_server::value_server(node_core& core, copy_directory& copies)
  : core_(core), copies_(copies),
    max_object_bytes_(std::min<std::uint64_t>(max_message_bytes(core.options()) - beside_an_object,
                                              carried_bytes::max_bytes)) {
  // nop
}

value_server::~value_server() = default;

// -- readers --------------------------------------------------------------------------------------

void value_server::requested(const awaiting_peer& reader,
                             std::span<const std::uint64_t> sequences) {
  for (auto sequence : sequences) {
    if (auto known = waiting_.find(sequence); known != waiting_.end()) {
      auto& readers = known->second.readers;
      auto same = std::ranges::find(readers, reader.session, &awaiting_peer::session);
      if (same == readers.end())
        readers.push_back(reader);
      else
        *same = reader;
      continue;
    }
    auto entry = core_.gateway().find_own(sequence);
    MOBULA_ASSERT(entry);
    if (!reply_if_readable(entry, {&reader, 1}))
      watch(std::move(entry), reader);
  }
}

void value_server::let_go(const incarnation_id& reader, std::uint64_t sequence) {
  auto known = waiting_.find(sequence);
  if (known == waiting_.end())
    return;
  std::erase_if(known->second.readers,
                [&](const auto& each) { return each.session.node == reader; });
  if (known->second.readers.empty())
    waiting_.erase(known);
}

void value_server::session_ended(const incarnation_id& reader) {
  for (auto each = waiting_.begin(); each != waiting_.end();) {
    std::erase_if(each->second.readers,
                  [&](const auto& known) { return known.session.node == reader; });
    each = each->second.readers.empty() ? waiting_.erase(each) : std::next(each);
  }
}

void value_server::stop() {
  answers_.clear();
  states_.clear();
  latest_.clear();
  spent_.clear();
  waiting_.clear();
}

// -- objects --------------------------------------------------------------------------------------

void value_server::watch(object_handle entry, const awaiting_peer& reader) {
  auto sequence = entry->sequence();
  auto tell = [core = core_pointer{&core_}, sequence] {
    core->gateway().note_ready(sequence);
  };
  waiting_.emplace(sequence, watched_object{{std::move(entry), std::move(tell)}, {reader}});
}

void value_server::ready(std::uint64_t sequence) {
  auto node = waiting_.extract(sequence);
  if (node.empty())
    return;
  auto& object = node.mapped();
  const auto& entry = object.watch.entry();
  auto there = object.watch.end();
  if (there.pin)
    return reply_with_value_of(entry, std::move(there.pin), object.readers);
  if (there.failure)
    return reply_to_all(reply_with_error(sequence, reply_outcome::refused, *there.failure),
                        object.readers);
  // Neither: the watch ended with the node, or the bytes went to disk again meanwhile.
  if (!reply_if_readable(entry, object.readers) && !core_.closing())
    for (const auto& reader : object.readers)
      requested(reader, {&sequence, 1});
}

/// Returns whether there was something to reply: a value or an error.
bool value_server::reply_if_readable(const object_handle& entry,
                                     std::span<const awaiting_peer> readers) {
  if (auto pin = entry->try_pin()) {
    reply_with_value_of(entry, std::move(pin), readers);
    return true;
  }
  if (entry->phase() == object_phase::stored && all_pull(readers)) {
    reply_with_description_of(entry, readers);
    return true;
  }
  if (!entry->has_failed())
    return false;
  reply_to_all(reply_with_error(entry->sequence(), reply_outcome::failed, entry->failure()),
               readers);
  return true;
}

// -- answers --------------------------------------------------------------------------------------

void value_server::reply_with_value_of(const object_handle& entry, pinned_value pin,
                                       std::span<const awaiting_peer> readers) {
  auto sequence = entry->sequence();
  if (const auto* extras = pin.value().extras())
    core_.gateway().show(*entry.get(), extras->nested.entries());
  auto large = pin.value().bytes().size() > answer_limits::value_bytes;
  auto form_of = [&](const awaiting_peer& reader) {
    if (!pin.in_heap())
      return reader.form;
    return large ? reader.large_form : reply_form::bytes;
  };
  auto defers = [&](const awaiting_peer& reader) {
    return form_of(reader) == reply_form::bytes && deferred(sequence, reader.session);
  };
  // Nearly always there is one reader.
  if (readers.size() == 1) {
    if (!defers(readers[0]))
      reply_in_form(in_form(form_of(readers[0]), sequence, pin, writer_), readers[0]);
    return;
  }
  // Made at most once each: all readers share the bytes.
  std::map<reply_form, object_reply> forms;
  for (const auto& reader : readers) {
    if (defers(reader))
      continue;
    auto form = form_of(reader);
    auto known = forms.find(form);
    if (known == forms.end())
      known = forms.emplace(form, in_form(form, sequence, pin, writer_)).first;
    reply_in_form(known->second, reader);
  }
}

/// The bytes need not be in memory for that.
void value_server::reply_with_description_of(const object_handle& entry,
                                             std::span<const awaiting_peer> readers) {
  const auto& copy = *entry->copy();
  if (const auto* extras = copy.value.extras())
    core_.gateway().show(*entry.get(), extras->nested.entries());
  auto reply = reply_with_description(entry->sequence(), copy.value, copy.size_bytes, writer_);
  for (const auto& reader : readers)
    reply_in_form(reply, reader);
}

/// For now: the data port of this node may be reached again, and then the value is pulled.
object_reply value_server::refuse_size(const object_reply& object, std::size_t size,
                                       std::uint64_t max_bytes) const {
  std::string_view or_else =
    max_bytes < carried_bytes::max_bytes ? ", or raise mobula.message-limit on all nodes," : ",";
  return reply_with_error(
    object.sequence, reply_outcome::refused,
    {.type = error_type::object_fetch_timed_out,
     .message = fmt::format("object {} would take {} bytes of a message to another node, and they "
                            "may have {}; see why the data port of node {} cannot be reached (is a "
                            "firewall in the way?){} and try again",
                            to_string(object_id{core_.incarnation(), object.sequence}), size,
                            max_bytes, to_string(core_.incarnation()), or_else),
     .origin = core_.origin()});
}

/// What is too large for a message must not be sent: it would end the connection, and with it all
/// that the two nodes have from each other.
void value_server::reply_in_form(object_reply object, const awaiting_peer& reader) {
  auto max_bytes = max_object_bytes_for(reader);
  if (auto size = bytes_of(object); size > max_bytes)
    return reply(refuse_size(object, size, max_bytes), reader.session);
  if (object.outcome == reply_outcome::stored)
    object.source = copies_.assign(object.sequence, reader.session.node);
  reply(std::move(object), reader.session);
}

std::uint64_t value_server::max_object_bytes_for(const awaiting_peer& reader) const noexcept {
  auto theirs = std::max<std::uint64_t>(reader.max_message_bytes, beside_an_object);
  return std::min(max_object_bytes_, theirs - beside_an_object);
}

void value_server::reply_to_all(const object_reply& object,
                                std::span<const awaiting_peer> readers) {
  for (const auto& reader : readers)
    if (!deferred(object.sequence, reader.session))
      reply(object, reader.session);
}

/// Defers the object if the replies to this event are long enough for the reader. Returns whether
/// it did.
bool value_server::deferred(std::uint64_t sequence, const peer_session& reader) {
  auto spent = spent_.find(reader);
  if (spent == spent_.end() || spent->second < answer_limits::event_bytes)
    return false;
  object_reply news;
  news.sequence = sequence;
  news.outcome = reply_outcome::deferred;
  reply(std::move(news), reader);
  return true;
}

void value_server::reply(object_reply object, const peer_session& reader) {
  auto latest = latest_.find(reader);
  object.metadata_as_before =
    latest != latest_.end() && object.metadata.shares(states_[latest->second].metadata);
  if (latest == latest_.end()
      || states_[latest->second].bytes + bytes_of(object) > answer_limits::answer_bytes) {
    latest = latest_.insert_or_assign(reader, answers_.size()).first;
    answers_.emplace_back(reader, object_replies{.session = reader.session, .objects = {}});
    states_.emplace_back();
    object.metadata_as_before = false;
  }
  auto index = latest->second;
  auto& state = states_[index];
  state.bytes += bytes_of(object);
  spent_[reader] += bytes_of(object);
  state.metadata = object.metadata;
  answers_[index].second.objects.push_back(std::move(object));
}

std::vector<std::pair<peer_session, object_replies>> value_server::take_answers() {
  states_.clear();
  latest_.clear();
  return std::exchange(answers_, {});
}

} // namespace mobula
