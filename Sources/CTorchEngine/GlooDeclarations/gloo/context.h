#pragma once
// Replaces Gloo's header; see ../README.md.
#include <chrono>
#include <memory>

namespace gloo {
/// The connections to all peers of a group.
class Context {
 public:
  void setTimeout(std::chrono::milliseconds timeout);
  void closeConnections();
};
}  // namespace gloo
