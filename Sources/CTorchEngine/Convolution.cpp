#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "Guard.hpp"
#include "Kernels/Winograd.hpp"
#include "NormFactors.hpp"
#include "Parallel.hpp"
#include "PatchConvolution.hpp"

using ctorch::channelsLast;
using ctorch::Epilogue;
using ctorch::floats;
using ctorch::inParallel;
using ctorch::isForOwnKernels;
using ctorch::optionalValue;
using ctorch::produce;
namespace winograd = ctorch::winograd;
using winograd::Shape;
using winograd::Spectrum;

namespace {

/// Returns the number of tiles that a thread transforms at once: few enough for its cache, and about equal for all threads.
int64_t tilesAtOnce(const Shape &shape) {
  const int64_t most = shape.inputs + shape.outputs <= 128 ? 48 : 64;
  const int64_t threads = ctorch::threads(), tiles = shape.tiles();
  const int64_t parts = ((tiles + most - 1) / most + threads - 1) / threads * threads;
  return (tiles + parts - 1) / parts;
}

/// Returns the convolution or, with the filters rotated by 180 degrees, the gradient of its images.
at::Tensor convolve(const at::Tensor &images, const at::Tensor &filters, bool forGradient) {
  const winograd::Kernels &kernels = *winograd::kernels();
  const Shape forward{images.size(0), images.size(2), images.size(3), filters.size(1), filters.size(0)};
  Shape shape = forward;
  if (forGradient) std::swap(shape.inputs, shape.outputs);
  const auto transform = [&] {
    const at::Tensor spectrum = floats(shape.filterFloats());
    inParallel(forward.outputs / 16, 1, [&](int64_t begin, int64_t end) {
      kernels.transformFilters(forward, filters.data_ptr<float>(), forGradient, begin, end, spectrum.data_ptr<float>());
    });
    return spectrum;
  };
  const at::Tensor transformed = forGradient ? transform() : ctorch::prepared(filters, ctorch::Form::spectrum, transform);
  const at::Tensor outputs =
      at::empty({shape.images, shape.outputs, shape.height, shape.width}, images.options().memory_format(channelsLast));
  const int64_t tiles = shape.tiles(), most = tilesAtOnce(shape);
  const int64_t scratchFloats = Spectrum::floats(most, shape.inputs) + Spectrum::floats(most, shape.outputs);
  const at::Tensor scratch = floats(ctorch::threads() * scratchFloats);
  inParallel((tiles + most - 1) / most, 1, [&](int64_t begin, int64_t end) {
    float *own = scratch.data_ptr<float>() + ctorch::team::threadNumber() * scratchFloats;
    for (int64_t part = begin; part < end; ++part)
      kernels.convolve(shape, images.data_ptr<float>(), transformed.data_ptr<float>(), outputs.data_ptr<float>(),
                       part * most, std::min(most, tiles - part * most), own);
  });
  return outputs;
}

/// The number of sums over parts of the tiles, of which a thread computes at least one; 0 for a single sum by frequencies.
///
/// It depends on the shape alone, so that the order of additions does not depend on the threads. More sums occupy more threads,
/// and take longer to add. Measured with 16 to 128 channels and 128 to 8,192 tiles.
int64_t sharersFor(const Shape &shape) {
  const int64_t filters = shape.inputs * shape.outputs, tiles = shape.tiles();
  if (filters > 128 * 128 || (filters > 96 * 96 && tiles <= 512)) return 0;
  return filters <= 32 * 32 || tiles >= 4096 ? 8 : 4;
}

/// Computes the gradient of few filters as a fixed number of sums over parts of the tiles. `sums` receives them.
int64_t sumOfParts(const Shape &shape, const float *images, const float *gradient, at::Tensor &sums) {
  const winograd::Kernels &kernels = *winograd::kernels();
  const int64_t tiles = shape.tiles(), most = 48, parts = (tiles + most - 1) / most;
  const int64_t sharers = std::min(parts, sharersFor(shape));
  const int64_t scratchFloats = Spectrum::floats(most, shape.inputs) + Spectrum::floats(most, shape.outputs);
  const at::Tensor scratch = floats(ctorch::threads() * scratchFloats);
  sums = floats(sharers * shape.filterFloats());
  inParallel(sharers, 1, [&](int64_t begin, int64_t end) {
    float *own = scratch.data_ptr<float>() + ctorch::team::threadNumber() * scratchFloats;
    for (int64_t sharer = begin; sharer < end; ++sharer) {
      float *sum = sums.data_ptr<float>() + sharer * shape.filterFloats();
      const int64_t first = parts * sharer / sharers, last = parts * (sharer + 1) / sharers;
      for (int64_t part = first; part < last; ++part) {
        const int64_t count = std::min(most, tiles - part * most);
        const Spectrum in = Spectrum::panels(own, count, shape.inputs);
        const Spectrum out = Spectrum::rows(own + Spectrum::floats(count, shape.inputs), count, shape.outputs);
        kernels.gather(shape, images, gradient, part * most, count, in, out);
        for (int64_t frequency = 0; frequency < 36; ++frequency)
          kernels.correlate(shape, in, out, count, frequency, part > first, sum);
      }
    }
  });
  return sharers;
}

/// Computes the gradient of many filters: each thread handles a part of the frequencies, so that there is a single sum.
void sumByFrequency(const Shape &shape, const float *images, const float *gradient, at::Tensor &sum) {
  const winograd::Kernels &kernels = *winograd::kernels();
  const int64_t tiles = shape.tiles(), most = std::min<int64_t>(tiles, 512);
  const at::Tensor scratch = floats(Spectrum::floats(most, shape.inputs) + Spectrum::floats(most, shape.outputs));
  sum = floats(shape.filterFloats());
  for (int64_t first = 0; first < tiles; first += most) {
    const int64_t count = std::min(most, tiles - first);
    float *own = scratch.data_ptr<float>();
    const Spectrum in = Spectrum::panels(own, count, shape.inputs);
    const Spectrum out = Spectrum::rows(own + Spectrum::floats(count, shape.inputs), count, shape.outputs);
    inParallel(count, 8, [&](int64_t begin, int64_t end) {
      Spectrum ownIn = in, ownOut = out;
      ownIn.values += begin * in.tileStep;
      ownOut.values += begin * out.tileStep;
      kernels.gather(shape, images, gradient, first + begin, end - begin, ownIn, ownOut);
    });
    inParallel(36, 1, [&](int64_t begin, int64_t end) {
      for (int64_t frequency = begin; frequency < end; ++frequency)
        kernels.correlate(shape, in, out, count, frequency, first > 0, sum.data_ptr<float>());
    });
  }
}

at::Tensor filterGradient(const at::Tensor &images, const at::Tensor &filters, const at::Tensor &gradient) {
  const Shape shape{images.size(0), images.size(2), images.size(3), filters.size(1), filters.size(0)};
  const float *x = images.data_ptr<float>(), *dy = gradient.data_ptr<float>();
  at::Tensor sums;
  int64_t count = 1;
  if (sharersFor(shape) > 0) {
    count = sumOfParts(shape, x, dy, sums);
  } else {
    sumByFrequency(shape, x, dy, sums);
  }
  const at::Tensor result = at::empty(filters.sizes(), filters.options().memory_format(channelsLast));
  inParallel(shape.outputs, 8, [&](int64_t begin, int64_t end) {
    winograd::kernels()->collectFilters(shape, sums.data_ptr<float>(), count, begin, end, result.data_ptr<float>());
  });
  return result;
}

struct WinogradConvolution : torch::autograd::Function<WinogradConvolution> {
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &images,
                            const at::Tensor &filters) {
    context->save_for_backward({images, filters});
    return convolve(images, filters, false);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor gradient = gradients[0].contiguous(channelsLast);
    return {context->needs_input_grad(0) ? convolve(gradient, saved[1], true) : at::Tensor(),
            context->needs_input_grad(1) ? filterGradient(saved[0], saved[1], gradient) : at::Tensor()};
  }
};

