#include <algorithm>
#include <cmath>
#include <map>

#include "Guard.hpp"
#include "SymmetricProduct.hpp"

using ctorch::guard;
using ctorch::slice;

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

/// Returns the results [n, rows, columns] of `multiply(i, result)` for each of the n matrices of `first`.
template <typename Multiply>
at::Tensor forEachMatrix(const at::Tensor &first, int64_t rows, int64_t columns, const Multiply &multiply) {
  const at::Tensor results = at::empty({first.size(0), rows, columns}, first.options());
  const auto body = [&](int64_t i) { multiply(i, results.data_ptr<float>() + i * rows * columns); };
  // Few or large matrices are divided instead: three of them would occupy two threads for the time of four.
  if (first.size(0) < ctorch::threads() || rows * columns >= 1 << 16) {
    for (int64_t i = 0; i < first.size(0); ++i) body(i);
  } else {
    ctorch::forEachPart(first.size(0), body);
  }
  return results;
}

const float *matrix(const at::Tensor &all, int64_t i) { return all.data_ptr<float>() + i * all.size(1) * all.size(2); }

/// Whether the kernels of linear layers multiply. The sums of libtorch's products depend on the number of threads.
bool suitsKernels(const at::Tensor &x) { return ctorch::patches::kernels() && ctorch::isForOwnKernels(x) && x.numel() > 0; }

/// Returns a · b of each pair of matrices [n, rows, columns].
at::Tensor products(const at::Tensor &a, const at::Tensor &b) {
  if (!suitsKernels(a) || !suitsKernels(b)) {
    ctorch::useThreadsOfLibtorch();
    return at::bmm(a, b);
  }
  const at::Tensor left = a.contiguous(), right = b.contiguous();
  const int64_t rows = a.size(1), depth = a.size(2), columns = b.size(2);
  return forEachMatrix(left, rows, columns, [&](int64_t i, float *result) {
    // The gradient of the inputs of a linear layer with the weights b.
    ctorch::patches::spread({rows, 1, 1, columns, depth, 1, 1, 0}, matrix(left, i), matrix(right, i), result);
  });
}

/// Returns a · bᵀ of each pair of matrices [n, rows, columns], whose products are symmetric.
at::Tensor symmetricProducts(const at::Tensor &a, const at::Tensor &b) {
  if (!suitsKernels(a)) {
    ctorch::useThreadsOfLibtorch();
    return at::bmm(a, b.transpose(1, 2));
  }
  const at::Tensor left = a.contiguous(), right = b.contiguous();
  return forEachMatrix(left, a.size(1), a.size(1), [&](int64_t i, float *result) {
    ctorch::patches::multiplySymmetric(a.size(1), a.size(2), matrix(left, i), matrix(right, i), result);
  });
}

/// Returns matrices [n, rows, columns] with their singular values mapped to about 1, multiplied by `scale`.
///
/// Each step multiplies X from the left with a polynomial of X·Xᵀ. The polynomials are multiplied first, and X only once at
/// the end. For 3x3 filters, with nine times as many columns as rows, this takes a third of the work at the same precision.
///
/// All polynomials of X·Xᵀ are symmetric, and so are their products with each other, which takes half of the work.
template <typename Scale>
at::Tensor orthogonalised(at::Tensor x, const Scale &scale) {
  const bool isTall = x.size(1) > x.size(2);
  if (isTall) x = x.transpose(1, 2);
  at::Tensor gram = symmetricProducts(x, x), product;
  // The trace is the square of the norm of X.
  const at::Tensor norm = gram.diagonal(0, 1, 2).sum(1).sqrt_().clamp_min_(kSmallestNorm).view({-1, 1, 1});
  gram.div_(norm.square());
  for (int step = 0; step < kSteps; ++step) {
    const at::Tensor polynomial = symmetricProducts(gram, gram).mul_(kQuintic).add_(gram, kCubic);
    polynomial.diagonal(0, 1, 2).add_(kLinear);
    product = step == 0 ? polynomial : symmetricProducts(polynomial, product);
    if (step + 1 < kSteps) gram = symmetricProducts(polynomial, symmetricProducts(gram, polynomial));
  }
  x = products(product.div_(norm).mul_(scale), x);
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
    // Filters of the same shape are orthogonalised in one batch, since a network has many filters of few shapes.
    std::map<std::vector<int64_t>, std::vector<size_t>> groups;
    for (size_t i = 0; i < updated.size(); ++i) groups[updated[i].sizes().vec()].push_back(i);
    // The filters as parts of the matrices of their group: the directions of the momentum, later the moves.
    std::vector<at::Tensor> matrices, parts(updated.size());
    const auto divide = [&](const at::Tensor &group, const std::vector<size_t> &members) {
      for (size_t i = 0; i < members.size(); ++i) parts[members[i]] = filtersOf(group[i], updated[members[i]]);
    };
    for (const auto &[shape, members] : groups) {
      const at::Tensor first = matrixOf(updated[members[0]]);
      matrices.push_back(first.new_empty({static_cast<int64_t>(members.size()), first.size(0), first.size(1)}));
      divide(matrices.back(), members);
    }
    ctorch::forEachPart(updated, [&](size_t begin, size_t end) {
      const auto own = slice(gradients, begin, end), averages = slice(buffers, begin, end);
      const auto directions = slice(parts, begin, end);
      at::_foreach_lerp_(averages, own, 1 - momentum);
      at::_foreach_copy_(directions, averages);
      if (nesterov) at::_foreach_lerp_(directions, own, 1 - momentum);
    });
    const auto step = [&](const auto &rate) {
      auto group = matrices.begin();
      for (const auto &[shape, members] : groups) {
        const double rows = group->size(1), columns = group->size(2);
        *group = orthogonalised(*group, rate * std::sqrt(std::max(1.0, rows / columns))).contiguous();
        divide(*group++, members);
      }
      ctorch::forEachPart(updated, [&](size_t begin, size_t end) {
        const auto filters = slice(updated, begin, end);
        if (weightDecay != 0) at::_foreach_mul_(filters, 1 - rate * weightDecay);
        at::_foreach_sub_(filters, slice(parts, begin, end));
      });
    };
    heldLearningRate ? step(heldLearningRate->value) : step(learningRate);
  });
}
