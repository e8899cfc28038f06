// Turns exceptions into errors with their causes, and errors into text. Where errors follow from
// each other for too long, the nearest links of the chain go, since what began it tells most.

#include "mobula/serialization/error.hpp"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <memory>
#include <typeinfo>

#include <cxxabi.h>
#include <execinfo.h>
#include <fmt/format.h>

namespace mobula {

namespace {

struct free_memory {
  void operator()(void* memory) const noexcept {
    std::free(memory);
  }
};

template <class T>
using malloc_ptr = std::unique_ptr<T, free_memory>;

// -- printing -------------------------------------------------------------------------------------

/// Appends `text` and a newline, each of its lines led by `indent` blanks.
void append_lines(std::string& result, std::string_view text, std::size_t indent) {
  while (true) {
    auto end = text.find('\n');
    result.append(indent, ' ').append(text.substr(0, end)).push_back('\n');
    if (end == std::string_view::npos)
      return;
    text.remove_prefix(end + 1);
  }
}

std::string origin_text(const error_origin& origin) {
  std::string result;
  if (!origin.task.empty())
    result += fmt::format(" in task {}", origin.task);
  if (!origin.node.empty())
    result += fmt::format(" on node {}", origin.node);
  if (origin.process != 0)
    result += fmt::format(" in process {}", origin.process);
  return result;
}

void append_error(std::string& result, const error_info& info, std::size_t indent) {
  std::string head{to_string(info.type)};
  if (!info.message.empty())
    head += ": " + info.message;
  append_lines(result, head, indent);
  if (auto origin = origin_text(info.origin); !origin.empty())
    append_lines(result, "raised" + origin, indent + 2);
  if (!info.exception_type.empty())
    append_lines(result, "exception " + info.exception_type, indent + 2);
  for (const auto& frame : info.stack_trace)
    append_lines(result, "at " + frame, indent + 4);
  for (const auto& cause : info.causes) {
    append_lines(result, "caused by", indent + 2);
    append_error(result, cause, indent + 4);
  }
}

// -- describing an exception ----------------------------------------------------------------------

std::string demangled(const char* name) {
  int status = 0;
  malloc_ptr<char> readable{abi::__cxa_demangle(name, nullptr, nullptr, &status)};
  return status == 0 && readable != nullptr ? readable.get() : name;
}

std::string current_exception_type() {
  // Null for an exception of another language.
  const auto* type = abi::__cxa_current_exception_type();
  return type != nullptr ? demangled(type->name()) : std::string{};
}

/// Replaces the mangled name in a line `module(name+0x12) [0x34]`.
std::string readable_frame(std::string_view line) {
  auto open = line.find('(');
  auto plus = open == std::string_view::npos ? open : line.find('+', open);
  if (plus == std::string_view::npos || plus == open + 1)
    return std::string{line};
  auto name = std::string{line.substr(open + 1, plus - open - 1)};
  return fmt::format("{}({}{}", line.substr(0, open), demangled(name.c_str()), line.substr(plus));
}

std::vector<std::string> current_stack_trace() {
  constexpr int max_frames = 64;
  // This function and the one that describes the exception tell nothing.
  constexpr int own_frames = 2;
  void* addresses[max_frames];
  auto count = ::backtrace(addresses, max_frames);
  malloc_ptr<char*> lines{::backtrace_symbols(addresses, count)};
  std::vector<std::string> result;
  for (int i = own_frames; lines != nullptr && i < count; ++i)
    result.push_back(readable_frame(lines.get()[i]));
  return result;
}

/// Returns how many levels an error has, counted up to so many.
std::size_t levels_of(const error_info& info, std::size_t most = error_limits::depth) {
  std::size_t below = 0;
  if (most > 1)
    for (const auto& cause : info.causes)
      below = std::max(below, levels_of(cause, most - 1));
  return 1 + below;
}

/// Adds the error that was thrown. Where each failure follows from the one before, the chain would
/// grow with every round: when it is too long its nearest links go, since what began it tells most.
void add_thrown(error_info& result, const error_info& thrown, std::size_t depth) {
  if (depth + levels_of(thrown) < error_limits::depth)
    result.causes.push_back(thrown);
  else
    for (const auto& cause : thrown.causes)
      add_thrown(result, cause, depth);
}

/// More of a cause's message stands only in the cause.
constexpr std::size_t max_repeated_bytes = 400;

/// Returns what a failure followed from in the end, as a part of a sentence: who sees no more than
/// the message wants to know that.
std::string show_first_cause(const error_info& thrown) {
  const auto* first = &thrown;
  while (!first->causes.empty())
    first = &first->causes.front();
  auto text = first->message;
  if (text.size() > max_repeated_bytes) {
    auto end = max_repeated_bytes;
    // Not within a letter of UTF-8.
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
      --end;
    text.resize(end);
    text += "…";
  }
  return fmt::format("failed with {}{}{}", to_string(first->type), text.empty() ? "" : ": ", text);
}

/// The current exception without what the caller says about it.
error_info describe_bare(error_type type, std::size_t depth);

/// Adds the exception that is nested in `exception`, if there is one.
void add_nested(error_info& result, const std::exception& exception, std::size_t depth) {
  const auto* nested = dynamic_cast<const std::nested_exception*>(&exception);
  if (nested == nullptr || nested->nested_ptr() == nullptr || depth + 1 >= error_limits::depth)
    return;
  try {
    nested->rethrow_nested();
  } catch (...) {
    result.causes.push_back(describe_bare(result.type, depth + 1));
  }
}

error_info describe_bare(error_type type, std::size_t depth) {
  error_info result;
  result.type = type;
  result.exception_type = current_exception_type();
  try {
    throw;
  } catch (const object_error& error) {
    result.message = show_first_cause(error.info());
    add_thrown(result, error.info(), depth);
    add_nested(result, error, depth);
  } catch (const std::exception& exception) {
    result.message = exception.what();
    add_nested(result, exception, depth);
  } catch (const std::string& text) {
    result.message = text;
  } catch (const char* text) {
    result.message = text != nullptr ? text : "";
  } catch (...) {
    result.message = "an exception that is not derived from std::exception";
  }
  return result;
}

} // namespace

std::string to_string(const error_info& info) {
  std::string result;
  append_error(result, info, 0);
  result.pop_back();
  return result;
}

object_error::object_error(error_info info)
  : std::runtime_error(to_string(info)), info_(std::move(info)) {
  // nop
}

error_info describe_current_exception(error_type type, std::string message, error_origin origin) {
  auto result = describe_bare(type, 0);
  if (!message.empty())
    result.message = fmt::format("{}: {}", message, result.message);
  result.origin = std::move(origin);
  result.stack_trace = current_stack_trace();
  return result;
}

} // namespace mobula
