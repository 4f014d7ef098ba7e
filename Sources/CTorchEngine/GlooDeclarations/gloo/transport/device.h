#pragma once
// Replaces Gloo's header; see ../../README.md.

namespace gloo::transport {
class Device;
/// ProcessGroupGloo.hpp requires the destructor.
class UnboundBuffer {
 public:
  virtual ~UnboundBuffer() = 0;
};
}  // namespace gloo::transport
