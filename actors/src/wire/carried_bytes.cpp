// Bytes inside of a message: an object's own, pinned until they are written, or received ones,
// whose memory becomes that of the value without a further copy.

#include "mobula/actors/wire/carried_bytes.hpp"

#include <algorithm>
#include <utility>

namespace mobula {

carried_bytes::carried_bytes(pinned_value pin) : content_(std::make_shared<content>()) {
  content_->bytes = pin.value().bytes();
  content_->pin = std::move(pin);
}

carried_bytes::carried_bytes(std::vector<std::byte> encoded)
  : content_(std::make_shared<content>()) {
  content_->encoded = std::move(encoded);
  content_->bytes = content_->encoded;
}

carried_bytes carried_bytes::incoming(std::size_t size) {
  carried_bytes result;
  result.content_ = std::make_shared<content>();
  result.content_->incoming = std::make_unique_for_overwrite<std::byte[]>(size);
  result.content_->bytes = {result.content_->incoming.get(), size};
  return result;
}

std::span<const std::byte> carried_bytes::bytes() const noexcept {
  return content_ ? content_->bytes : std::span<const std::byte>{};
}

std::unique_ptr<std::byte[]> carried_bytes::take() {
  if (content_ && content_->incoming && content_.use_count() == 1)
    return std::move(content_->incoming);
  auto known = bytes();
  auto result = std::make_unique_for_overwrite<std::byte[]>(known.size());
  std::ranges::copy(known, result.get());
  return result;
}

} // namespace mobula
