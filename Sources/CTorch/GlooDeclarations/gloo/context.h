#pragma once
// A declaration in the place of Gloo's own header; see ../README.md.
#include <chrono>
#include <memory>

namespace gloo {
/// The connections to all peers.
class Context {
 public:
  void setTimeout(std::chrono::milliseconds timeout);
  void closeConnections();
};
}  // namespace gloo
