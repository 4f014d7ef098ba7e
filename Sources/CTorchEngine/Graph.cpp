#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>

#include <utility>

#include "Guard.hpp"

using ctorch::guard;

namespace {

/// The member functions of at::cuda::CUDAGraph in libtorch_cuda, which is loaded at run time.
///
/// Its header requires the headers of CUDA, and normal calls would require the library at link time. So the functions are
/// looked up by their mangled names (Itanium C++ ABI), with `this` as the first argument.
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
    TORCH_CHECK(function, "this libtorch does not support CUDA graphs (missing ", name, ")");
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

  // The object has about 200 bytes: a few pointers and a table.
  alignas(64) unsigned char object[2048];
};

CTError *ct_graph_begin(CTDevice device, CTGraph **out) {
  return guard([&] {
    const at::Device target = ctorch::deviceOf(device);
    TORCH_CHECK(target.is_cuda(), "graphs require a CUDA device");
    auto graph = std::make_unique<CTGraph>();
    // No pool: the graph has separate memory. 0 is cudaStreamCaptureModeGlobal: work that cannot be captured is an error.
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
