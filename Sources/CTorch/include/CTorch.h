#pragma once
// A small C interface to ATen, libtorch's tensor library, for Swift. CTorchEngine implements it; CTorch has a trampoline for each
// function, which loads the engine at the first use (CTorchLoading.h). A new function needs a line in Functions.h.
//
// Rules for every function:
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
  CT_ERROR_ENGINE = 0,         // an error of libtorch
  CT_ERROR_OUT_OF_MEMORY = 1,  // on the host or on a device
  CT_ERROR_NO_DEVICE = 2,      // a device that this machine or this libtorch does not support
  CT_ERROR_COMMUNICATION = 3,  // another process or its machine does not respond
} CTErrorKind;

/// The message of libtorch, without the C++ backtrace. Valid until the error is freed.
const char *ct_error_message(const CTError *error);
CTErrorKind ct_error_kind(const CTError *error);
void ct_error_free(CTError *error);

// MARK: Runtime (Runtime.cpp)

typedef struct {
  bool cuda;      // false: the CPU
  int32_t index;  // which CUDA device; 0 on the CPU
} CTDevice;

const char *ct_version(void);
/// The value of ONEPASS_KERNELS; `own` if it is not set. Only `libtorch` makes a difference.
const char *ct_kernels(void);
int64_t ct_live_tensor_count(void);
int32_t ct_thread_count(void);
CTError *_Nullable ct_set_thread_count(int32_t count);
// (Memory.cpp)
/// Makes CPU tensors reuse freed memory.
void ct_keep_freed_tensors(void);
/// The number of available CUDA devices. The first call loads libtorch_cuda from the folder of libtorch_cpu.
int32_t ct_cuda_device_count(void);
/// The reason why there is no CUDA device, as a clause; empty if there is one. Never freed.
const char *ct_cuda_absence(void);
CTError *_Nullable ct_synchronise(CTDevice device);
/// Prepares a device for training: enables cuDNN's benchmark mode and gives this thread a separate stream, which recording
/// requires (Graph.cpp). Does nothing on the CPU.
CTError *_Nullable ct_prepare_device(CTDevice device);
/// Sets gradient recording of this thread; returns the previous setting.
bool ct_set_gradient_mode(bool enabled);
bool ct_gradient_mode(void);

// MARK: Weights that do not change (PreparedWeights.cpp)

/// Weights in the form of the kernels, kept over many passes without gradients.
typedef struct CTPreparedWeights CTPreparedWeights;
CTPreparedWeights *ct_prepared_weights_new(void);
void ct_prepared_weights_free(CTPreparedWeights *weights);
/// Forgets everything, since weights have changed.
void ct_prepared_weights_clear(CTPreparedWeights *weights);
/// Makes operators of this thread keep and use prepared weights, or none; returns the previous ones.
CTPreparedWeights *_Nullable ct_use_prepared_weights(CTPreparedWeights *_Nullable weights);

// MARK: Creating, reading and writing tensors (Tensor.cpp)

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
/// Zeros with the shape, element type, device and memory format of `like`.
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
/// Adds rows to the first dimension of a tensor without a graph, and clears its gradient. Every reference to it sees them.
CTError *_Nullable ct_append_rows(CTTensor *tensor, const CTTensor *rows);
CTError *_Nullable ct_add_integer_in_place(CTTensor *tensor, int64_t value);

CTError *_Nullable ct_generator_make(uint64_t seed, CTGenerator *_Nullable *_Nonnull out);
void ct_generator_free(CTGenerator *generator);
CTError *_Nullable ct_fill_normal(CTTensor *tensor, double mean, double deviation, CTGenerator *generator);
CTError *_Nullable ct_fill_uniform(CTTensor *tensor, double low, double high, CTGenerator *generator);

// MARK: Between host and device (Transfer.cpp)

/// Page-locked host memory, from which a device copies asynchronously; `out` stays NULL without a CUDA device.
typedef struct CTPinned CTPinned;
CTError *_Nullable ct_pinned_make(int64_t bytes, CTPinned *_Nullable *_Nonnull out);
void *ct_pinned_memory(const CTPinned *pinned);
void ct_pinned_free(CTPinned *pinned);

