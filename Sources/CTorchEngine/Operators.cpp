#include "Guard.hpp"

using ctorch::guard;
using ctorch::produce;
using ctorch::span;

CTError *ct_normalise_levels(const CTTensor *levels, const CTTensor *factor, const CTTensor *offset, CTTensor **out) {
  return produce(out, [&] { return levels->value.to(at::kFloat).mul_(factor->value).add_(offset->value); });
}

CTError *ct_add(const CTTensor *a, const CTTensor *b, CTTensor **out) {
  return produce(out, [&] { return at::add(a->value, b->value); });
}

CTError *ct_add_in_place(CTTensor *a, const CTTensor *b) {
  return guard([&] { a->value.add_(b->value); });
}

CTError *ct_multiply(const CTTensor *a, const CTTensor *b, CTTensor **out) {
  return produce(out, [&] { return at::mul(a->value, b->value); });
}

CTError *ct_divide(const CTTensor *a, const CTTensor *b, CTTensor **out) {
  return produce(out, [&] { return at::div(a->value, b->value); });
}

CTError *ct_scale(const CTTensor *a, double factor, CTTensor **out) {
  return produce(out, [&] { return at::mul(a->value, factor); });
}

CTError *ct_sum(const CTTensor *input, CTTensor **out) {
  return produce(out, [&] { return at::sum(input->value); });
}

CTError *ct_mean(const CTTensor *input, CTTensor **out) {
  return produce(out, [&] { return at::mean(input->value); });
}

CTError *ct_reshape(const CTTensor *input, const int64_t *shape, int32_t rank, CTTensor **out) {
  return produce(out, [&] { return at::reshape(input->value, span(shape, rank)); });
}

CTError *ct_flatten(const CTTensor *input, int64_t firstDimension, CTTensor **out) {
  return produce(out, [&] { return at::flatten(input->value, firstDimension, -1); });
}

CTError *ct_slice(const CTTensor *input, int64_t dimension, int64_t start, int64_t end, int64_t step,
                  CTTensor **out) {
  return produce(out, [&] { return at::slice(input->value, dimension, start, end, step); });
}

CTError *ct_narrow(const CTTensor *input, int64_t dimension, int64_t start, int64_t length, CTTensor **out) {
  return produce(out, [&] { return at::narrow(input->value, dimension, start, length); });
}

CTError *ct_index_select(const CTTensor *input, int64_t dimension, const CTTensor *indices, CTTensor **out) {
  return produce(out, [&] { return at::index_select(input->value, dimension, indices->value); });
}

CTError *ct_concatenate(const CTTensor *const *inputs, int64_t count, int64_t dimension, CTTensor **out) {
  return produce(out, [&] { return at::cat(ctorch::values(inputs, count), dimension); });
}

CTError *ct_constant_pad(const CTTensor *input, const int64_t *amounts, int32_t count, double value,
                         CTTensor **out) {
  return produce(out, [&] { return at::constant_pad_nd(input->value, span(amounts, count), value); });
}

CTError *ct_softmax(const CTTensor *input, int64_t dimension, CTTensor **out) {
  return produce(out, [&] { return at::softmax(input->value, dimension); });
}

CTError *ct_log_softmax(const CTTensor *input, int64_t dimension, CTTensor **out) {
  return produce(out, [&] { return at::log_softmax(input->value, dimension); });
}

CTError *ct_cross_entropy(const CTTensor *logits, const CTTensor *targets, CTTensor **out) {
  return produce(out, [&] {
    return at::cross_entropy_loss(logits->value, targets->value, /*weight=*/{}, at::Reduction::None);
  });
}

CTError *ct_argmax(const CTTensor *input, int64_t dimension, CTTensor **out) {
  return produce(out, [&] { return at::argmax(input->value, dimension); });
}

CTError *ct_top_probabilities(const CTTensor *logits, int64_t k, CTTensor **outProbabilities, CTTensor **outClasses) {
  return guard([&] {
    c10::NoGradGuard noGradient;
    const auto [probabilities, classes] = at::topk(at::softmax(logits->value, /*dim=*/1, at::kFloat), k, /*dim=*/1);
    auto made = std::make_unique<CTTensor>(probabilities);
    *outClasses = new CTTensor(classes);
    *outProbabilities = made.release();
  });
}

CTError *ct_top_classes(const CTTensor *logits, int64_t k, CTTensor **out) {
  return guard([&] {
    c10::NoGradGuard noGradient;
    *out = new CTTensor(std::get<1>(at::topk(logits->value, k, /*dim=*/1)));
  });
}

CTError *ct_correct_count(const CTTensor *logits, const CTTensor *labels, int64_t k, int64_t *out) {
  return guard([&] {
    c10::NoGradGuard noGradient;
    const at::Tensor best = std::get<1>(at::topk(logits->value, k, /*dim=*/1));
    *out = at::eq(best, labels->value.unsqueeze(1)).sum().item<int64_t>();
  });
}
