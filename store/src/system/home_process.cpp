// Counts forks in each child, so that a child knows that memory, locks and files which look like
// its own are its parent's.

#include "mobula/store/system/home_process.hpp"

#include <pthread.h>

namespace mobula {

std::atomic<std::uint32_t> home_process::count = 0;

// A program that uses the count has this file linked, and so the handler installed. It fails only
// for lack of memory before `main`.
const int home_process::handler = ::pthread_atfork(nullptr, nullptr, forked);

} // namespace mobula
