// What doctest itself consists of.

#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
