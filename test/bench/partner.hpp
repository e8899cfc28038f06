#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <caf/scoped_actor.hpp>
#include <sys/types.h>

#include "bench_node.hpp"
#include "mobula/cluster.hpp"
#include "mobula/message.hpp"

// Another process of the same program, with a node and an actor that does what the cases on
// clusters need: cases_cluster.cpp asks, partner.cpp answers.

namespace mobula::bench {

struct make_object {
  std::uint64_t bytes = 0;
};
MOBULA_MESSAGE(make_object, bytes)

struct object_made {
  ObjectRef<array<std::byte>> ref;
};
MOBULA_MESSAGE(object_made, ref)

/// Read by the partner, and sent back.
struct handed_over {
  ObjectRef<payload<1024>> ref;
};
MOBULA_MESSAGE(handed_over, ref)

/// Read by the partner, which says how many there were.
struct handed_over_many {
  std::vector<ObjectRef<payload<64>>> refs;
};
MOBULA_MESSAGE(handed_over_many, refs)

/// Makes objects of bytes that no codec makes shorter, and keeps them.
struct stock_objects {
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
};
MOBULA_MESSAGE(stock_objects, count, bytes)

struct show_stock {};
MOBULA_MESSAGE(show_stock)

struct stock {
  std::vector<ObjectRef<array<std::byte>>> refs;
};
MOBULA_MESSAGE(stock, refs)

/// Connects to the port, and from then on writes the stock's bytes for each byte that it reads.
struct stream_stock {
  std::uint16_t port = 0;
};
MOBULA_MESSAGE(stream_stock, port)

/// Read by the partner, and dropped.
struct read_object {
  ObjectRef<array<std::byte>> ref;
};
MOBULA_MESSAGE(read_object, ref)

struct object_read {
  std::uint64_t bytes = 0;
};
MOBULA_MESSAGE(object_read, bytes)

/// How this process and its partners are to be.
struct partner_setup {
  std::size_t partners = 1;

  /// Of each. Half of it is one shard's, and so the limit of one object.
  std::string store_size = "4GiB";

  /// `mobula.same-host-reading` of each: `off` has values pulled.
  std::string reading = "auto";
};

/// A configuration that knows these messages.
struct partner_config : config {
  explicit partner_config(const partner_setup& setup);
};

/// This process's end: a node in a cluster with the partners'.
class partner_process {
public:
  /// Starts the partners and waits until they answer. Throws `object_error` if one does not.
  explicit partner_process(const partner_setup& setup = {});

  partner_process(const partner_process&) = delete;
  partner_process& operator=(const partner_process&) = delete;

  /// Lets the partners leave, and waits for their ends.
  ~partner_process();

  [[nodiscard]] caf::actor_system& system() noexcept {
    return system_;
  }

  [[nodiscard]] mobula::node& node() noexcept {
    return node_;
  }

  /// Returns the first partner's actor.
  [[nodiscard]] const caf::actor& actor() const noexcept {
    return actors_.front();
  }

  [[nodiscard]] const std::vector<caf::actor>& actors() const noexcept {
    return actors_;
  }

private:
  partner_config settings_;
  caf::actor_system system_;
  mobula::node node_{system_};
  mobula::cluster cluster_{node_};
  std::vector<pid_t> processes_;
  std::vector<int> inputs_; ///< each partner ends with its own
  std::vector<caf::actor> actors_;
};

/// Started by the first side that needs it: listing the cases starts no process.
class partner_on_demand {
public:
  explicit partner_on_demand(partner_setup setup = {}) : setup_(std::move(setup)) {
    // nop
  }

  partner_process& get() {
    if (process_ == nullptr)
      process_ = std::make_unique<partner_process>(setup_);
    return *process_;
  }

private:
  partner_setup setup_;
  std::unique_ptr<partner_process> process_;
};

/// Asks a partner and returns its answer.
template <class Answer, class Question>
Answer ask(caf::scoped_actor& self, const caf::actor& partner, const Question& question) {
  Answer result{};
  self->request(partner, caf::infinite, question)
    .receive([&](Answer& answer) { result = std::move(answer); },
             [](caf::error& error) { throw object_error{to_error_info(error)}; });
  return result;
}

/// Argument with which this program becomes a partner. Behind it: the other's port, the partner's
/// name, and what the setup says of store and reading.
inline constexpr auto partner_argument = "--partner-of";

/// Works for the process that `arguments` name until standard input ends. Returns an exit code.
int run_partner(const std::vector<std::string>& arguments);

} // namespace mobula::bench
