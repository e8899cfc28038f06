#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "mobula/actors/caf_compat.hpp"
#include "mobula/serialization/error.hpp"

namespace mobula {

/// Where a thread that asked a shard for room waits for the answer.
class room_answer {
public:
  /// Called once, by any thread. No error: the memory is in the copy.
  void set(std::optional<error_info> failure);

  /// Blocks until set; under the test coordinator, runs it meanwhile. Returns why there is no room;
  /// `would_block` if the simulation comes to rest without an answer.
  [[nodiscard]] std::optional<error_info> await(caf::scheduler::test_coordinator* simulation,
                                                const error_info& would_block);

private:
  [[nodiscard]] bool is_set();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<error_info> failure_;
  bool set_ = false;
};

/// The shard's side of it. Destroyed without an answer, because the node shut down, it tells
/// `abandoned`: nobody waits for ever.
class room_request {
public:
  room_request(std::shared_ptr<room_answer> answer, error_info abandoned)
    : answer_(std::move(answer)), abandoned_(std::move(abandoned)) {
    // nop
  }

  room_request(const room_request&) = delete;
  room_request& operator=(const room_request&) = delete;

  ~room_request() {
    end(std::move(abandoned_));
  }

  /// The memory is in the copy.
  void grant() {
    end(std::nullopt);
  }

  void refuse(error_info reason) {
    end(std::move(reason));
  }

private:
  void end(std::optional<error_info> failure) {
    if (auto answer = std::exchange(answer_, nullptr))
      answer->set(std::move(failure));
  }

  std::shared_ptr<room_answer> answer_;
  error_info abandoned_;
};

} // namespace mobula
