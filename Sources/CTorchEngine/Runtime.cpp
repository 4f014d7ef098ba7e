#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>
#include <torch/version.h>

#include <cstdlib>
#include <cstring>
#include <mutex>

#include "CTorchEngine.h"
#include "Guard.hpp"
#include "Threads.hpp"

std::atomic<int64_t> ctorch::liveTensors{0};

// Replaces the definition of CTorch in an image that contains the engine.
const bool ct_is_linked = true;

namespace {

struct CUDAState {
  int32_t devices = 0;
  std::string absence;
};

/// Loads libtorch_cuda from the folder of libtorch_cpu. Loading registers it with ATen. This must happen before the first
/// query for CUDA, whose result ATen caches.
CUDAState loadCUDA() {
  CUDAState state;
  try {
    Dl_info info{};
    std::string folder;
    if (dladdr(reinterpret_cast<const void *>(&at::globalContext), &info) && info.dli_fname) {
      folder = info.dli_fname;
      folder.resize(folder.rfind('/') == std::string::npos ? 0 : folder.rfind('/') + 1);
    }
    const std::string library = folder + "libtorch_cuda.so";
    if (!dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL)) {
      const char *reason = dlerror();
      state.absence = std::string("cannot load the CUDA part of libtorch (") +
                      (reason ? reason : library.c_str()) + ")";
      return state;
    }
    if (at::globalContext().hasCUDA())
      state.devices = c10::impl::VirtualGuardImpl(at::kCUDA).deviceCount();
    if (state.devices == 0) state.absence = "the CUDA driver found no device";
  } catch (const c10::Error &error) {
    state.absence = error.what_without_backtrace();
  } catch (const std::exception &error) {
    state.absence = error.what();
  }
  return state;
}

const CUDAState &cuda() {
  static const CUDAState state = loadCUDA();
  return state;
}

}  // namespace

at::Device ctorch::deviceOf(CTDevice device) {
  if (!device.cuda) return at::Device(at::kCPU);
  if (cuda().devices == 0) throw NoDevice(cuda().absence);
  if (device.index < 0 || device.index >= cuda().devices)
    throw NoDevice("number of CUDA devices: " + std::to_string(cuda().devices) + ", index: " + std::to_string(device.index));
  return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(device.index));
}

const char *ct_kernels(void) {
  static const std::string setting = [] {
    const char *value = std::getenv("ONEPASS_KERNELS");
    return std::string(value ? value : "own");
  }();
  return setting.c_str();
}

bool ctorch::usesOwnKernels() {
  static const bool uses = std::strcmp(ct_kernels(), "libtorch") != 0;
  return uses;
}

const char *ct_version(void) { return TORCH_VERSION; }

int64_t ct_live_tensor_count(void) { return ctorch::liveTensors.load(); }

int32_t ct_thread_count(void) { return ctorch::threads(); }

CTError *ct_set_thread_count(int32_t count) {
  return ctorch::guard([&] { ctorch::setThreads(count); });
}

int32_t ct_cuda_device_count(void) { return cuda().devices; }

const char *ct_cuda_absence(void) { return cuda().absence.c_str(); }

CTError *ct_synchronise(CTDevice device) {
  return ctorch::guard([&] {
    const at::Device target = ctorch::deviceOf(device);
    if (!target.is_cuda()) return;
    c10::impl::VirtualGuardImpl(target.type()).synchronizeDevice(target.index());
    ctorch::releaseFinishedUploads();
  });
}

CTError *ct_prepare_device(CTDevice device) {
  return ctorch::guard([&] {
    const at::Device target = ctorch::deviceOf(device);
    if (!target.is_cuda()) return;
    at::globalContext().setBenchmarkCuDNN(true);
    const c10::impl::VirtualGuardImpl runtime(target.type());
    runtime.setDevice(target);
    if (runtime.getStream(target) != runtime.getDefaultStream(target)) return;
    // The new stream does not wait for work on the default stream, such as the initialisation of a model.
    runtime.synchronizeDevice(target.index());
    runtime.exchangeStream(runtime.getNewStream(target));
  });
}

CTError *ct_is_idle(CTDevice device, bool *out) {
  return ctorch::guard([&] {
    const at::Device target = ctorch::deviceOf(device);
    *out = !target.is_cuda() || c10::impl::VirtualGuardImpl(target.type()).getStream(target).query();
  });
}

bool ct_set_gradient_mode(bool enabled) {
  const bool before = c10::GradMode::is_enabled();
  c10::GradMode::set_enabled(enabled);
  return before;
}

bool ct_gradient_mode(void) { return c10::GradMode::is_enabled(); }
