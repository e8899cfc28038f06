#include "mobula/actors/name_service.hpp"

#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "mobula/actors/node_core.hpp"
#include "mobula/store/assertion.hpp"

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

} // namespace

// -- life
// -------------------------------------------------------------------------------------------

void name_service::attach(caf::scheduled_actor* self, node_core& core) {
  MOBULA_ASSERT(self_ == nullptr);
  self_ = self;
  core_ = &core;
  table_.emplace(core.incarnation());
}

void name_service::stop() {
  if (!table_)
    return;
  table_.reset();
  contents_.clear();
  peers_.clear();
  nodes_.clear();
  for (const auto& [number, each] : std::exchange(searches_, {}))
    each.request.answer->set_value(left_cluster());
}

// -- sessions
// ---------------------------------------------------------------------------------------

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
  for (auto& [number, each] : searches_)
    if (each.asked == node)
      each.asked.reset();
  search_on();
}

// -- requests of this node
// --------------------------------------------------------------------------

void name_service::publish(const publish_name& message) {
  if (!table_)
    return message.answer->set_value(left_cluster());
  name_effects effects;
  if (auto refusal = table_->publish(message.name, to_bytes(message.about), effects))
    return message.answer->set_value(error_info{.type = error_type::invalid_argument,
                                                .message = "cannot publish: " + *refusal,
                                                .origin = core_->origin()});
  contents_.insert_or_assign(message.name, message.content);
  run(std::move(effects));
  search_on();
  message.answer->set_value(std::nullopt);
}

void name_service::unpublish(const unpublish_name& message) {
  contents_.erase(message.name);
  if (table_) {
    name_effects effects;
    table_->unpublish(message.name, effects);
    run(std::move(effects));
  }
  message.answer->set_value(std::nullopt);
}

void name_service::lookup(const lookup_name& message) {
  if (!table_)
    return message.answer->set_value(left_cluster());
  if (searches_.size() == max_searches)
    return message.answer->set_value(
      error_info{.type = error_type::name_not_found,
                 .message = fmt::format("cannot look up \"{}\": {} lookups wait already, which is "
                                        "the most",
                                        message.name, max_searches),
                 .origin = core_->origin()});
  search_number number{++last_search_};
  auto added = searches_.emplace(number, search{.request = message, .asked = std::nullopt}).first;
  search_on(added);
  if (searches_.contains(number) && message.limit && *message.limit > std::chrono::nanoseconds{})
    start_timer(number, *message.limit);
}

void name_service::expired(const search_expired& message) {
  auto over = searches_.extract(message.search);
  if (!over.empty())
    over.mapped().request.answer->set_value(not_found(over.mapped().request));
}

// -- searches
// ---------------------------------------------------------------------------------------

void name_service::search_on() {
  for (auto each = searches_.begin(); each != searches_.end();)
    each = each->second.asked ? std::next(each) : search_on(each);
}

name_service::search_map::iterator name_service::search_on(search_map::iterator current) {
  auto& [number, search] = *current;
  const auto& request = search.request;
  const auto* found = table_->lookup(request.name);
  if (found != nullptr && found->publisher != core_->incarnation()) {
    search.asked = found->publisher;
    send(found->publisher, find_name{peers_.at(found->publisher).session, number, request.name});
    return std::next(current);
  }
  if (found != nullptr)
    request.answer->set_value(named_content{.about = to_text(found->payload),
                                            .publisher = found->publisher,
                                            .content = contents_.at(request.name)});
  else if (request.limit == std::chrono::nanoseconds{})
    request.answer->set_value(not_found(request));
  else
    return std::next(current);
  return searches_.erase(current);
}

error_info name_service::not_found(const lookup_name& request) const {
  auto text = fmt::format("no node of cluster \"{}\" publishes \"{}\"", core_->options().cluster,
                          request.name);
  if (request.limit == std::chrono::nanoseconds{})
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

void name_service::start_timer(search_number number, std::chrono::nanoseconds delay) {
  send_self_after(*self_, delay, search_expired{number});
}

// -- messages of other nodes
// ------------------------------------------------------------------------

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
  search_on();
}

void name_service::received(const find_name& message) {
  const auto* from = sender(message.session);
  if (from == nullptr)
    return;
  auto known = contents_.find(message.name);
  send(*from, name_found{message.session, message.search,
                         known == contents_.end() ? caf::message{} : known->second});
}

void name_service::received(name_found& message) {
  const auto* from = sender(message.session);
  auto current = searches_.find(message.search);
  if (from == nullptr || current == searches_.end() || current->second.asked != *from)
    return;
  if (message.content.empty()) {
    // Taken back meanwhile, of which this node was told before this answer.
    current->second.asked.reset();
    search_on(current);
    return;
  }
  auto request = searches_.extract(current).mapped().request;
  const auto* found = table_->lookup(request.name);
  request.answer->set_value(
    named_content{.about = found == nullptr ? std::string{} : to_text(found->payload),
                  .publisher = *from,
                  .content = std::move(message.content)});
}

// -- effects
// ----------------------------------------------------------------------------------------

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

// -- properties
// -------------------------------------------------------------------------------------

void name_service::check_invariants() const {
  MOBULA_ASSERT(peers_.size() == nodes_.size());
  for (const auto& [node, peer] : peers_)
    MOBULA_ASSERT(nodes_.at(peer.handle.get()) == node);
  for (const auto& [number, each] : searches_)
    MOBULA_ASSERT(!each.asked || peers_.contains(*each.asked));
  if (table_)
    table_->check_invariants();
  else
    MOBULA_ASSERT(contents_.empty() && peers_.empty() && searches_.empty());
}

} // namespace mobula
