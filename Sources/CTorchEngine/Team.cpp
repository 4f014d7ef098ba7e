#include "Team.hpp"

#include <strings.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

namespace ctorch::team {
namespace {

thread_local int number = 0;
thread_local bool helps = false;
thread_local bool isWithin = false;

/// A range is this part of what a share has left, so that ranges become smaller towards the end, where threads wait for each other.
constexpr int64_t divisor = 4;

/// How often a thread looks for work before it sleeps: for about 0.2 ms, longer than most gaps between loops. A thread that sleeps on
/// a busy machine misses the loops of several milliseconds until it gets a processor again (results/speed.md).
constexpr int defaultLooks = 10'000;

/// The variables of libgomp, so that a user's choice counts for all threads. A count can be `infinity`, or have a suffix such as `k`.
int chosenLooks() {
  constexpr int most = std::numeric_limits<int>::max();
  if (const char *text = std::getenv("GOMP_SPINCOUNT")) {
    char *end = nullptr;
    double count = std::strtod(text, &end);
    if (end != text && count >= 0) {
      const char *const suffixes = "kmgt", *suffix = *end ? std::strchr(suffixes, std::tolower(*end)) : nullptr;
      if (suffix) count *= std::pow(1e3, suffix - suffixes + 1);
      return count < most ? static_cast<int>(count) : most;
    }
  }
  const char *policy = std::getenv("OMP_WAIT_POLICY");
  if (policy && strcasecmp(policy, "passive") == 0) return 0;
  return policy && strcasecmp(policy, "active") == 0 ? most : defaultLooks;
}

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

/// The indices that a thread has left. On a cache line of its own, since all threads can change it.
struct alignas(64) Share {
  std::atomic<int64_t> next{0};
  int64_t end = 0;
};

class Team {
 public:
  void run(int64_t count, int64_t grain, int threads, Body body, const void *context) {
    std::unique_lock lock(isBusy, std::try_to_lock);
    if (!lock) return runAlone(count, body, context);
    grow(threads);
    this->body = body;
    this->context = context;
    this->threads.store(threads, std::memory_order_relaxed);
    this->grain = grain;
    for (int i = 0; i < threads; ++i) {
      shares[i].next.store(count * i / threads, std::memory_order_relaxed);
      shares[i].end = count * (i + 1) / threads;
    }
    state.store(open, std::memory_order_release);
    loops.fetch_add(1, std::memory_order_release);
    loops.notify_all();
    isWithin = true;
    work(0);
    isWithin = false;
    close();
  }

 private:
  // The lowest bit of the state: whether helpers may join. The others: the number of helpers that did.
  static constexpr uint32_t open = 1, helper = 2;

  std::mutex isBusy;
  Body body = nullptr;
  const void *context = nullptr;
  int64_t grain = 1;
  std::unique_ptr<Share[]> shares;
  int capacity = 0, size = 1;
  const int looks = chosenLooks();
  alignas(64) std::atomic<int> threads{1};
  alignas(64) std::atomic<uint32_t> loops{0};
  alignas(64) std::atomic<uint32_t> state{0};

  void grow(int threads) {
    if (threads <= capacity) return;
    // No helper is within a loop.
    shares = std::make_unique<Share[]>(threads);
    capacity = threads;
    // Without a thread, the others compute its share.
    try {
      for (; size < threads; ++size) std::thread([this, own = size] { help(own); }).detach();
    } catch (const std::system_error &) {
    }
  }

  /// Computes the ranges of its own share, then those of the others.
  void work(int own) {
    const int count = threads.load(std::memory_order_relaxed);
    for (int i = 0; i < count; ++i) {
      Share &share = shares[(own + i) % count];
      int64_t begin = share.next.load(std::memory_order_relaxed);
      while (begin < share.end) {
        const int64_t length = std::min(share.end - begin, std::max(grain, (share.end - begin) / divisor));
        if (!share.next.compare_exchange_weak(begin, begin + length, std::memory_order_relaxed)) continue;
        body(context, begin, begin + length);
        begin = share.next.load(std::memory_order_relaxed);
      }
    }
  }

  /// Waits for the helpers that have joined. The others find the loop closed.
  void close() {
    uint32_t left = state.fetch_and(~open, std::memory_order_acq_rel) & ~open;
    for (int look = 0; left != 0 && look < looks; ++look) {
      pause();
      left = state.load(std::memory_order_acquire);
    }
    for (; left != 0; left = state.load(std::memory_order_acquire)) state.wait(left, std::memory_order_acquire);
  }

  bool join() {
    uint32_t now = state.load(std::memory_order_relaxed);
    while (now & open)
      if (state.compare_exchange_weak(now, now + helper, std::memory_order_acquire)) return true;
    return false;
  }

  [[noreturn]] void help(int own) {
    number = own;
    helps = isWithin = true;
    for (uint32_t seen = 0;;) {
      for (int look = 0; look < looks && loops.load(std::memory_order_relaxed) == seen; ++look) pause();
      loops.wait(seen, std::memory_order_acquire);
      seen = loops.load(std::memory_order_acquire);
      if (!join()) continue;
      if (own < threads.load(std::memory_order_relaxed)) work(own);
      if (state.fetch_sub(helper, std::memory_order_acq_rel) == helper) state.notify_one();
    }
  }
};

/// Never destroyed, since its threads do not end before the process.
Team &team() {
  static Team *const team = new Team;
  return *team;
}

}  // namespace

int threadNumber() { return number; }

bool isHelper() { return helps; }

void runAlone(int64_t count, Body body, const void *context) {
  const int before = number;
  number = 0;
  body(context, 0, count);
  number = before;
}

void run(int64_t count, int64_t grain, int threads, Body body, const void *context) {
  if (isWithin || threads < 2) return runAlone(count, body, context);
  team().run(count, grain, threads, body, context);
}

}  // namespace ctorch::team
