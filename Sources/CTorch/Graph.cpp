#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>

#include <utility>

#include "Guard.hpp"

using ctorch::guard;

namespace {

/// at::cuda::CUDAGraph of libtorch_cuda, which is loaded while the program runs. Its header needs CUDA's own headers, and a
/// call by name would need the library at link time; the member functions are found under the names that the C++ ABI of
/// Linux gives them, with `this` as their first argument.
struct GraphFunctions {
  void (*make)(void *, bool keepGraph);
  void (*destroy)(void *);
  void (*begin)(void *, std::pair<unsigned long long, unsigned long long> pool, int captureMode);
  void (*end)(void *);
  void (*replay)(void *);

  GraphFunctions() {
    find(make, "_ZN2at4cuda9CUDAGraphC1Eb");
    find(destroy, "_ZN2at4cuda9CUDAGraphD1Ev");
    find(begin, "_ZN2at4cuda9CUDAGraph13capture_beginESt4pairIyyE21cudaStreamCaptureMode");
    find(end, "_ZN2at4cuda9CUDAGraph11capture_endEv");
    find(replay, "_ZN2at4cuda9CUDAGraph6replayEv");
  }

 private:
  template <typename Function>
  static void find(Function &function, const char *name) {
    function = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
    TORCH_CHECK(function, "this libtorch has no CUDA graphs (", name, ")");
  }
};

const GraphFunctions &functions() {
  static const GraphFunctions all;
  return all;
}

}  // namespace

struct CTGraph {
  CTGraph() { functions().make(object, /*keepGraph=*/false); }
  ~CTGraph() { functions().destroy(object); }
  CTGraph(const CTGraph &) = delete;
  CTGraph &operator=(const CTGraph &) = delete;

  // The object is a few pointers and a table, some 200 bytes.
  alignas(64) unsigned char object[2048];
};

CTError *ct_graph_begin(CTDevice device, CTGraph **out) {
  return guard([&] {
    const at::Device target = ctorch::deviceOf(device);
    TORCH_CHECK(target.is_cuda(), "work is recorded on a CUDA device alone");
    auto graph = std::make_unique<CTGraph>();
    // No pool given: memory of its own. 0 is cudaStreamCaptureModeGlobal: whatever could not be recorded is an error.
    functions().begin(graph->object, {0, 0}, 0);
    *out = graph.release();
  });
}

CTError *ct_graph_end(CTGraph *graph) {
  return guard([&] { functions().end(graph->object); });
}

CTError *ct_graph_launch(CTGraph *graph) {
  return guard([&] { functions().replay(graph->object); });
}

void ct_graph_free(CTGraph *graph) { delete graph; }
