// The program's options: those of every Mobula node, and its own.

#include "index_config.hpp"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <thread>

#include <fmt/format.h>

#include <mobula/runtime/cluster_options.hpp>

#include "messages.hpp"

namespace text_index {

namespace {

/// What two cores index in some seconds.
constexpr std::size_t default_file_limit = 6000;

void require_range(std::string_view option, std::size_t value, std::size_t least,
                   std::size_t most) {
  if (value < least || value > most)
    throw mobula::object_error{{.type = mobula::error_type::invalid_argument,
                                .message = fmt::format("option {} is {}, but must be from {} to {}",
                                                       option, value, least, most)}};
}

/// Returns the number that `mobula launch` tells the programs that it starts.
std::optional<std::size_t> number_of_launch(const char* variable) {
  const auto* text = std::getenv(variable);
  std::size_t result = 0;
  if (text == nullptr || std::from_chars(text, text + std::strlen(text), result).ec != std::errc{})
    return std::nullopt;
  return result;
}

} // namespace

index_config::index_config() : launch_number_(number_of_launch("MOBULA_LAUNCH_NODE")) {
  nodes = number_of_launch("MOBULA_LAUNCH_NODES").value_or(1);
  register_messages(*this);
  indexers = std::max<std::size_t>(1, std::thread::hardware_concurrency());
  // Large corpora should fit in small stores without more options.
  set("mobula.spill-dirs",
      std::vector<std::string>{std::filesystem::temp_directory_path().string()});
  opt_group{custom_options_, "global"}
    .add(top, "top,t", "number of words in the table (default 20)")
    .add(words, "words,w", "words to look up, such as '[\"mutex\", \"licence\"]'")
    .add(indexers, "indexers", "actors that index files (default: one for each core)")
    .add(partitions, "partitions", "parts that the index is split into (default 8)")
    .add(limit_files_, "limit-files", "index at most so many files, evenly spread; 0: no limit")
    .add(store_size_, "store-size", "the same as mobula.store-size")
    .add(verify, "verify", "compare with an index made in the simplest way")
    .add(listen_, "listen", "ADDRESS:PORT at which other processes may join to help; port 0: any")
    .add(join_, "join", "ADDRESS:PORT of the process to help; it has the files")
    .add(nodes, "nodes",
         "with --listen: begin when so many nodes are there (default 1, or all that are launched)")
    .add(stay, "stay",
         "with several processes: when done, stay until standard input ends, or for SIGTERM if "
         "launched");
}

caf::error index_config::parse(int argc, char** argv) {
  if (auto error = mobula::config::parse(argc, argv))
    return error;
  try {
    check();
    if (!store_size_.empty()) {
      set("mobula.store-size", store_size_);
      static_cast<void>(mobula::read_options(*this));
    }
    if (!listen_.empty())
      set("mobula.listen", listen_);
    if (!join_.empty())
      set("mobula.join", join_);
    if (role() != process_role::alone)
      mobula::internal::prepare_network(*this);
  } catch (const mobula::object_error& error) {
    return mobula::to_caf_error(error.info());
  }
  return caf::none;
}

void index_config::check() const {
  require_range("top", top, 0, 10'000);
  require_range("indexers", indexers, 1, 1024);
  require_range("partitions", partitions, 1, 1024);
  require_range("nodes", nodes, 1, 1024);
  if (!listen_.empty() && !join_.empty())
    throw mobula::object_error{{.type = mobula::error_type::invalid_argument,
                                .message = "options listen and join exclude each other: one "
                                           "process has the files, the others help"}};
}

index_config::process_role index_config::role() const {
  if (!join_.empty())
    return process_role::works;
  if (!listen_.empty())
    return process_role::gives_work;
  // A node 0 that is started again has something to join, and the files all the same.
  if (launched())
    return *launch_number_ == 0 ? process_role::gives_work : process_role::works;
  return process_role::alone;
}

std::size_t index_config::file_limit() const {
  if (limit_files_ > 0)
    return limit_files_;
  return remainder.empty() ? default_file_limit : std::numeric_limits<std::size_t>::max();
}

} // namespace text_index
