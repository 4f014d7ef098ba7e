#pragma once
// A declaration in the place of Gloo's own header; see ../../README.md.
#include <chrono>
#include <string>
#include <vector>

namespace gloo::rendezvous {
/// Where peers leave their addresses for each other. libtorch's ProcessGroupGloo.hpp derives an adapter from it.
class Store {
 public:
  virtual ~Store() = default;
  virtual void set(const std::string &key, const std::vector<char> &value) = 0;
  virtual std::vector<char> get(const std::string &key) = 0;
  virtual void wait(const std::vector<std::string> &keys) = 0;
  virtual void wait(const std::vector<std::string> &keys, const std::chrono::milliseconds &timeout) = 0;
};
}  // namespace gloo::rendezvous
