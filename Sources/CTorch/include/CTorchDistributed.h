#pragma once
// The part of the interface that lets several processes train together, over libtorch's c10d. The rules of CTorch.h hold;
// a failure of another process, or of the way to it, is a CT_ERROR_COMMUNICATION.

#include "CTorch.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma clang assume_nonnull begin

typedef struct CTStore CTStore;
typedef struct CTWork CTWork;
typedef struct CTReducer CTReducer;

// MARK: A store of keys and values that all processes share (Distributed/Store.cpp)

/// Connects to the store at host:port; the master also serves it, on a free port where `port` is 0.
CTError *_Nullable ct_store_open(const char *host, int32_t port, bool isMaster, int64_t timeoutMilliseconds,
                                 CTStore *_Nullable *_Nonnull out);
void ct_store_free(CTStore *store);
int32_t ct_store_port(const CTStore *store);
CTError *_Nullable ct_store_set(CTStore *store, const char *key, const uint8_t *value, int64_t count);
/// Waits for the key; the bytes are the caller's, who frees them with ct_bytes_free.
CTError *_Nullable ct_store_get(CTStore *store, const char *key, int64_t timeoutMilliseconds,
                                uint8_t *_Nullable *_Nonnull bytes, int64_t *count);
CTError *_Nullable ct_store_has(CTStore *store, const char *key, bool *out);
/// Adds to the number under the key, which begins at 0.
CTError *_Nullable ct_store_add(CTStore *store, const char *key, int64_t amount, int64_t *out);
/// Sets the key if it holds `expected`, or if it is absent and `expected` is empty; then gives what the key holds.
CTError *_Nullable ct_store_compare_and_set(CTStore *store, const char *key, const uint8_t *expected,
                                            int64_t expectedCount, const uint8_t *desired, int64_t desiredCount,
                                            uint8_t *_Nullable *_Nonnull bytes, int64_t *count);
void ct_bytes_free(uint8_t *_Nullable bytes);

// MARK: Process groups (Distributed/ProcessGroup.cpp)

/// Connects the processes with each other: by Gloo for tensors on the CPU, and by NCCL for those on `device`, if it is a
/// CUDA device.
/// - `prefix`: under which the processes leave their addresses in the store; one that was never used before.
/// - `interfaces`: names of network interfaces, or, where there are none, `address`: one of this machine's addresses;
///   where there is none either, what the machine's own name resolves to.
CTError *_Nullable ct_process_group_make(CTStore *store, const char *prefix, int32_t rank, int32_t size,
                                         const char *_Nonnull const *_Nonnull interfaces, int32_t interfaceCount,
                                         const char *_Nullable address, int64_t timeoutMilliseconds, CTDevice device,
                                         CTProcessGroup *_Nullable *_Nonnull out);
/// Leaves the group. A group that was aborted is never destroyed, as its threads may wait for lost peers.
void ct_process_group_free(CTProcessGroup *group);
/// How long an operation that begins after this call waits for other processes.
CTError *_Nullable ct_process_group_set_timeout(CTProcessGroup *group, int64_t timeoutMilliseconds);
/// Closes the connections, so that whoever waits for this process fails.
void ct_process_group_abort(CTProcessGroup *group);

// Operations that run on while the caller goes on. The tensors may not be touched before the end of ct_work_wait.
CTError *_Nullable ct_broadcast(CTProcessGroup *group, CTTensor *tensor, int32_t root,
                                CTWork *_Nullable *_Nonnull out);
/// Replaces the tensor by the sum over all processes.
CTError *_Nullable ct_all_reduce(CTProcessGroup *group, CTTensor *tensor, CTWork *_Nullable *_Nonnull out);
/// Sums `input` over all processes and leaves in `output` this process's part, a size-th of the first dimension.
CTError *_Nullable ct_reduce_scatter(CTProcessGroup *group, const CTTensor *input, CTTensor *output,
                                     CTWork *_Nullable *_Nonnull out);
/// Waits for the end, at most `timeoutMilliseconds`, or as long as the group's timeout allows where that is 0.
CTError *_Nullable ct_work_wait(CTWork *work, int64_t timeoutMilliseconds);
bool ct_work_is_completed(CTWork *work);
void ct_work_free(CTWork *work);

// Operations on values in the caller's memory, which wait for their end.
CTError *_Nullable ct_barrier(CTProcessGroup *group);
CTError *_Nullable ct_all_reduce_doubles(CTProcessGroup *group, double *values, int64_t count);
CTError *_Nullable ct_all_reduce_integers(CTProcessGroup *group, int64_t *values, int64_t count);
/// `out` holds the integer of each process, in the order of ranks.
CTError *_Nullable ct_all_gather_integer(CTProcessGroup *group, int64_t value, int64_t *out);
/// `out` holds `counts[0]` bytes of rank 0, then `counts[1]` of rank 1, and so on.
CTError *_Nullable ct_all_gather_bytes(CTProcessGroup *group, const uint8_t *bytes, const int64_t *counts, uint8_t *out);
/// Sends `sendCounts[r]` bytes to each rank r, and receives `receiveCounts[r]` from it; both lie one after the other.
CTError *_Nullable ct_all_to_all_bytes(CTProcessGroup *group, const uint8_t *bytes, const int64_t *sendCounts,
                                       const int64_t *receiveCounts, uint8_t *out);

// MARK: Gradients summed while the backward pass runs (Distributed/Reducer.cpp)

/// Hooks into the gradients of the parameters; one reducer for a parameter at a time. All processes give the same
/// parameters in the same order, in that in which a forward pass uses them.
CTError *_Nullable ct_reducer_make(CTProcessGroup *group, const CTTensor *_Nonnull const *_Nonnull parameters,
                                   int64_t count, int64_t bucketBytes, CTReducer *_Nullable *_Nonnull out);
void ct_reducer_free(CTReducer *reducer);
/// Before a forward pass whose backward pass adds to the gradients: `sums` says whether that one ends with the sums over
/// all processes of everything gathered until then.
CTError *_Nullable ct_reducer_prepare_forward(CTReducer *reducer, bool sums);
/// Between the two passes, if the backward pass is to end with sums.
CTError *_Nullable ct_reducer_prepare_backward(CTReducer *reducer);

#pragma clang assume_nonnull end
#ifdef __cplusplus
}
#endif
