#pragma once
// The definition of a process group, shared by the files of this folder and the operators that communicate.

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

/// Blocks SIGPIPE in threads that are created during its lifetime. They write to connections that other processes may have
/// closed, and the signal would end this process before it can report an error. c10d relies on Python ignoring the signal.
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

/// Replaces the tensor with its sum over all processes of the group, and waits for the result.
void sumOver(c10d::ProcessGroup &group, at::Tensor tensor);

/// Creates an NCCL backend from libtorch_cuda (Nccl.cpp). Throws if libtorch_cuda has none.
c10::intrusive_ptr<c10d::Backend> makeNccl(const c10::intrusive_ptr<c10d::Store> &store, int rank, int size,
                                           std::chrono::milliseconds timeout);

}  // namespace ctorch
