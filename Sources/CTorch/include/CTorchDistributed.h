#pragma once
// The interface to libtorch's c10d, with which several processes train together. The rules of CTorch.h apply. A failure of
// another process or of the network is a CT_ERROR_COMMUNICATION.

#include "CTorch.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma clang assume_nonnull begin

typedef struct CTStore CTStore;
typedef struct CTWork CTWork;
typedef struct CTReducer CTReducer;

// MARK: The key-value store of all processes (Distributed/Store.cpp)

/// Connects to the store at host:port; the master also serves it, on a free port if `port` is 0.
/// It takes over the bound socket `listener`, or listens on every interface if that is -1.
CTError *_Nullable ct_store_open(const char *host, int32_t port, bool isMaster, int32_t listener,
                                 int64_t timeoutMilliseconds, CTStore *_Nullable *_Nonnull out);
void ct_store_free(CTStore *store);
int32_t ct_store_port(const CTStore *store);
CTError *_Nullable ct_store_set(CTStore *store, const char *key, const uint8_t *value, int64_t count);
/// Waits for the key. The caller owns the bytes and frees them with ct_bytes_free.
CTError *_Nullable ct_store_get(CTStore *store, const char *key, int64_t timeoutMilliseconds,
                                uint8_t *_Nullable *_Nonnull bytes, int64_t *count);
CTError *_Nullable ct_store_has(CTStore *store, const char *key, bool *out);
/// Adds to the number under the key, which is initially 0.
CTError *_Nullable ct_store_add(CTStore *store, const char *key, int64_t amount, int64_t *out);
/// Sets the key if its value is `expected`, or if it is not set and `expected` is empty; returns its value afterwards.
CTError *_Nullable ct_store_compare_and_set(CTStore *store, const char *key, const uint8_t *expected,
                                            int64_t expectedCount, const uint8_t *desired, int64_t desiredCount,
                                            uint8_t *_Nullable *_Nonnull bytes, int64_t *count);
void ct_bytes_free(uint8_t *_Nullable bytes);

// MARK: Process groups (Distributed/ProcessGroup.cpp)

/// Connects the processes: by Gloo for tensors on the CPU, and by NCCL for tensors on `device` if it is a CUDA device.
/// - `prefix`: the prefix of the processes' addresses in the store, never used before.
/// - `interfaces`: names of network interfaces. If there are none, `address` is an address of this machine, or NULL for the
///   address to which its host name resolves.
CTError *_Nullable ct_process_group_make(CTStore *store, const char *prefix, int32_t rank, int32_t size,
                                         const char *_Nonnull const *_Nonnull interfaces, int32_t interfaceCount,
                                         const char *_Nullable address, int64_t timeoutMilliseconds, CTDevice device,
                                         CTProcessGroup *_Nullable *_Nonnull out);
/// Leaves the group. An aborted group is never destroyed, since its threads may wait for lost peers.
void ct_process_group_free(CTProcessGroup *group);
/// Sets the timeout of operations that start after this call.
CTError *_Nullable ct_process_group_set_timeout(CTProcessGroup *group, int64_t timeoutMilliseconds);
/// Closes the connections, so that processes that wait for this one fail.
void ct_process_group_abort(CTProcessGroup *group);

// Asynchronous operations. The tensors must not be used before ct_work_wait has returned.
CTError *_Nullable ct_broadcast(CTProcessGroup *group, CTTensor *tensor, int32_t root,
                                CTWork *_Nullable *_Nonnull out);
/// Replaces the tensor with its sum over all processes.
CTError *_Nullable ct_all_reduce(CTProcessGroup *group, CTTensor *tensor, CTWork *_Nullable *_Nonnull out);
/// Sums `input` over all processes and writes this process's part of the first dimension, 1 / size of it, to `output`.
CTError *_Nullable ct_reduce_scatter(CTProcessGroup *group, const CTTensor *input, CTTensor *output,
                                     CTWork *_Nullable *_Nonnull out);
/// Waits for the operation, at most `timeoutMilliseconds`, or the timeout of the group if that is 0.
CTError *_Nullable ct_work_wait(CTWork *work, int64_t timeoutMilliseconds);
bool ct_work_is_completed(CTWork *work);
void ct_work_free(CTWork *work);

// Blocking operations on values in the caller's memory.
CTError *_Nullable ct_barrier(CTProcessGroup *group);
CTError *_Nullable ct_all_reduce_doubles(CTProcessGroup *group, double *values, int64_t count);
CTError *_Nullable ct_all_reduce_integers(CTProcessGroup *group, int64_t *values, int64_t count);
/// `out` receives the integer of each process, in the order of ranks.
CTError *_Nullable ct_all_gather_integer(CTProcessGroup *group, int64_t value, int64_t *out);
/// `out` receives `counts[0]` bytes of rank 0, then `counts[1]` bytes of rank 1, and so on.
CTError *_Nullable ct_all_gather_bytes(CTProcessGroup *group, const uint8_t *bytes, const int64_t *counts, uint8_t *out);
/// Sends `sendCounts[r]` bytes to each rank r and receives `receiveCounts[r]` bytes from it, in the order of ranks.
CTError *_Nullable ct_all_to_all_bytes(CTProcessGroup *group, const uint8_t *bytes, const int64_t *sendCounts,
                                       const int64_t *receiveCounts, uint8_t *out);

// MARK: Gradients summed while the backward pass runs (Distributed/Reducer.cpp)

/// Registers hooks on the gradients of the parameters; a parameter can have only one reducer at a time. All processes pass the
/// same parameters in the order in which the forward pass uses them.
CTError *_Nullable ct_reducer_make(CTProcessGroup *group, const CTTensor *_Nonnull const *_Nonnull parameters,
                                   int64_t count, int64_t bucketBytes, CTReducer *_Nullable *_Nonnull out);
void ct_reducer_free(CTReducer *reducer);
/// Call before a forward pass whose backward pass adds to the gradients. `sums`: whether the backward pass ends with the sums
/// over all processes of all gradients accumulated until then.
CTError *_Nullable ct_reducer_prepare_forward(CTReducer *reducer, bool sums);
/// Call between the two passes if the backward pass ends with sums.
CTError *_Nullable ct_reducer_prepare_backward(CTReducer *reducer);

#pragma clang assume_nonnull end
#ifdef __cplusplus
}
#endif
