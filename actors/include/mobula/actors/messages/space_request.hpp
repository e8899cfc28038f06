#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include <caf/intrusive_ptr.hpp>

#include "mobula/serialization/error.hpp"

namespace mobula {

class node_core;

/// Where a thread that asked a service for space waits for the answer.
class space_answer {
public:
  /// Called once, by any thread. No error: the space is there.
  void set(std::optional<error_info> failure);

  /// Blocks until set, or until the services of `core` have ended or were left behind; under the
  /// test coordinator, runs it meanwhile. Returns why there is no space; `would_block` if the
  /// simulation comes to rest without an answer.
  [[nodiscard]] std::optional<error_info> await(node_core& core, const error_info& would_block);

private:
  [[nodiscard]] bool is_set();

  std::mutex mutex_;
  std::optional<error_info> failure_;
  bool set_ = false;
};

/// The service's side of it. Destroyed without an answer, because the node ended, it tells why:
/// nobody waits for ever.
class space_request {
public:
  space_request(std::shared_ptr<space_answer> answer, node_core& core);

  space_request(const space_request&) = delete;
  space_request& operator=(const space_request&) = delete;

  ~space_request();

  /// The space is there: of a shard's, in the copy.
  void grant();

  void refuse(error_info reason);

private:
  void end(std::optional<error_info> failure);

  std::shared_ptr<space_answer> answer_;
  caf::intrusive_ptr<node_core> core_;
};

} // namespace mobula
