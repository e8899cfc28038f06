// JSON is written whatever text it is to hold.

#include <doctest/doctest.h>

#include "json_text.hpp"

using mobula::command::json_text;

TEST_CASE("text that is no UTF-8 is written with replacements, and the rest as it is") {
  CHECK(json_text({{"name", "caf\xe9:1"}, {"type", "\xff"}})
        == "{\n  \"name\": \"caf\xef\xbf\xbd:1\",\n  \"type\": \"\xef\xbf\xbd\"\n}\n");
  CHECK(json_text("caf\xc3\xa9") == "\"caf\xc3\xa9\"\n");
}
