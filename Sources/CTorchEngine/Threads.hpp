#pragma once

namespace ctorch {

/// The number of threads of an operator: libtorch's choice until it is set. A thread keeps the number with which it first computed,
/// or that it set.
///
/// Our own kernels use a team (Team.hpp). libtorch's threads wait for each other at the end of every loop, which makes training
/// several times slower where other processes use the cores. So libtorch has one thread until an operator is called that
/// takes long and has no kernel of our own.
int threads();
void setThreads(int count);

/// Lets libtorch use as many threads, from now on. Called before an operator of libtorch that takes long.
void useThreadsOfLibtorch();

/// Ensures that libtorch's operators compute on this thread alone, which is a thread of a team.
void computeAlone();

}  // namespace ctorch