/// A tensor from borrowed memory: a view on the CPU, or an asynchronous copy on another device. `release(owner)` is called
/// once, after the last use of the memory or when this function fails. After a copy, it may be called during a later call of
/// this function, on the thread of that call.
CTError *_Nullable ct_from_borrowed(void *values, CTElementType type, const int64_t *shape, const int64_t *strides,
                                    int32_t rank, CTDevice device, void *owner, void (*release)(void *),
                                    CTTensor *_Nullable *_Nonnull out);

/// An asynchronous copy to the host.
typedef struct CTFetch CTFetch;
/// Starts to copy a tensor in its state after all work that this thread has submitted so far.
CTError *_Nullable ct_fetch_begin(const CTTensor *tensor, CTFetch *_Nullable *_Nonnull out);
/// Waits for the copy, not for work submitted later.
CTError *_Nullable ct_fetch_floats(CTFetch *fetch, float *values, int64_t count);
CTError *_Nullable ct_fetch_integers(CTFetch *fetch, int64_t *values, int64_t count);
void ct_fetch_free(CTFetch *fetch);

/// Whether the device has finished all work of this thread; does not wait. True for the CPU.
CTError *_Nullable ct_is_idle(CTDevice device, bool *out);

// MARK: Mixed precision and recorded work (Precision.cpp, Graph.cpp)

/// Whether the device supports bfloat16.
bool ct_supports_bfloat16(CTDevice device);
/// Enables libtorch's autocast to bfloat16 for operators of this thread on the device, until ct_autocast_end.
CTError *_Nullable ct_autocast_begin(CTDevice device);
void ct_autocast_end(CTDevice device);

/// Recorded work of a CUDA device that is launched as a whole.
typedef struct CTGraph CTGraph;
/// Starts to record work that this thread submits to the device, without executing it, until ct_graph_end.
CTError *_Nullable ct_graph_begin(CTDevice device, CTGraph *_Nullable *_Nonnull out);
CTError *_Nullable ct_graph_end(CTGraph *graph);
CTError *_Nullable ct_graph_launch(CTGraph *graph);
void ct_graph_free(CTGraph *graph);

// MARK: Gradients and the optimiser step (Training.cpp)

