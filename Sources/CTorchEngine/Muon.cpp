#include <algorithm>
#include <cmath>
#include <map>

#include "Guard.hpp"
#include "PatchConvolution.hpp"

using ctorch::guard;

namespace {
// The quintic iteration of Jordan et al. 2024, with the coefficients, steps and minimum norm of torch.optim.Muon.
constexpr double kLinear = 3.4445, kCubic = -4.7750, kQuintic = 2.0315;
constexpr int kSteps = 5;
constexpr double kSmallestNorm = 1e-7;

/// Returns filters [out, in, height, width] as a matrix with one row per filter. The columns are in the memory order of
/// channels-last filters; the order does not affect the result.
at::Tensor matrixOf(const at::Tensor &filters) {
  return (filters.dim() == 4 ? filters.permute({0, 2, 3, 1}) : filters).flatten(1);
}

/// Returns a matrix as filters in the shape of `like`.
at::Tensor filtersOf(const at::Tensor &matrix, const at::Tensor &like) {
  if (like.dim() != 4) return matrix.view(like.sizes());
  return matrix.view({like.size(0), like.size(2), like.size(3), like.size(1)}).permute({0, 3, 1, 2});
}

/// Returns a · b of each pair of matrices [n, rows, columns] or, if `transposes`, a · bᵀ.
///
/// On a CPU by the kernels of linear layers, since the sums of libtorch's products depend on the number of threads.
at::Tensor products(const at::Tensor &a, const at::Tensor &b, bool transposes = false) {
  if (!ctorch::patches::kernels() || !ctorch::isForOwnKernels(a) || !ctorch::isForOwnKernels(b) || a.numel() == 0 || b.numel() == 0) {
    ctorch::useThreadsOfLibtorch();
    return at::bmm(a, transposes ? b.transpose(1, 2) : b);
  }
  const at::Tensor left = a.contiguous(), right = b.contiguous();
  const at::Tensor result = at::empty({a.size(0), a.size(1), transposes ? b.size(1) : b.size(2)}, a.options());
  const auto matrix = [](const at::Tensor &all, int64_t i) { return all.data_ptr<float>() + i * all.size(1) * all.size(2); };
  const auto multiply = [&](int64_t i) {
    // A linear layer with the weights b, or the gradient of its inputs.
    if (transposes) {
      ctorch::patches::convolve({a.size(1), 1, 1, a.size(2), b.size(1), 1, 1, 0}, matrix(left, i), matrix(right, i),
                                matrix(result, i));
    } else {
      ctorch::patches::spread({a.size(1), 1, 1, b.size(2), b.size(1), 1, 1, 0}, matrix(left, i), matrix(right, i),
                              matrix(result, i));
    }
  };
  // Few matrices are divided instead.
  if (a.size(0) < ctorch::threads()) {
    for (int64_t i = 0; i < a.size(0); ++i) multiply(i);
  } else {
    ctorch::forEachPart(a.size(0), multiply);
  }
  return result;
}

/// Returns matrices [n, rows, columns] with their singular values mapped to about 1.
///
/// Each step multiplies X from the left with a polynomial of X·Xᵀ. The polynomials are multiplied first, and X only once at
/// the end. For 3x3 filters, with nine times as many columns as rows, this takes a third of the work at the same precision.
at::Tensor orthogonalised(at::Tensor x) {
  const bool isTall = x.size(1) > x.size(2);
  if (isTall) x = x.transpose(1, 2);
  x = x / at::linalg_vector_norm(x, 2, at::IntArrayRef{1, 2}, /*keepdim=*/true).clamp_min(kSmallestNorm);
  at::Tensor gram = products(x, x, /*transposes=*/true), product;
  for (int step = 0; step < kSteps; ++step) {
    at::Tensor polynomial = gram * kCubic + products(gram, gram) * kQuintic;
    polynomial.diagonal(0, 1, 2).add_(kLinear);
    product = step == 0 ? polynomial : products(polynomial, product);
    if (step + 1 < kSteps) gram = products(polynomial, products(gram, polynomial));
  }
  x = products(product, x);
  return isTall ? x.transpose(1, 2) : x;
}
}  // namespace

CTError *ct_muon_step(const CTTensor *const *parameters, const CTTensor *const *momentumBuffers, int64_t count,
                      double learningRate, const CTTensor *heldLearningRate, double momentum, double weightDecay,
                      bool nesterov) {
  return guard([&] {
    c10::NoGradGuard noGradient;
    std::vector<at::Tensor> updated, gradients, buffers;
    for (int64_t i = 0; i < count; ++i) {
      const at::Tensor gradient = parameters[i]->value.grad();
      // As in torch.optim, a parameter without a gradient is not changed, nor is its momentum.
      if (!gradient.defined()) continue;
      updated.push_back(parameters[i]->value);
      gradients.push_back(gradient);
      buffers.push_back(momentumBuffers[i]->value);
    }
    if (updated.empty()) return;
    ctorch::forEachPart(buffers, [&](size_t begin, size_t end) {
      at::_foreach_lerp_(ctorch::slice(buffers, begin, end), ctorch::slice(gradients, begin, end), 1 - momentum);
    });
    const std::vector<at::Tensor> directions =
        nesterov ? at::_foreach_lerp(gradients, buffers, momentum) : buffers;

    // Filters of the same shape are orthogonalised in one batch, since a network has many filters of few shapes.
    std::map<std::vector<int64_t>, std::vector<size_t>> groups;
    for (size_t i = 0; i < updated.size(); ++i) groups[updated[i].sizes().vec()].push_back(i);
    const auto step = [&](const auto &rate) {
      for (const auto &[shape, members] : groups) {
        std::vector<at::Tensor> matrices, filters, moves;
        for (size_t i : members) {
          matrices.push_back(matrixOf(directions[i]));
          filters.push_back(updated[i]);
        }
        at::Tensor turned = orthogonalised(at::stack(matrices));
        const double rows = turned.size(1), columns = turned.size(2);
        turned = (turned * (rate * std::sqrt(std::max(1.0, rows / columns)))).contiguous();
        for (size_t i = 0; i < members.size(); ++i) moves.push_back(filtersOf(turned[i], filters[i]));
        if (weightDecay != 0) at::_foreach_mul_(filters, 1 - rate * weightDecay);
        at::_foreach_sub_(filters, moves);
      }
    };
    heldLearningRate ? step(heldLearningRate->value) : step(learningRate);
  });
}
