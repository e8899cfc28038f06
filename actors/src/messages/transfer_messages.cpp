// Makes uses of entries that messages carry.

#include "mobula/actors/messages/transfer_messages.hpp"

namespace mobula {

shared_use share_use(object_entry& entry) {
  entry.add_use();
  return std::make_shared<release_token>(&entry);
}

} // namespace mobula
