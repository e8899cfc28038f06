#pragma once

// Everything that applications need; each header may also be included alone.

// First: it says so if CAF is of another version.
#include "mobula/actors/caf/caf_version.hpp"
#include "mobula/cluster.hpp"
#include "mobula/config.hpp"
#include "mobula/coroutine.hpp"
#include "mobula/exact.hpp"
#include "mobula/get.hpp"
#include "mobula/main.hpp"
#include "mobula/message.hpp"
#include "mobula/names.hpp"
#include "mobula/node.hpp"
#include "mobula/object_builder.hpp"
#include "mobula/object_ref.hpp"
#include "mobula/outcome.hpp"
#include "mobula/promise.hpp"
#include "mobula/request.hpp"
#include "mobula/stop_signal.hpp"
#include "mobula/version.hpp"
#include "mobula/view.hpp"
