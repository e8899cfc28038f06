// Publishes and looks up names for this node: keeps what its own names stand for, asks publishers
// for theirs, and brings each lookup to an end in time. Which node has which name is in
// name_table.cpp.

#include "mobula/actors/names/name_service.hpp"

#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "mobula/actors/caf/caf_log.hpp"
#include "mobula/actors/node/node_core.hpp"
#include "mobula/store/system/assertion.hpp"

namespace mobula {

namespace {

std::vector<std::byte> to_bytes(const std::string& text) {
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}

std::string to_text(std::span<const std::byte> bytes) {
  const auto* begin = reinterpret_cast<const char*>(bytes.data());
  return {begin, begin + bytes.size()};
}

/// How long a lookup that waits for nobody to publish waits for who has: that node answers at once,
/// unless it is stopped, cut off, or its actor held up.
constexpr std::chrono::seconds answer_limit{5};

/// Less than no time is no time either.
bool is_at_once(const std::optional<std::chrono::nanoseconds>& limit) {
  return limit && *limit <= std::chrono::nanoseconds{};
}

} // namespace

// -- life -----------------------------------------------------------------------------------------

void name_service::attach(caf::scheduled_actor* self, node_core& core) {
  MOBULA_ASSERT(self_ == nullptr);
  self_ = self;
  core_ = &core;
  timers_.attach(self);
  table_.emplace(core.incarnation());
}

void name_service::stop() {
  if (!table_)
    return;
  table_.reset();
  contents_.clear();
  peers_.clear();
  nodes_.clear();
  searches_.clear();
  disappointed_.clear();
  timers_.stop_all();
  for (const auto& [number, each] : std::exchange(requests_, {}))
    each.request.answer.set_value(left_cluster());
}

// -- sessions -------------------------------------------------------------------------------------

void name_service::session_opened(const peer_session& opened, caf::strong_actor_ptr handle) {
  if (!table_)
    return;
  forget_peer(opened.node);
  nodes_[handle.get()] = opened.node;
  peers_[opened.node] = {opened.session, std::move(handle)};
  name_effects effects;
  table_->member_joined(opened.node, opened.session, effects);
  run(std::move(effects));
}

void name_service::session_closed(const peer_session& closed) {
  auto known = peers_.find(closed.node);
  if (known == peers_.end() || known->second.session != closed.session)
    return;
  forget_peer(closed.node);
}

void name_service::forget_peer(const incarnation_id& node) {
  auto known = peers_.find(node);
  if (known == peers_.end())
    return;
  nodes_.erase(known->second.handle.get());
  peers_.erase(known);
  table_->member_left(node);
  for (auto number : searches_.asked_of(node)) {
    searches_.ask_nobody(number);
    search_on(number);
  }
  look_further();
}

// -- requests of this node ------------------------------------------------------------------------

void name_service::publish(const publish_name& message) {
  if (!table_)
    return message.answer.set_value(left_cluster());
  name_effects effects;
  if (auto refusal =
        table_->publish(message.name, to_bytes(message.about), effects, message.if_own))
    return message.answer.set_value(error_info{.type = error_type::invalid_argument,
                                               .message = "cannot publish: " + *refusal,
                                               .origin = core_->origin()});
  contents_.insert_or_assign(message.name, named_thing{message.content, message.object});
  run(std::move(effects));
  search_on(message.name);
  message.answer.set_value(std::nullopt);
}

void name_service::unpublish(const unpublish_name& message) {
  contents_.erase(message.name);
  if (table_) {
    name_effects effects;
    table_->unpublish(message.name, effects);
    run(std::move(effects));
  }
  message.answer.set_value(std::nullopt);
}

void name_service::lookup(const lookup_name& message) {
  if (!table_)
    return message.answer.set_value(left_cluster());
  if (requests_.size() == max_searches)
    return message.answer.set_value(
      error_info{.type = error_type::name_not_found,
                 .message = fmt::format("cannot look up \"{}\": {} lookups wait already, which is "
                                        "the most",
                                        message.name, max_searches),
                 .origin = core_->origin()});
  actor_timers::event handled{timers_};
  search_number number{++last_search_};
  search added{.request = message, .timer = {}};
  if (message.limit && !is_at_once(message.limit))
    added.timer = timers_.start(*message.limit, [this, number] { expired(number); });
  requests_.emplace(number, std::move(added));
  searches_.add(number, message.name);
  search_on(number);
}

// -- searches -------------------------------------------------------------------------------------

void name_service::search_on(const std::string& name) {
  for (auto number : searches_.waiting_for(name))
    search_on(number);
}

void name_service::search_on(search_number number) {
  auto& asking = requests_.at(number);
  const auto& request = asking.request;
  const auto* found = table_->lookup(request.name);
  if (found != nullptr && found->publisher != core_->incarnation()) {
    asking.last_asked = found->publisher;
    asking.last_asked_for = found->number;
    disappointed_.erase(number);
    searches_.ask(number, found->publisher);
    if (is_at_once(request.limit)) {
      timers_.stop(asking.timer);
      asking.timer = timers_.start(answer_limit, [this, number] { expired(number); });
    }
    send(found->publisher, find_name{peers_.at(found->publisher).session, number, request.name});
  } else if (found != nullptr) {
    auto ended = end_search(number);
    ended.answer.set_value(named_content{.about = to_text(found->payload),
                                         .publisher = found->publisher,
                                         .content = contents_.at(ended.name).content});
  } else if (is_at_once(request.limit)) {
    expired(number);
  }
}

lookup_name name_service::end_search(search_number number) {
  auto ended = std::move(requests_.extract(number).mapped());
  searches_.remove(number);
  disappointed_.erase(number);
  timers_.stop(ended.timer);
  return std::move(ended.request);
}

bool name_service::has_prospects(search_number number) const {
  const auto& waiting = requests_.at(number);
  const auto* found = table_->lookup(waiting.request.name);
  return found == nullptr || found->publisher != waiting.last_asked
         || found->number != waiting.last_asked_for;
}

/// Somebody has taken names back, or has gone: another one may come first now.
void name_service::look_further() {
  for (auto number : std::vector(disappointed_.begin(), disappointed_.end()))
    if (has_prospects(number))
      search_on(number);
}

void name_service::expired(search_number number) {
  auto asked = searches_.asked(number);
  std::optional<incarnation_id> had_nothing;
  // Unless it has taken the name back since.
  if (disappointed_.contains(number) && !has_prospects(number))
    had_nothing = requests_.at(number).last_asked;
  auto ended = end_search(number);
  ended.answer.set_value(had_nothing ? nothing_there(ended, *had_nothing)
                                     : not_found(ended, asked));
}

error_info name_service::nothing_there(const lookup_name& request,
                                       const incarnation_id& publisher) const {
  auto text = fmt::format("node {} publishes \"{}\", but had nothing for it when it was asked",
                          to_string(publisher), request.name);
  if (!is_at_once(request.limit))
    text += fmt::format(", and no other node has published it within {} ms",
                        std::chrono::duration<double, std::milli>{*request.limit}.count());
  return {.type = error_type::name_not_found,
          .message = text + "; unpublish it there, and publish it anew",
          .origin = core_->origin()};
}

error_info name_service::not_found(const lookup_name& request,
                                   const std::optional<incarnation_id>& asked) const {
  auto text = fmt::format("no node of cluster \"{}\" publishes \"{}\"", core_->options().cluster,
                          request.name);
  if (is_at_once(request.limit) && asked)
    text =
      fmt::format("node {}, which publishes \"{}\", did not answer within {} s; is it stopped, "
                  "or held up?",
                  to_string(*asked), request.name, answer_limit.count());
  else if (is_at_once(request.limit))
    text += ", as far as this one was told; publish it, or give the lookup time to wait for it";
  else
    text += fmt::format(", or it did not answer, within {} ms",
                        std::chrono::duration<double, std::milli>{*request.limit}.count());
  return {
    .type = error_type::name_not_found, .message = std::move(text), .origin = core_->origin()};
}

error_info name_service::left_cluster() const {
  return {.type = error_type::shutting_down,
          .message = "this node has left its cluster, and so has no names any more",
          .origin = core_->origin()};
}

// -- messages of other nodes ----------------------------------------------------------------------

const incarnation_id* name_service::sender(session_id session) const {
  auto known = nodes_.find(self_->current_sender().get());
  if (known == nodes_.end() || peers_.at(known->second).session != session)
    return nullptr;
  return &known->second;
}

void name_service::received(const names_changed& message) {
  const auto* from = sender(message.session);
  if (from == nullptr)
    return;
  name_effects effects;
  table_->received(*from, message, effects);
  run(std::move(effects));
  for (const auto& fresh : message.published)
    search_on(fresh.name);
  look_further();
}

void name_service::received(const find_name& message) {
  const auto* from = sender(message.session);
  if (from == nullptr)
    return;
  auto known = contents_.find(message.name);
  send(*from, name_found{message.session, message.search,
                         known == contents_.end() ? caf::message{} : known->second.content});
}

void name_service::received(name_found& message) {
  const auto* from = sender(message.session);
  if (from == nullptr || searches_.asked(message.search) != *from)
    return;
  if (message.content.empty()) {
    searches_.ask_nobody(message.search);
    // Taken back meanwhile, of which this node was told before this answer; or else the publisher
    // is not to be believed, and not to be asked again: it would answer so without end.
    if (has_prospects(message.search))
      return search_on(message.search);
    disappointed_.insert(message.search);
    if (is_at_once(requests_.at(message.search).request.limit))
      expired(message.search);
    return;
  }
  auto request = end_search(message.search);
  const auto* found = table_->lookup(request.name);
  request.answer.set_value(
    named_content{.about = found == nullptr ? std::string{} : to_text(found->payload),
                  .publisher = *from,
                  .content = std::move(message.content)});
}

// -- effects --------------------------------------------------------------------------------------

template <class Message>
void name_service::send(const incarnation_id& to, Message message) {
  send_from(*self_, peers_.at(to).handle, std::move(message));
}

void name_service::run(name_effects effects) {
  for (auto& effect : effects)
    std::visit([this](auto& content) { apply(content); }, effect);
}

void name_service::apply(tell_names& effect) {
  send(effect.member, std::move(effect.content));
}

void name_service::apply(const report_name_taken& effect) {
  contents_.erase(effect.name);
  log_warning(fmt::format("lost the name \"{}\" to node {}, which published it first", effect.name,
                          to_string(effect.publisher)));
}

void name_service::apply(const report_name_ignored& effect) {
  log_warning(effect.text);
}

// -- properties -----------------------------------------------------------------------------------

void name_service::describe(object_listing& listing) const {
  for (const auto& [name, thing] : contents_) {
    auto* listed =
      thing.object.owner == core_->incarnation() ? listing.find(thing.object.sequence) : nullptr;
    if (listed != nullptr && listed->names.size() < reported_nesting::max_named)
      listed->names.push_back(name);
  }
}

void name_service::check_invariants() const {
  MOBULA_ASSERT(peers_.size() == nodes_.size());
  for (const auto& [node, peer] : peers_)
    MOBULA_ASSERT(nodes_.at(peer.handle.get()) == node);
  searches_.check_invariants();
  MOBULA_ASSERT(searches_.size() == requests_.size() && timers_.size() <= requests_.size());
  for (const auto& [number, each] : requests_) {
    auto asked = searches_.asked(number);
    MOBULA_ASSERT(asked ? peers_.contains(*asked)
                        : disappointed_.contains(number)
                            || table_->lookup(each.request.name) == nullptr);
  }
  for (auto number : disappointed_)
    MOBULA_ASSERT(requests_.contains(number) && !searches_.asked(number));
  if (table_)
    table_->check_invariants();
  else
    MOBULA_ASSERT(contents_.empty() && peers_.empty() && requests_.empty());
}

} // namespace mobula
