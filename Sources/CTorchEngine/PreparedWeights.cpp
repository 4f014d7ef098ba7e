#include "PreparedWeights.hpp"

thread_local CTPreparedWeights *ctorch::preparedWeights = nullptr;

CTPreparedWeights *ct_prepared_weights_new(void) { return new CTPreparedWeights; }

void ct_prepared_weights_free(CTPreparedWeights *weights) { delete weights; }

void ct_prepared_weights_clear(CTPreparedWeights *weights) { weights->entries.clear(); }

CTPreparedWeights *ct_use_prepared_weights(CTPreparedWeights *weights) {
  return std::exchange(ctorch::preparedWeights, weights);
}
