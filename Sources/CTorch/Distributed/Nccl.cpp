#include <dlfcn.h>

#include "Handles.hpp"

// ProcessGroupNCCL's header needs those of CUDA and of NCCL, which neither the wheel nor most machines have. Its
// constructor, however, is exported, and a caller needs of the object no more than its base class, which is declared
// without CUDA, and enough room for it.

namespace {

/// Far more than a ProcessGroupNCCL or its options take: the larger one has 1,112 bytes in libtorch 2.11.
constexpr size_t room = 1 << 14;

using Options = c10d::Backend::Options;
// An intrusive_ptr is passed by the address of a copy, whatever it points to.
using MakeOptions = void (*)(void *self, bool hasHighPriority);
using MakeBackend = void (*)(void *self, c10::intrusive_ptr<c10d::Store> store, int rank, int size,
                             c10::intrusive_ptr<Options> options);

template <typename Function>
Function find(const char *symbol) {
  auto *found = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, symbol));
  if (!found)
    throw ctorch::NoDevice("libtorch's CUDA part has no NCCL of the kind that this program knows, so several processes "
                           "cannot train on GPUs");
  return found;
}

/// Memory that its owner gives back as that of the object in it.
template <typename Base, typename Construct>
c10::intrusive_ptr<Base> construct(const Construct &constructAt) {
  void *memory = ::operator new(room);
  try {
    constructAt(memory);
  } catch (...) {
    ::operator delete(memory);
    throw;
  }
  // Both classes begin with their base.
  return c10::intrusive_ptr<Base>::unsafe_steal_from_new(static_cast<Base *>(memory));
}

}  // namespace

c10::intrusive_ptr<c10d::Backend> ctorch::makeNccl(const c10::intrusive_ptr<c10d::Store> &store, int rank, int size,
                                                   std::chrono::milliseconds timeout) {
  const auto makeOptions = find<MakeOptions>("_ZN4c10d16ProcessGroupNCCL7OptionsC1Eb");
  const auto makeBackend = find<MakeBackend>(
      "_ZN4c10d16ProcessGroupNCCLC1EN3c1013intrusive_ptrINS_5StoreENS1_6detail34intrusive_target_default_null_typeIS3_"
      "EEEEiiNS2_INS0_7OptionsENS5_IS8_EEEE");
  const auto options = construct<Options>([&](void *memory) { makeOptions(memory, false); });
  options->timeout = timeout;
  return construct<c10d::Backend>([&](void *memory) { makeBackend(memory, store, rank, size, options); });
}
