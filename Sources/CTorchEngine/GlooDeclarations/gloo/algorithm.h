#pragma once
// Replaces Gloo's header; see ../README.md.

namespace gloo {
class Algorithm;
}  // namespace gloo