/// The fewest tiles for which Winograd's algorithm is faster: transforming the filters takes as long as about 32 tiles. Without
/// gradients they are often transformed already, and reading them takes longer only if they are larger than the cache.
int64_t fewestTiles(const at::Tensor &filters) {
  return !at::GradMode::is_enabled() && filters.size(0) * filters.size(1) <= 256 * 256 ? 16 : 32;
}

/// Whether Winograd's algorithm is applicable and faster.
bool suitsWinograd(const at::Tensor &images, const at::Tensor &filters, int64_t stride, int64_t padding) {
  return winograd::kernels() && !at::autocast::is_autocast_enabled(at::kCPU) && stride == 1 && padding == 1 &&
         isForOwnKernels(images) && isForOwnKernels(filters) && images.dim() == 4 && filters.dim() == 4 &&
         filters.size(2) == 3 && filters.size(3) == 3 && filters.size(1) == images.size(1) &&
         filters.size(0) > 0 && filters.size(0) % 16 == 0 && filters.size(1) > 0 && filters.size(1) % 16 == 0 &&
         images.is_contiguous(channelsLast) && filters.is_contiguous(channelsLast) &&
         Shape{images.size(0), images.size(2), images.size(3), 16, 16}.tiles() >= fewestTiles(filters);
}

