#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "mobula/actors/messages/transfer_messages.hpp"
#include "mobula/actors/objects/copy_pin.hpp"
#include "mobula/store/transfer/byte_ranges.hpp"

namespace mobula {

/// Hears of copies that arrive, within the event that changes them.
class arrival_listener {
public:
  virtual ~arrival_listener() = default;

  /// A pull of the object has got its buffer, or has ended.
  virtual void pull_settled(const object_id& object) = 0;

  virtual void copy_grew(const object_id& object, pull_number number, byte_range range) = 0;

  /// The buffer, if the copy had one, is to be given back.
  virtual void copy_stopped(const object_id& object, pull_number number) = 0;
};

/// The copies of other nodes' values that this node is pulling at this moment: which bytes of each
/// are here already, and who reads them meanwhile. The puller says how far each one is; the pusher
/// lends what is here to other nodes.
///
/// | field             | raised by    | lowered by         |
/// |-------------------|--------------|--------------------|
/// | copies_           | `expected`   | `ended`, `sealed`  |
/// | copy::has_buffer  | `began`      | `stopped`          |
/// | copy::here        | `grew`       | `stopped`          |
/// | copy::buffer      | `lend`       | the last reader    |
///
/// *Bounds*: by the pulls. Belongs to the transfers' actor, like both of its users.
class arriving_copies {
public:
  /// What is lent of a copy.
  struct lent_copy {
    std::span<const std::byte> bytes;   ///< all of them, whether here or not
    std::shared_ptr<const void> keeper; ///< the buffer stays while it lives
    const byte_ranges& here;
  };

  explicit arriving_copies(transfers_actor::pointer self) : self_(self) {
    // nop
  }

  arriving_copies(const arriving_copies&) = delete;
  arriving_copies& operator=(const arriving_copies&) = delete;

  /// REQUIRES: called once, before anything else; the listener outlives all pulls.
  void report_to(arrival_listener& listener) {
    listener_ = &listener;
  }

  // -- the puller's -------------------------------------------------------------------------------

  /// A value is to be pulled into `copy`, perhaps anew.
  void expected(const object_id& object, const copy_pointer& copy);

  /// It has got its buffer.
  void began(pull_number number);

  void grew(pull_number number, byte_range range);

  /// Its buffer, if it had any, is to be given back.
  void stopped(pull_number number);

  /// Returns whether somebody reads from the buffer; `buffer_let_go` says when that ends.
  [[nodiscard]] bool reads_buffer(pull_number number) const;

  /// It is whole and sealed. The pin lives on as long as the buffer is read from.
  void sealed(pull_number number, std::shared_ptr<copy_pin> pin);

  /// There will be no copy. Ignored if none is expected.
  void ended(pull_number number);

  // -- the pusher's -------------------------------------------------------------------------------

  /// Returns the object's latest pull, if there is one.
  [[nodiscard]] std::optional<pull_number> latest(const object_id& object) const;

  [[nodiscard]] bool has_buffer(pull_number number) const;

  /// REQUIRES: it has a buffer.
  [[nodiscard]] lent_copy lend(pull_number number);

  // -- properties ---------------------------------------------------------------------------------

  void check_invariants() const;

private:
  /// The memory of a pull that others read from, and all that keeps it. Its end is told.
  class lent_buffer;

  struct arriving_copy {
    object_id object;
    copy_pointer copy;
    byte_ranges here;                  ///< empty without a buffer
    std::weak_ptr<lent_buffer> buffer; ///< while somebody reads from it
    bool has_buffer = false;
  };

  transfers_actor::pointer self_;
  arrival_listener* listener_ = nullptr;
  std::map<pull_number, arriving_copy> copies_;
  std::set<std::pair<object_id, pull_number>> by_object_;
};

} // namespace mobula
