#pragma once

/// Whether a test runs under a sanitizer, which takes time, memory and system calls of its own. GCC
/// says so in one way, clang in another.

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MOBULA_TEST_ADDRESS_SANITIZER
#endif
#if __has_feature(thread_sanitizer)
#define MOBULA_TEST_THREAD_SANITIZER
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(MOBULA_TEST_ADDRESS_SANITIZER)
#define MOBULA_TEST_ADDRESS_SANITIZER
#endif
#if defined(__SANITIZE_THREAD__) && !defined(MOBULA_TEST_THREAD_SANITIZER)
#define MOBULA_TEST_THREAD_SANITIZER
#endif

namespace mobula::test {

#ifdef MOBULA_TEST_ADDRESS_SANITIZER
inline constexpr bool has_address_sanitizer = true;
#else
inline constexpr bool has_address_sanitizer = false;
#endif

#ifdef MOBULA_TEST_THREAD_SANITIZER
inline constexpr bool has_thread_sanitizer = true;
#else
inline constexpr bool has_thread_sanitizer = false;
#endif

} // namespace mobula::test
