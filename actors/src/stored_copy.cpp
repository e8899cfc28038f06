#include "mobula/actors/stored_copy.hpp"

#include "mobula/actors/object_entry.hpp"
#include "mobula/store/assertion.hpp"

namespace mobula {

metadata stored_copy::describe() const {
  return value.describe_as(size_bytes);
}

void stored_copy::write_metadata() const {
  MOBULA_ASSERT(memory.in_arena());
  encode(describe(), memory.block().bytes().subspan(metadata_offset(), metadata_bytes));
}

} // namespace mobula