/// Whether tensors have the form that kernels of patches require.
bool suitsPatches(const at::Tensor &images, const at::Tensor &filters, int64_t stride, int64_t padding) {
  return ctorch::patches::kernels() && !at::autocast::is_autocast_enabled(at::kCPU) && isForOwnKernels(images) &&
         isForOwnKernels(filters) && images.dim() == 4 && filters.dim() == 4 && images.numel() > 0 && filters.numel() > 0 &&
         stride > 0 && padding >= 0 &&
         filters.size(1) == images.size(1) && filters.size(2) == filters.size(3) &&
         std::min(images.size(2), images.size(3)) + 2 * padding >= filters.size(2) &&
         images.is_contiguous(channelsLast) && filters.is_contiguous(channelsLast);
}

ctorch::patches::Shape patchShape(const at::Tensor &images, const at::Tensor &filters, int64_t stride, int64_t padding) {
  return {images.size(0), images.size(2), images.size(3), images.size(1), filters.size(0), filters.size(2), stride, padding};
}

/// Computes a convolution over patches and an epilogue.
at::Tensor convolvePatches(const at::Tensor &images, const at::Tensor &filters, int64_t stride, int64_t padding,
                           const Epilogue &epilogue = {}) {
  const ctorch::patches::Shape shape = patchShape(images, filters, stride, padding);
  const at::Tensor outputs = at::empty({shape.images, shape.outputs, shape.down(), shape.across()},
                                       images.options().memory_format(channelsLast));
  ctorch::patches::convolve(shape, images.data_ptr<float>(), filters, outputs.data_ptr<float>(), epilogue);
  return outputs;
}

/// Any other convolution without groups: the sums of libtorch's gradients depend on the number of threads.
struct PatchConvolution : torch::autograd::Function<PatchConvolution> {
  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &images,
                            const at::Tensor &filters, int64_t stride, int64_t padding) {
    context->save_for_backward({images, filters});
    context->saved_data["stride"] = stride;
    context->saved_data["padding"] = padding;
    return convolvePatches(images, filters, stride, padding);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &images = saved[0], &filters = saved[1], gradient = gradients[0].contiguous(channelsLast);
    const auto shape = patchShape(images, filters, context->saved_data["stride"].toInt(), context->saved_data["padding"].toInt());
    at::Tensor ofImages, ofFilters;
    if (context->needs_input_grad(0)) {
      ofImages = at::empty(images.sizes(), images.options().memory_format(channelsLast));
      ctorch::patches::spread(shape, gradient.data_ptr<float>(), filters.data_ptr<float>(), ofImages.data_ptr<float>());
    }
    if (context->needs_input_grad(1)) {
      ofFilters = at::empty(filters.sizes(), filters.options().memory_format(channelsLast));
      ctorch::patches::correlate(shape, images.data_ptr<float>(), gradient.data_ptr<float>(), ofFilters.data_ptr<float>());
    }
    return {ofImages, ofFilters, at::Tensor(), at::Tensor()};
  }
};

/// Whether the convolution is depthwise: one filter per channel, and more than one channel.
bool isDepthwise(const at::Tensor &images, const at::Tensor &filters) {
  return images.dim() == 4 && filters.dim() == 4 && filters.size(1) == 1 && filters.size(0) == images.size(1) &&
         images.size(1) > 1;
}

/// A depthwise convolution that keeps the image size, with filters that are not trained. The gradient is computed as the
/// convolution with the rotated filters, which is ten times as fast as oneDNN's gradient.
struct FixedDepthwiseConvolution : torch::autograd::Function<FixedDepthwiseConvolution> {
  static at::Tensor convolve(const at::Tensor &images, const at::Tensor &filters) {
    const at::Tensor weights = filters.to(images.scalar_type());
    const auto compute = [&](const at::Tensor &part) {
      return at::conv2d(part, weights, {}, 1, filters.size(2) / 2, 1, images.size(1));
    };
    return images.device().is_cpu() ? ctorch::overImages(images, compute) : compute(images);
  }

  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &images,
                            const at::Tensor &filters) {
    context->save_for_backward({filters});
    return convolve(images, filters);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list gradients) {
    const at::Tensor filters = context->get_saved_variables()[0];
    return {convolve(gradients[0].contiguous(channelsLast), filters.flip({2, 3})), at::Tensor()};
  }

  static bool suits(const at::Tensor &images, const at::Tensor &filters, int64_t stride, int64_t padding) {
    return ctorch::usesOwnKernels() && isDepthwise(images, filters) && !filters.requires_grad() && stride == 1 &&
           filters.size(2) == 2 * padding + 1 && filters.size(3) == filters.size(2);
  }
};

