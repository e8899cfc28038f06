#pragma once

// Refuses a CAF that this library was not written for, in words: its own errors would be many, and
// none would say what is wrong. Included before anything that another CAF lacks.

#include <caf/config.hpp>
#if CAF_VERSION != 1706
#error \
  "Mobula needs CAF 0.17.6 (CAF_VERSION 1706), but the CAF headers found are of another version: put those of 0.17.6 first on the include path (Debian 12: package libcaf-dev)"
#endif
