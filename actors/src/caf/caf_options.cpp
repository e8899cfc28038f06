// Words as CAF 0.17 has them in options: atoms.

#include "mobula/actors/caf/caf_options.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/atom.hpp>
#include <caf/config_value.hpp>
#include <caf/to_string.hpp>

namespace mobula::caf_options {

caf::config_value word(std::string_view text) {
  return caf::config_value{caf::atom_from_string(std::string{text})};
}

std::string word_of(const caf::actor_system_config& config, const char* option) {
  auto word = caf::get_if<caf::atom_value>(&config, std::string{option});
  return word ? caf::to_string(*word) : std::string{};
}

} // namespace mobula::caf_options
