#pragma once
// A small C interface over ATen, libtorch's tensor library, for Swift.
//
// Rules, without exception:
// - A function that can fail returns a CTError that the caller owns, or NULL on success. No C++ exception
//   leaves a function, and nothing about an error is kept in thread-local state.
// - A tensor written to `out` is owned by the caller, who frees it with ct_tensor_free. `out` is untouched
//   on failure. Arguments are borrowed for the call.
// - A tensor is used by one thread at a time. Gradient mode belongs to the calling thread.

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma clang assume_nonnull begin

typedef struct CTTensor CTTensor;
typedef struct CTGenerator CTGenerator;
typedef struct CTError CTError;
typedef struct CTProcessGroup CTProcessGroup;

// MARK: Errors (Error.cpp)

typedef enum : int32_t {
  CT_ERROR_ENGINE = 0,         // libtorch refused the request
  CT_ERROR_OUT_OF_MEMORY = 1,  // on the host or on a device
  CT_ERROR_NO_DEVICE = 2,      // a device that this machine or this libtorch does not have
  CT_ERROR_COMMUNICATION = 3,  // another process or its machine does not answer
} CTErrorKind;

/// libtorch's own message, without the C++ backtrace. Lives as long as the error.
const char *ct_error_message(const CTError *error);
CTErrorKind ct_error_kind(const CTError *error);
void ct_error_free(CTError *error);

// MARK: Runtime (Runtime.cpp)

typedef struct {
  bool cuda;      // false: the CPU
  int32_t index;  // which CUDA device; 0 on the CPU
} CTDevice;

const char *ct_version(void);
int64_t ct_live_tensor_count(void);
int32_t ct_thread_count(void);
CTError *_Nullable ct_set_thread_count(int32_t count);
// (Memory.cpp)
/// Has tensors on the CPU, and glibc if it is the C library, keep freed memory for the next request.
void ct_keep_freed_memory(void);
/// The number of usable CUDA devices. The first call loads libtorch_cuda where it lies beside libtorch_cpu.
int32_t ct_cuda_device_count(void);
/// Why there is no CUDA device, as a sentence; empty where there is one. Lives for ever.
const char *ct_cuda_absence(void);
CTError *_Nullable ct_synchronise(CTDevice device);
/// Makes a device ready for a program that trains: its kernels are chosen by measuring, and this thread's work goes to a
/// stream of its own, without which it could not be recorded (Graph.cpp). Nothing on the CPU.
CTError *_Nullable ct_prepare_device(CTDevice device);
/// Switches gradient recording of this thread; returns what it was.
bool ct_set_gradient_mode(bool enabled);
bool ct_gradient_mode(void);

// MARK: Making, reading and writing tensors (Tensor.cpp)

typedef enum : int32_t {
  CT_FLOAT32 = 0,
  CT_INT64 = 1,
  CT_UINT8 = 2,
  CT_OTHER = 3,
} CTElementType;

