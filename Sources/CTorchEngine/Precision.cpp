#include <ATen/autocast_mode.h>

#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "Guard.hpp"

namespace {

/// Whether the processor has bfloat16 instructions. Otherwise libtorch's operators are slower than in float32, or crash with
/// an illegal instruction.
bool processorHasBFloat16() {
#if defined(__x86_64__) && defined(__linux__)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx512bf16")) return false;
  // oneDNN uses AMX tile registers if the processor has them, but the operating system must permit it first.
  constexpr long requestPermission = 0x1023, tileData = 18;
  return !__builtin_cpu_supports("amx-tile") || syscall(SYS_arch_prctl, requestPermission, tileData) == 0;
#else
  return false;
#endif
}

at::DeviceType typeOf(CTDevice device) { return device.cuda ? at::kCUDA : at::kCPU; }

}  // namespace

bool ct_supports_bfloat16(CTDevice device) {
  if (device.cuda) return true;
  static const bool has = processorHasBFloat16();
  return has;
}

CTError *ct_autocast_begin(CTDevice device) {
  return ctorch::guard([&] {
    at::autocast::set_autocast_dtype(typeOf(device), at::kBFloat16);
    at::autocast::set_autocast_enabled(typeOf(device), true);
    at::autocast::increment_nesting();
  });
}

void ct_autocast_end(CTDevice device) {
  // Casts are cached until the outermost region ends, so that each weight is cast once.
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(typeOf(device), false);
}
