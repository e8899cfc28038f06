// Sends each reader of a value to a copy that is near and not busy, so that an owner is asked the
// less the more copies there are. A wrong answer costs no more than a detour.

#include "mobula/store/transfer/copy_directory.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "mobula/store/system/assertion.hpp"

namespace mobula {

copy_directory::copy_directory(const incarnation_id& owner, std::string host)
  : owner_(owner), host_(std::move(host)) {
  // nop
}

// -- nodes ----------------------------------------------------------------------------------------

void copy_directory::node_joined(const incarnation_id& node, std::string host) {
  node_left(node);
  nodes_[node].host = std::move(host);
}

void copy_directory::node_left(const incarnation_id& node) {
  auto known = nodes_.find(node);
  if (known == nodes_.end())
    return;
  for (auto sequence : std::exchange(known->second.objects, {}))
    end_copy(objects_.find(sequence), node);
  nodes_.erase(known);
}

// -- copies ---------------------------------------------------------------------------------------

assigned_source copy_directory::assign(std::uint64_t sequence, const incarnation_id& reader) {
  auto& reading = nodes_.at(reader);
  copy_gone(sequence, reader);
  auto& known = objects_[sequence];
  known.copies.try_emplace(copy_ticket::none, copy{.node = owner_, .whole = true});
  auto source = pick(known, reader).first;
  auto& from = known.copies.at(source);
  ++from.arriving;
  ++from.readers;
  copy_ticket ticket{++tickets_drawn_};
  auto depth = from.depth + 1;
  known.copies.emplace(ticket, copy{.node = reader, .source = source, .depth = depth});
  known.tickets.emplace(reader, ticket);
  reading.objects.insert(sequence);
  return {from.node, ticket};
}

/// Ranks all that may be named to the reader. A crowded copy is better than none.
const copy_directory::copy_map::value_type&
copy_directory::pick(const object& from, const incarnation_id& reader) const {
  const auto& host = nodes_.at(reader).host;
  auto whole_only = from.retired.contains(reader);
  auto rank = [&](const copy_map::value_type& each) {
    const auto& [ticket, known] = each;
    return std::tuple{whole_only && !known.whole, known.arriving >= max_readers,
                      host_of(each) != host, known.depth + known.readers, ticket};
  };
  return *std::ranges::min_element(from.copies, {}, rank);
}

const std::string& copy_directory::host_of(const copy_map::value_type& known) const {
  return known.first == copy_ticket::none ? host_ : nodes_.at(known.second.node).host;
}

void copy_directory::report(const incarnation_id& node, const copy_report& reported) {
  auto position = objects_.find(reported.sequence);
  if (position == objects_.end())
    return;
  auto& known = position->second;
  auto current = known.tickets.find(node);
  if (current == known.tickets.end() || current->second != reported.ticket)
    return;
  if (reported.news == copy_news::gone)
    return copy_gone(reported.sequence, node);
  auto& copy = known.copies.at(reported.ticket);
  if (std::exchange(copy.whole, true))
    return;
  leave_source(known, copy);
  forget_retired(known);
}

void copy_directory::copy_gone(std::uint64_t sequence, const incarnation_id& node) {
  auto position = objects_.find(sequence);
  if (position == objects_.end() || !position->second.tickets.contains(node))
    return;
  nodes_.at(node).objects.erase(sequence);
  end_copy(position, node);
}

void copy_directory::end_copy(object_map::iterator position, const incarnation_id& node) {
  auto& known = position->second;
  auto ticket = known.tickets.extract(node).mapped();
  auto ended = known.copies.extract(ticket).mapped();
  if (!ended.whole)
    leave_source(known, ended);
  known.retired.insert(node);
  forget_retired(known);
  if (known.tickets.empty())
    objects_.erase(position);
}

/// A copy needs the one that it was sent to no longer. That may be gone.
void copy_directory::leave_source(object& of, const copy& done) {
  if (auto source = of.copies.find(done.source); source != of.copies.end())
    --source->second.arriving;
}

void copy_directory::forget_retired(object& of) {
  auto whole = [](const auto& each) {
    return each.second.whole;
  };
  if (std::ranges::all_of(of.copies, whole))
    of.retired.clear();
}

// -- properties -----------------------------------------------------------------------------------

bool copy_directory::has_copy(std::uint64_t sequence, const incarnation_id& node) const {
  auto known = objects_.find(sequence);
  return known != objects_.end() && known->second.tickets.contains(node);
}

std::size_t copy_directory::copies() const noexcept {
  std::size_t result = 0;
  for (const auto& [node, known] : nodes_)
    result += known.objects.size();
  return result;
}

std::vector<incarnation_id> copy_directory::whole_copies(std::uint64_t sequence) const {
  std::vector<incarnation_id> result;
  if (auto position = objects_.find(sequence); position != objects_.end())
    for (const auto& [ticket, known] : position->second.copies)
      if (known.whole && ticket != copy_ticket::none)
        result.push_back(known.node);
  return result;
}

void copy_directory::check_invariants() const {
  std::size_t tickets = 0;
  for (const auto& [sequence, known] : objects_) {
    MOBULA_ASSERT(!known.tickets.empty() && known.copies.size() == known.tickets.size() + 1);
    std::map<copy_ticket, std::size_t> arriving;
    for (const auto& [ticket, copy] : known.copies) {
      MOBULA_ASSERT(ticket == copy_ticket::none || copy.source < ticket);
      if (!copy.whole)
        ++arriving[copy.source];
    }
    for (const auto& [ticket, copy] : known.copies)
      MOBULA_ASSERT(copy.arriving == arriving[ticket]);
    for (const auto& [node, ticket] : known.tickets) {
      MOBULA_ASSERT(known.copies.at(ticket).node == node);
      MOBULA_ASSERT(nodes_.at(node).objects.contains(sequence));
    }
    tickets += known.tickets.size();
  }
  MOBULA_ASSERT(tickets == copies());
}

} // namespace mobula
