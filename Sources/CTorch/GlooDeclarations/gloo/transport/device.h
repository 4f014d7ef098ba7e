#pragma once
// A declaration in the place of Gloo's own header; see ../../README.md.

namespace gloo::transport {
class Device;
/// The destructor is needed where ProcessGroupGloo.hpp owns one.
class UnboundBuffer {
 public:
  virtual ~UnboundBuffer() = 0;
};
}  // namespace gloo::transport
