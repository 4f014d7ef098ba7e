#include <dlfcn.h>

#include "Handles.hpp"

// ProcessGroupNCCL's header requires the headers of CUDA and NCCL, which neither the wheel nor most machines have. But its
// constructor is exported, and callers only need enough memory for the object and its base class, which is declared
// without CUDA.

namespace {

/// Much more than the size of a ProcessGroupNCCL or its options; the larger has 1,112 bytes in libtorch 2.11.
constexpr size_t room = 1 << 14;

using Options = c10d::Backend::Options;
// An intrusive_ptr is passed as the address of a copy, independently of its type argument.
using MakeOptions = void (*)(void *self, bool hasHighPriority);
using MakeBackend = void (*)(void *self, c10::intrusive_ptr<c10d::Store> store, int rank, int size,
                             c10::intrusive_ptr<Options> options);

template <typename Function>
Function find(const char *symbol) {
  auto *found = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, symbol));
  if (!found)
    throw ctorch::NoDevice("this libtorch has no compatible NCCL, which is required to train on several GPUs");
  return found;
}

/// Constructs an object in memory that its owner deletes as the object.
template <typename Base, typename Construct>
c10::intrusive_ptr<Base> construct(const Construct &constructAt) {
  void *memory = ::operator new(room);
  try {
    constructAt(memory);
  } catch (...) {
    ::operator delete(memory);
    throw;
  }
  // Both classes start with their base class.
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
