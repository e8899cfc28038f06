#pragma once

#include "mobula/store/system/assertion.hpp"

namespace mobula {

/// What an element of a `use_list` derives from.
template <class Element>
struct use_links {
  Element* next = nullptr;
  Element* previous = nullptr;
};

/// A doubly linked list through its elements, least recently used first. It owns nothing and
/// allocates nothing, so that moving an element is O(1) and cannot fail.
template <class Element>
class use_list {
public:
  [[nodiscard]] bool empty() const noexcept {
    return first_ == nullptr;
  }

  /// Returns the first element, or null.
  [[nodiscard]] Element* front() const noexcept {
    return first_;
  }

  /// Returns the last element, or null.
  [[nodiscard]] Element* back() const noexcept {
    return last_;
  }

  void push_back(Element& element) noexcept {
    insert(element, last_, nullptr);
  }

  void push_front(Element& element) noexcept {
    insert(element, nullptr, first_);
  }

  /// REQUIRES: `position` is in this list.
  void insert_before(Element& position, Element& element) noexcept {
    insert(element, position.previous, &position);
  }

  /// REQUIRES: `element` is in this list.
  void remove(Element& element) noexcept {
    (element.previous != nullptr ? element.previous->next : first_) = element.next;
    (element.next != nullptr ? element.next->previous : last_) = element.previous;
    element.next = nullptr;
    element.previous = nullptr;
  }

private:
  void insert(Element& element, Element* previous, Element* next) noexcept {
    MOBULA_ASSERT(element.next == nullptr && element.previous == nullptr);
    element.previous = previous;
    element.next = next;
    (previous != nullptr ? previous->next : first_) = &element;
    (next != nullptr ? next->previous : last_) = &element;
  }

  Element* first_ = nullptr;
  Element* last_ = nullptr;
};

} // namespace mobula
