#include "mobula/actors/stored_copy.hpp"

#include "mobula/actors/object_entry.hpp"
#include "mobula/store/assertion.hpp"

namespace mobula {

metadata stored_copy::describe() const {
  metadata result;
  result.codec = value.type().codec;
  result.type_name = value.type().name;
  result.size_bytes = size_bytes;
  if (const auto* extras = value.extras()) {
    result.shape.assign(extras->shape.extents().begin(), extras->shape.extents().end());
    for (const auto* entry : extras->nested.entries())
      result.nested.push_back(entry->id());
  }
  return result;
}

void stored_copy::write_metadata() const {
  MOBULA_ASSERT(memory.in_arena());
  encode(describe(), memory.block().bytes().subspan(metadata_offset(), metadata_bytes));
}

} // namespace mobula