CTError *_Nullable ct_from_floats(const float *values, const int64_t *shape, int32_t rank, CTDevice device,
                                  CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_from_integers(const int64_t *values, const int64_t *shape, int32_t rank, CTDevice device,
                                    CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_full(double value, const int64_t *shape, int32_t rank, CTElementType type,
                           CTDevice device, CTTensor *_Nullable *_Nonnull out);
/// Zeros with the shape, element type, device and memory layout of `like`.
CTError *_Nullable ct_zeros_like(const CTTensor *like, CTTensor *_Nullable *_Nonnull out);
void ct_tensor_free(CTTensor *tensor);

int32_t ct_rank(const CTTensor *tensor);
int64_t ct_size(const CTTensor *tensor, int32_t dimension);
int64_t ct_element_count(const CTTensor *tensor);
CTElementType ct_element_type(const CTTensor *tensor);
CTDevice ct_device(const CTTensor *tensor);
bool ct_is_channels_last(const CTTensor *tensor);
/// Copies all elements in row-major order of the shape; `count` must be the element count.
CTError *_Nullable ct_read_floats(const CTTensor *tensor, float *values, int64_t count);
CTError *_Nullable ct_read_integers(const CTTensor *tensor, int64_t *values, int64_t count);

CTError *_Nullable ct_to_device(const CTTensor *tensor, CTDevice device, CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_to_channels_last(const CTTensor *tensor, CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_clone(const CTTensor *tensor, CTTensor *_Nullable *_Nonnull out);
/// destination[...] = source, across devices and layouts, without recording a gradient.
CTError *_Nullable ct_copy(CTTensor *destination, const CTTensor *source);
/// destination[index] = source along the first dimension, without recording a gradient.
CTError *_Nullable ct_copy_at(CTTensor *destination, int64_t index, const CTTensor *source);
CTError *_Nullable ct_add_integer_in_place(CTTensor *tensor, int64_t value);

CTError *_Nullable ct_generator_make(uint64_t seed, CTGenerator *_Nullable *_Nonnull out);
void ct_generator_free(CTGenerator *generator);
CTError *_Nullable ct_fill_normal(CTTensor *tensor, double mean, double deviation, CTGenerator *generator);
CTError *_Nullable ct_fill_uniform(CTTensor *tensor, double low, double high, CTGenerator *generator);

// MARK: Between host and device (Transfer.cpp)

/// Memory of the host that a device copies from by itself; `out` stays NULL where there is no such device.
typedef struct CTPinned CTPinned;
CTError *_Nullable ct_pinned_make(int64_t bytes, CTPinned *_Nullable *_Nonnull out);
void *ct_pinned_memory(const CTPinned *pinned);
void ct_pinned_free(CTPinned *pinned);

/// A tensor of what lies in memory: on the CPU a view of it, on another device a copy that is under way when this
/// returns. `release(owner)` is called once: when the last use of the memory has ended, or when this function fails. Where
/// a copy was made that may be during a later call of this function, by the thread that makes it.
CTError *_Nullable ct_from_borrowed(void *values, CTElementType type, const int64_t *shape, const int64_t *strides,
                                    int32_t rank, CTDevice device, void *owner, void (*release)(void *),
                                    CTTensor *_Nullable *_Nonnull out);

/// Numbers on their way to the host.
typedef struct CTFetch CTFetch;
/// Begins to copy a tensor as it is after all that this thread has asked for so far.
CTError *_Nullable ct_fetch_begin(const CTTensor *tensor, CTFetch *_Nullable *_Nonnull out);
/// Waits for the copy, and for nothing that was asked for later.
CTError *_Nullable ct_fetch_floats(CTFetch *fetch, float *values, int64_t count);
CTError *_Nullable ct_fetch_integers(CTFetch *fetch, int64_t *values, int64_t count);
void ct_fetch_free(CTFetch *fetch);

/// Whether all that was asked of the device is done; does not wait. True for the CPU.
CTError *_Nullable ct_is_idle(CTDevice device, bool *out);

// MARK: Mixed precision and recorded work (Precision.cpp, Graph.cpp)

/// Whether the device computes in bfloat16.
bool ct_supports_bfloat16(CTDevice device);
/// Has this thread's operators on the device compute in bfloat16 where libtorch's autocast does so, until it is ended.
CTError *_Nullable ct_autocast_begin(CTDevice device);
void ct_autocast_end(CTDevice device);

/// Work on a CUDA device that was recorded once and is launched as a whole.
typedef struct CTGraph CTGraph;
/// Begins to record what this thread asks of the device; none of it is done. Recording ends with ct_graph_end.
CTError *_Nullable ct_graph_begin(CTDevice device, CTGraph *_Nullable *_Nonnull out);
CTError *_Nullable ct_graph_end(CTGraph *graph);
CTError *_Nullable ct_graph_launch(CTGraph *graph);
void ct_graph_free(CTGraph *graph);

// MARK: Gradients and the optimiser step (Training.cpp)

bool ct_requires_gradient(const CTTensor *tensor);
CTError *_Nullable ct_set_requires_gradient(CTTensor *tensor, bool value);
CTError *_Nullable ct_detach(const CTTensor *tensor, CTTensor *_Nullable *_Nonnull out);
/// Leaves `out` NULL where there is no gradient.
CTError *_Nullable ct_gradient(const CTTensor *tensor, CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_clear_gradient(CTTensor *tensor);
CTError *_Nullable ct_backward(const CTTensor *scalar);
/// One fused SGD step over all parameters that have a gradient; buffers start at zero (dampening is 0).
/// `heldLearningRate`, where it is given, takes the place of `learningRate`: a single float32 on the parameters' device.
CTError *_Nullable ct_sgd_step(const CTTensor *_Nonnull const *_Nonnull parameters,
                               const CTTensor *_Nonnull const *_Nonnull momentumBuffers, int64_t count,
                               double learningRate, const CTTensor *_Nullable heldLearningRate, double momentum,
                               double weightDecay, bool nesterov);
/// One step of Muon over all parameters that have a gradient, matrices or filters; buffers start at zero. Learning rates as
/// for ct_sgd_step. (Muon.cpp)
CTError *_Nullable ct_muon_step(const CTTensor *_Nonnull const *_Nonnull parameters,
                                const CTTensor *_Nonnull const *_Nonnull momentumBuffers, int64_t count,
                                double learningRate, const CTTensor *_Nullable heldLearningRate, double momentum,
                                double weightDecay, bool nesterov);
/// Moves each tensor of float32 by a share of the way to its target, without recording a gradient.
CTError *_Nullable ct_move_towards(const CTTensor *_Nonnull const *_Nonnull tensors,
                                   const CTTensor *_Nonnull const *_Nonnull targets, int64_t count, double share);

// MARK: Layers' operators (Layers.cpp)

CTError *_Nullable ct_conv2d(const CTTensor *input, const CTTensor *weight, const CTTensor *_Nullable bias,
                             int64_t stride, int64_t padding, CTTensor *_Nullable *_Nonnull out);
/// Batch normalisation, then the addition of `addend`, if there is one, then max(x, 0), if it `rectifies`.
/// In training the statistics are those of the batches of all processes of `group`, if there is one.
CTError *_Nullable ct_batch_norm(const CTTensor *input, const CTTensor *weight, const CTTensor *bias,
                                 CTTensor *runningMean, CTTensor *runningVariance,
                                 const CTTensor *_Nullable addend, bool rectifies, bool training, double momentum,
                                 double epsilon, const CTProcessGroup *_Nullable group,
                                 CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_linear(const CTTensor *input, const CTTensor *weight, const CTTensor *_Nullable bias,
                             CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_relu(const CTTensor *input, CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_relu_in_place(CTTensor *input);
CTError *_Nullable ct_max_pool2d(const CTTensor *input, int64_t size, int64_t stride, int64_t padding,
                                 CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_adaptive_average_pool2d(const CTTensor *input, int64_t height, int64_t width,
                                              CTTensor *_Nullable *_Nonnull out);

/// levels · factor + offset as float32, factor and offset broadcast.
CTError *_Nullable ct_normalise_levels(const CTTensor *levels, const CTTensor *factor, const CTTensor *offset,
                                       CTTensor *_Nullable *_Nonnull out);

// MARK: Arithmetic, shapes and losses (Operators.cpp)

CTError *_Nullable ct_add(const CTTensor *a, const CTTensor *b, CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_add_in_place(CTTensor *a, const CTTensor *b);
CTError *_Nullable ct_multiply(const CTTensor *a, const CTTensor *b, CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_divide(const CTTensor *a, const CTTensor *b, CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_scale(const CTTensor *a, double factor, CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_sum(const CTTensor *input, CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_mean(const CTTensor *input, CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_reshape(const CTTensor *input, const int64_t *shape, int32_t rank,
                              CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_flatten(const CTTensor *input, int64_t firstDimension, CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_slice(const CTTensor *input, int64_t dimension, int64_t start, int64_t end, int64_t step,
                            CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_narrow(const CTTensor *input, int64_t dimension, int64_t start, int64_t length,
                             CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_index_select(const CTTensor *input, int64_t dimension, const CTTensor *indices,
                                   CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_concatenate(const CTTensor *_Nonnull const *_Nonnull inputs, int64_t count,
                                  int64_t dimension, CTTensor *_Nullable *_Nonnull out);
/// `amounts`: before and after the last dimension, then the one before it, and so on.
CTError *_Nullable ct_constant_pad(const CTTensor *input, const int64_t *amounts, int32_t count, double value,
                                   CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_softmax(const CTTensor *input, int64_t dimension, CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_log_softmax(const CTTensor *input, int64_t dimension, CTTensor *_Nullable *_Nonnull out);
/// `targets`: a label for each row of logits, or as many probabilities as it has logits.
CTError *_Nullable ct_cross_entropy(const CTTensor *logits, const CTTensor *targets,
                                    CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_argmax(const CTTensor *input, int64_t dimension, CTTensor *_Nullable *_Nonnull out);
/// The k largest of softmax(logits) in each row, in falling order, in float32, and their places.
CTError *_Nullable ct_likeliest(const CTTensor *logits, int64_t k, CTTensor *_Nullable *_Nonnull outProbabilities,
                                CTTensor *_Nullable *_Nonnull outClasses);
/// How many rows have their label among their k largest logits.
CTError *_Nullable ct_correct_count(const CTTensor *logits, const CTTensor *labels, int64_t k, int64_t *out);

#pragma clang assume_nonnull end
#ifdef __cplusplus
}
#endif

#include "CTorchDistributed.h"
