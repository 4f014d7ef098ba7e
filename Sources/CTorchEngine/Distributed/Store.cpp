#include <c10/util/Logging.h>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <cstdlib>
#include <cstring>

#include "Handles.hpp"

using ctorch::guard;
using std::chrono::milliseconds;

namespace {
std::vector<uint8_t> bytes(const uint8_t *values, int64_t count) { return {values, values + count}; }

void handOver(const std::vector<uint8_t> &value, uint8_t **out, int64_t *count) {
  auto *copy = static_cast<uint8_t *>(std::malloc(std::max<size_t>(value.size(), 1)));
  if (!copy) throw std::bad_alloc();
  if (!value.empty()) std::memcpy(copy, value.data(), value.size());
  *out = copy;
  *count = static_cast<int64_t>(value.size());
}
}  // namespace

CTError *ct_store_open(const char *host, int32_t port, bool isMaster, int32_t listener, int64_t timeoutMilliseconds,
                       CTStore **out) {
  return guard([&] {
    // c10d logs each connection attempt in many lines; the returned error reports the failure once.
    if (!std::getenv("TORCH_CPP_LOG_LEVEL")) FLAGS_caffe2_log_level = c10::GLOG_FATAL;
    const ctorch::WithoutPipeSignal threads;
    c10d::TCPStoreOptions options;
    options.port = static_cast<uint16_t>(port);
    options.isServer = isMaster;
    if (listener >= 0) options.masterListenFd = listener;
    options.waitWorkers = false;
    options.timeout = milliseconds(timeoutMilliseconds);
    const auto store = c10::make_intrusive<c10d::TCPStore>(host, options);
    *out = new CTStore{store, store->getPort()};
  });
}

void ct_store_free(CTStore *store) { delete store; }

int32_t ct_store_port(const CTStore *store) { return store->port; }

CTError *ct_store_set(CTStore *store, const char *key, const uint8_t *value, int64_t count) {
  return guard([&] { store->value->set(key, bytes(value, count)); });
}

CTError *ct_store_get(CTStore *store, const char *key, int64_t timeoutMilliseconds, uint8_t **out, int64_t *count) {
  return guard([&] {
    store->value->wait({key}, milliseconds(timeoutMilliseconds));
    handOver(store->value->get(key), out, count);
  });
}

CTError *ct_store_has(CTStore *store, const char *key, bool *out) {
  return guard([&] { *out = store->value->check({key}); });
}

CTError *ct_store_add(CTStore *store, const char *key, int64_t amount, int64_t *out) {
  return guard([&] { *out = store->value->add(key, amount); });
}

CTError *ct_store_compare_and_set(CTStore *store, const char *key, const uint8_t *expected, int64_t expectedCount,
                                  const uint8_t *desired, int64_t desiredCount, uint8_t **out, int64_t *count) {
  return guard([&] {
    handOver(store->value->compareSet(key, bytes(expected, expectedCount), bytes(desired, desiredCount)), out, count);
  });
}

void ct_bytes_free(uint8_t *bytes) { std::free(bytes); }
