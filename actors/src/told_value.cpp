#include "mobula/actors/told_value.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "mobula/actors/node_core.hpp"
#include "mobula/serialization/codec_error.hpp"

namespace mobula {

namespace {

/// Names the types of what the value refers to, each once.
void add_nested_types(told_object& told, const nested_references& nested) {
  std::map<const type_descriptor*, std::uint32_t> known;
  for (const auto* entry : nested.entries()) {
    auto next = static_cast<std::uint32_t>(told.types.size());
    auto [type, is_new] = known.try_emplace(&entry->type(), next);
    if (is_new)
      told.types.push_back({std::string{entry->type().name}, entry->type().codec});
    told.nested_types.push_back(type->second);
  }
}

error_info bad_bytes(const object_entry& entry, std::string_view why) {
  return {.type = error_type::decode_failed,
          .message = fmt::format("what node {} told of object {} is no object: {}",
                                 to_string(entry.id().owner), to_string(entry.id()), why),
          .origin = entry.core().origin()};
}

/// Returns the error that came in place of a value.
error_info error_in(const object_entry& entry, const told_object& told) {
  auto reason = decode_error_info(told.data.bytes());
  return reason ? *std::move(reason) : bad_bytes(entry, to_string(reason.error()));
}

/// Returns what is wrong with a value; nothing if it is sound.
std::optional<std::string> fault_of(const object_entry& entry, const metadata& about,
                                    const told_object& told) {
  if (about.error || about.size_bytes != told.data.bytes().size())
    return "its metadata are those of something else";
  if (about.type_name != entry.type().name)
    return fmt::format("it is of type {}, not {}", about.type_name, entry.type().name);
  if (about.codec != entry.type().codec)
    return fmt::format("it is encoded as {}, not as {}", to_string(about.codec),
                       to_string(entry.type().codec));
  if (about.nested.size() != told.nested_types.size())
    return "the types of its references do not fit";
  if (std::ranges::any_of(told.nested_types,
                          [&](std::uint32_t index) { return index >= told.types.size(); }))
    return "a reference has no type";
  return std::nullopt;
}

std::vector<enclosed_reference> references_in(const metadata& about, const told_object& told) {
  std::vector<const type_descriptor*> types;
  for (const auto& type : told.types)
    types.push_back(&intern_type(type.name, type.codec));
  std::vector<enclosed_reference> result;
  for (std::size_t index = 0; index < about.nested.size(); ++index)
    result.push_back({about.nested[index], types[told.nested_types[index]]});
  return result;
}

/// Makes the value, whose references come across the border with it.
void take_value(const object_handle& entry, const metadata& about, told_object& told) {
  auto extras = std::make_unique<object_extras>();
  extras->shape = array_shape{about.shape};
  auto size = told.data.bytes().size();
  for (const auto& inner : entry->core().border().value_read(entry, references_in(about, told)))
    extras->nested.add(*inner.get());
  entry->seal_inline(told.data.take(), size, std::move(extras));
}

void take_value(const object_handle& entry, told_object& told) {
  auto about = decode_metadata(told.about.bytes());
  auto fault =
    about ? fault_of(*entry.get(), *about, told) : std::optional{to_string(about.error())};
  if (fault)
    entry->seal_failed(bad_bytes(*entry.get(), *fault));
  else
    take_value(entry, *about, told);
}

} // namespace

told_object tell_error(std::uint64_t sequence, told_outcome outcome, const error_info& reason) {
  auto data = encode(reason);
  metadata about{.error = reason.type, .size_bytes = data.size()};
  return {.sequence = sequence,
          .outcome = outcome,
          .about = carried_bytes{encode(about)},
          .data = carried_bytes{std::move(data)},
          .types = {},
          .nested_types = {}};
}

told_object tell_value(std::uint64_t sequence, pinned_value pin) {
  const auto& value = pin.value();
  auto refuse = [&](error_type type, std::string why) {
    return tell_error(sequence, told_outcome::failed,
                      {.type = type,
                       .message = fmt::format("object {} cannot be told to another node: {}",
                                              to_string(pin.entry().id()), why),
                       .origin = pin.entry().core().origin()});
  };
  if (value.bytes().size() > carried_bytes::most_bytes)
    return refuse(error_type::reference_not_portable,
                  fmt::format("it has {} bytes, and a message holds {}", value.bytes().size(),
                              carried_bytes::most_bytes));
  try {
    told_object result{.sequence = sequence,
                       .outcome = told_outcome::value,
                       .about = carried_bytes{encode(value.describe())},
                       .data = {},
                       .types = {},
                       .nested_types = {}};
    if (const auto* extras = value.extras())
      add_nested_types(result, extras->nested);
    result.data = carried_bytes{std::move(pin)};
    return result;
  } catch (const codec_error& error) {
    return refuse(error_type::encode_failed, error.what());
  }
}

void take_told(const object_handle& entry, told_object& told) {
  auto& border = entry->core().border();
  switch (told.outcome) {
    case told_outcome::value:
      return take_value(entry, told);
    case told_outcome::failed:
      entry->seal_failed(error_in(*entry.get(), told));
      return;
    case told_outcome::refused:
      // In this order: who is told now and tries again asks again.
      border.want_again(entry->id());
      return entry->refuse_readers(error_in(*entry.get(), told));
  }
  entry->seal_failed(bad_bytes(*entry.get(), "unknown outcome"));
}

} // namespace mobula
