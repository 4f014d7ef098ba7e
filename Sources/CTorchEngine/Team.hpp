#pragma once
#include <cstdint>

namespace ctorch::team {

/// A loop over begin ..< end, with its captured values.
using Body = void (*)(const void *context, int64_t begin, int64_t end);

/// Calls `body` for ranges that cover 0 ..< count, on up to `threads` threads, this one included.
///
/// Each thread has a share of the loop, and takes `grain` or more indices of it at a time; when it is empty, it takes them from the
/// others. So a thread whose processor is taken away delays the loop by one range at most, and a thread that has not woken up when
/// the others are done is not waited for. (The end of a loop of OpenMP waits for every thread of the team.)
///
/// A call within a loop, or during a loop of another thread, computes all on its own thread.
void run(int64_t count, int64_t grain, int threads, Body body, const void *context);

/// Computes all on this thread, as number 0: for a loop within a loop, whose scratch memory has other parts.
void runAlone(int64_t count, Body body, const void *context);

/// The number of this thread within its loop: 0 for the thread that called `run`, less than `threads` for all others.
int threadNumber();

/// Whether this thread belongs to the team: it computes ranges of the loops of others.
bool isHelper();

}  // namespace ctorch::team