bool ct_requires_gradient(const CTTensor *tensor);
CTError *_Nullable ct_set_requires_gradient(CTTensor *tensor, bool value);
CTError *_Nullable ct_detach(const CTTensor *tensor, CTTensor *_Nullable *_Nonnull out);
/// `out` stays NULL if there is no gradient.
CTError *_Nullable ct_gradient(const CTTensor *tensor, CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_clear_gradient(CTTensor *tensor);
CTError *_Nullable ct_backward(const CTTensor *scalar);
/// One fused SGD step over all parameters that have a gradient; buffers start at zero (dampening is 0).
/// `heldLearningRate`, a float32 scalar on the device of the parameters, replaces `learningRate` if it is not NULL.
CTError *_Nullable ct_sgd_step(const CTTensor *_Nonnull const *_Nonnull parameters,
                               const CTTensor *_Nonnull const *_Nonnull momentumBuffers, int64_t count,
                               double learningRate, const CTTensor *_Nullable heldLearningRate, double momentum,
                               double weightDecay, bool nesterov);
/// One Muon step over all parameters that have a gradient, matrices or filters; buffers start at zero. Learning rates as in
/// ct_sgd_step. (Muon.cpp)
CTError *_Nullable ct_muon_step(const CTTensor *_Nonnull const *_Nonnull parameters,
                                const CTTensor *_Nonnull const *_Nonnull momentumBuffers, int64_t count,
                                double learningRate, const CTTensor *_Nullable heldLearningRate, double momentum,
                                double weightDecay, bool nesterov);
/// Moves each float32 tensor by the fraction `share` towards its target, without recording a gradient.
CTError *_Nullable ct_move_towards(const CTTensor *_Nonnull const *_Nonnull tensors,
                                   const CTTensor *_Nonnull const *_Nonnull targets, int64_t count, double share);

// MARK: Layers' operators (Layers.cpp)

CTError *_Nullable ct_conv2d(const CTTensor *input, const CTTensor *weight, const CTTensor *_Nullable bias,
                             int64_t stride, int64_t padding, CTTensor *_Nullable *_Nonnull out);
/// Batch normalisation, then the addition of `addend` unless it is NULL, then ReLU if `rectifies`.
/// In training the statistics are those over all processes of `group` unless it is NULL.
CTError *_Nullable ct_batch_norm(const CTTensor *input, const CTTensor *weight, const CTTensor *bias,
                                 CTTensor *runningMean, CTTensor *runningVariance,
                                 const CTTensor *_Nullable addend, bool rectifies, bool training, double momentum,
                                 double epsilon, const CTProcessGroup *_Nullable group,
                                 CTTensor *_Nullable *_Nonnull out);
/// ct_conv2d, then ct_batch_norm in evaluation; in one pass without gradients.
CTError *_Nullable ct_conv2d_norm(const CTTensor *input, const CTTensor *filters, int64_t stride, int64_t padding,
                                  const CTTensor *weight, const CTTensor *bias, CTTensor *runningMean,
                                  CTTensor *runningVariance, const CTTensor *_Nullable addend, bool rectifies,
                                  double epsilon, CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_linear(const CTTensor *input, const CTTensor *weight, const CTTensor *_Nullable bias,
                             CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_relu(const CTTensor *input, CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_relu_in_place(CTTensor *input);
CTError *_Nullable ct_max_pool2d(const CTTensor *input, int64_t size, int64_t stride, int64_t padding,
                                 CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_adaptive_average_pool2d(const CTTensor *input, int64_t height, int64_t width,
                                              CTTensor *_Nullable *_Nonnull out);
/// Two views of a tensor, whose gradients are added.
CTError *_Nullable ct_fork(const CTTensor *input, CTTensor *_Nullable *_Nonnull outFirst,
                           CTTensor *_Nullable *_Nonnull outSecond);
/// Every `stride`-th pixel in both dimensions, with zero channels before and after those of the input.
CTError *_Nullable ct_subsample(const CTTensor *input, int64_t stride, int64_t before, int64_t after,
                                CTTensor *_Nullable *_Nonnull out);

/// levels · factor + offset as float32; factor and offset are broadcast.
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
/// `amounts`: before and after the last dimension, then the second last, and so on.
CTError *_Nullable ct_constant_pad(const CTTensor *input, const int64_t *amounts, int32_t count, double value,
                                   CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_softmax(const CTTensor *input, int64_t dimension, CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_log_softmax(const CTTensor *input, int64_t dimension, CTTensor *_Nullable *_Nonnull out);
/// `targets`: a label for each row of logits, or a probability for each logit.
CTError *_Nullable ct_cross_entropy(const CTTensor *logits, const CTTensor *targets,
                                    CTTensor *_Nullable *_Nonnull out);
CTError *_Nullable ct_argmax(const CTTensor *input, int64_t dimension, CTTensor *_Nullable *_Nonnull out);
/// The k largest values of softmax(logits) in each row (float32), in descending order, and their indices.
CTError *_Nullable ct_top_probabilities(const CTTensor *logits, int64_t k, CTTensor *_Nullable *_Nonnull outProbabilities,
                                CTTensor *_Nullable *_Nonnull outClasses);
/// The indices of the k largest logits in each row (int64), in descending order.
CTError *_Nullable ct_top_classes(const CTTensor *logits, int64_t k, CTTensor *_Nullable *_Nonnull out);
/// The number of rows whose label is among the k largest logits.
CTError *_Nullable ct_correct_count(const CTTensor *logits, const CTTensor *labels, int64_t k, int64_t *out);

#pragma clang assume_nonnull end
#ifdef __cplusplus
}
#endif

#include "CTorchDistributed.h"
#include "CTorchLoading.h"
