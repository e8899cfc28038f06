// Included ahead of every source of the layers below `actors/`: any header that opens CAF's
// namespace then fails to compile.
#pragma once
#pragma GCC poison caf
