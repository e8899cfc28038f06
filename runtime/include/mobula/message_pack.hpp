#pragma once

// MessagePack, for readers in other languages: a source that includes this can put values with
// `put_as<mobula::codec_id::message_pack>`, and read values that were put so; and it has the macros
// of msgpack-cxx, such as MSGPACK_DEFINE_MAP. It comes before what puts and reads; mobula.hpp is
// without it, since many programs need none. A header with inline functions or templates that read
// such values includes it itself: they must mean the same in all sources of a program.

#include "mobula/serialization/message_pack_codec.hpp"
