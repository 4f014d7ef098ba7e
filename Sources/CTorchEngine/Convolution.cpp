#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include "Guard.hpp"
#include "Kernels/Winograd.hpp"
#include "Parallel.hpp"
#include "PatchConvolution.hpp"

using ctorch::channelsLast;
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
  const at::Tensor transformed = floats(shape.filterFloats());
  inParallel(forward.outputs / 16, 1, [&](int64_t begin, int64_t end) {
    kernels.transformFilters(forward, filters.data_ptr<float>(), forGradient, begin, end,
                             transformed.data_ptr<float>());
  });
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

/// Whether Winograd's algorithm is applicable and faster; transforming the filters takes as long as about 32 tiles.
bool suitsWinograd(const at::Tensor &images, const at::Tensor &filters, int64_t stride, int64_t padding) {
  return winograd::kernels() && !at::autocast::is_autocast_enabled(at::kCPU) && stride == 1 && padding == 1 &&
         isForOwnKernels(images) && isForOwnKernels(filters) && images.dim() == 4 && filters.dim() == 4 &&
         filters.size(2) == 3 && filters.size(3) == 3 && filters.size(1) == images.size(1) &&
         filters.size(0) > 0 && filters.size(0) % 16 == 0 && filters.size(1) > 0 && filters.size(1) % 16 == 0 &&
         images.is_contiguous(channelsLast) && filters.is_contiguous(channelsLast) &&
         Shape{images.size(0), images.size(2), images.size(3), 16, 16}.tiles() >= 32;
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

/// Any other convolution without groups: the sums of libtorch's gradients depend on the number of threads.
struct PatchConvolution : torch::autograd::Function<PatchConvolution> {
  static ctorch::patches::Shape shapeOf(const at::Tensor &images, const at::Tensor &filters, int64_t stride,
                                        int64_t padding) {
    return {images.size(0), images.size(2), images.size(3), images.size(1), filters.size(0), filters.size(2), stride, padding};
  }

  static at::Tensor forward(torch::autograd::AutogradContext *context, const at::Tensor &images,
                            const at::Tensor &filters, int64_t stride, int64_t padding) {
    context->save_for_backward({images, filters});
    context->saved_data["stride"] = stride;
    context->saved_data["padding"] = padding;
    // With as few channels as an image has, oneDNN is twice as fast. Its outputs do not depend on the number of threads, but those of
    // filters of one pixel could depend on the number of images.
    if (images.size(1) < 16 && filters.size(2) > 1) {
      return ctorch::overImages(images, [&](const at::Tensor &part) {
        return at::conv2d(part, filters, {}, {stride, stride}, {padding, padding}).contiguous(channelsLast);
      });
    }
    const ctorch::patches::Shape shape = shapeOf(images, filters, stride, padding);
    const at::Tensor outputs = at::empty({shape.images, shape.outputs, shape.down(), shape.across()},
                                         images.options().memory_format(channelsLast));
    ctorch::patches::convolve(shape, images.data_ptr<float>(), filters.data_ptr<float>(), outputs.data_ptr<float>());
    return outputs;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext *context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &images = saved[0], &filters = saved[1], gradient = gradients[0].contiguous(channelsLast);
    const auto shape = shapeOf(images, filters, context->saved_data["stride"].toInt(), context->saved_data["padding"].toInt());
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

}  // namespace

CTError *ct_conv2d(const CTTensor *input, const CTTensor *weight, const CTTensor *bias, int64_t stride,
                   int64_t padding, CTTensor **out) {
  return produce(out, [&] {
    const at::Tensor &images = input->value, &filters = weight->value;
    if (!bias && suitsWinograd(images, filters, stride, padding)) return WinogradConvolution::apply(images, filters);
    if (!bias && FixedDepthwiseConvolution::suits(images, filters, stride, padding))
      return FixedDepthwiseConvolution::apply(images, filters);
    if (!bias && suitsPatches(images, filters, stride, padding))
      return PatchConvolution::apply(images, filters, stride, padding);
    const int64_t groups = isDepthwise(images, filters) ? images.size(1) : 1;
    ctorch::useThreadsOfLibtorch();
    return at::conv2d(images, filters, optionalValue(bias), {stride, stride}, {padding, padding}, {1, 1}, groups);
  });
}
