// Reads a part of a spilled record, for those who send a large value on without having space for
// it. The caller says whether the rest of the record is verified as well.

#include "mobula/store/spill/spill_part.hpp"

#include <fcntl.h>

#include "mobula/serialization/checksum.hpp"
#include "record_reader.hpp"

namespace mobula {

bool read_part(const std::filesystem::path& file, const moving_record& record,
               std::uint64_t data_offset, std::span<std::byte> target, record_check check,
               const io_calls& calls) {
  const file_handle handle{calls, calls.open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0)};
  if (!handle.valid())
    return false;
  record_reader reader{handle, calls};
  auto parts = reader.read_header(record);
  if (!parts || data_offset > parts->data_bytes || target.size() > parts->data_bytes - data_offset)
    return false;
  auto data_begin = record.offset_bytes + spill_header_bytes + parts->metadata_bytes;
  if (!reader.read(target, data_begin + data_offset))
    return false;
  // The usual value takes one chunk, which need not be read twice.
  if (target.size() == parts->data_bytes)
    return checksum_of(target) == parts->data_hash;
  return check == record_check::header || reader.verify(record);
}

} // namespace mobula
