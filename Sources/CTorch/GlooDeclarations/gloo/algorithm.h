#pragma once
// A declaration in the place of Gloo's own header; see ../README.md.

namespace gloo {
class Algorithm;
}  // namespace gloo
