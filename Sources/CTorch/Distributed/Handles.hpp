#pragma once
// What the files of this folder share with the operators that reach over processes: the insides of a process group.

#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include <csignal>

#include "../Guard.hpp"

struct CTStore {
  c10::intrusive_ptr<c10d::Store> value;
  int32_t port;
};

struct CTProcessGroup {
  c10::intrusive_ptr<c10d::ProcessGroup> value;
  bool aborted = false;
};

namespace ctorch {

/// Keeps SIGPIPE from the threads that are made while it lives. They write to connections that other processes may have
/// closed, and the signal would end this process before it can say so. Python ignores it everywhere, and c10d relies on that.
class WithoutPipeSignal {
 public:
  WithoutPipeSignal() {
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &before_);
  }
  ~WithoutPipeSignal() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

/// Replaces the tensor by its sum over all processes of the group, and waits for it.
void sumOver(c10d::ProcessGroup &group, at::Tensor tensor);

/// A backend of NCCL for the CUDA devices, from libtorch_cuda (Nccl.cpp). Throws where that has none.
c10::intrusive_ptr<c10d::Backend> makeNccl(const c10::intrusive_ptr<c10d::Store> &store, int rank, int size,
                                           std::chrono::milliseconds timeout);

}  // namespace ctorch
