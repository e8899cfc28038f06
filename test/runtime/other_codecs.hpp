#pragma once

#include <mobula/node.hpp>

namespace mobula {

// For sources that do not include the headers of these codecs.

ObjectRef<int> put_in_json(node& where, int value);
ObjectRef<int> put_in_message_pack(node& where, int value);

} // namespace mobula