at::Tensor convolution(const at::Tensor &images, const at::Tensor &filters, const std::optional<at::Tensor> &bias,
                       int64_t stride, int64_t padding) {
  if (!bias && suitsWinograd(images, filters, stride, padding)) return WinogradConvolution::apply(images, filters);
  if (!bias && FixedDepthwiseConvolution::suits(images, filters, stride, padding))
    return FixedDepthwiseConvolution::apply(images, filters);
  if (!bias && suitsPatches(images, filters, stride, padding))
    return PatchConvolution::apply(images, filters, stride, padding);
  const int64_t groups = isDepthwise(images, filters) ? images.size(1) : 1;
  ctorch::useThreadsOfLibtorch();
  return at::conv2d(images, filters, bias, {stride, stride}, {padding, padding}, {1, 1}, groups);
}

bool haveChannels(int64_t channels, std::initializer_list<const CTTensor *> tensors) {
  return std::all_of(tensors.begin(), tensors.end(), [&](const CTTensor *tensor) {
    return isForOwnKernels(tensor->value) && tensor->value.sizes() == at::IntArrayRef{channels};
  });
}

at::Tensor convolveAndNormalise(const at::Tensor &images, const at::Tensor &filters, int64_t stride, int64_t padding,
                                const Epilogue &epilogue) {
  if (!suitsWinograd(images, filters, stride, padding)) return convolvePatches(images, filters, stride, padding, epilogue);
  const at::Tensor outputs = convolve(images, filters, false);
  epilogue.applyInParallel(outputs);
  return outputs;
}

/// Whether an epilogue can follow the convolution.
bool suitsEpilogue(const Epilogue &epilogue, const at::Tensor &images, const at::Tensor &filters, int64_t stride,
                   int64_t padding) {
  if (at::GradMode::is_enabled() || !ctorch::normalisation::kernels() || !suitsPatches(images, filters, stride, padding) ||
      filters.size(0) % 16 != 0)
    return false;
  const auto shape = patchShape(images, filters, stride, padding);
  const at::Tensor &addend = epilogue.addend;
  return !addend.defined() ||
         (isForOwnKernels(addend) && addend.is_contiguous(channelsLast) &&
          addend.sizes() == at::IntArrayRef{shape.images, shape.outputs, shape.down(), shape.across()});
}

}  // namespace

CTError *ct_conv2d(const CTTensor *input, const CTTensor *weight, const CTTensor *bias, int64_t stride,
                   int64_t padding, CTTensor **out) {
  return produce(out, [&] { return convolution(input->value, weight->value, optionalValue(bias), stride, padding); });
}

CTError *ct_conv2d_norm(const CTTensor *input, const CTTensor *filters, int64_t stride, int64_t padding,
                        const CTTensor *weight, const CTTensor *bias, CTTensor *runningMean, CTTensor *runningVariance,
                        const CTTensor *addend, bool rectifies, double epsilon, CTTensor **out) {
  at::Tensor fused;
  CTError *error = ctorch::guard([&] {
    const Epilogue after{.addend = addend ? addend->value : at::Tensor(), .rectifies = rectifies};
    if (!suitsEpilogue(after, input->value, filters->value, stride, padding)) return;
    if (!haveChannels(filters->value.size(0), {weight, bias, runningMean, runningVariance})) return;
    const auto [factor, offset] =
        ctorch::normFactors(weight->value, bias->value, runningMean->value, runningVariance->value, epsilon);
    fused = convolveAndNormalise(input->value, filters->value, stride, padding, {factor, offset, after.addend, rectifies});
  });
  if (error) return error;
  if (fused.defined()) return produce(out, [&] { return fused; });
  CTTensor *convolved = nullptr;
  if (CTError *failure = ct_conv2d(input, filters, nullptr, stride, padding, &convolved)) return failure;
  const std::unique_ptr<CTTensor> owner(convolved);
  return ct_batch_norm(convolved, weight, bias, runningMean, runningVariance, addend, rectifies, false, 0, epsilon, nullptr, out);
}
