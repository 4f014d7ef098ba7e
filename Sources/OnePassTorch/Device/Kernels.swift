/// The implementation of the operators for which OnePass has kernels of its own.
///
/// The environment variable `ONEPASS_KERNELS` decides, so that anyone can compare the two. Losses agree within the tolerance of
/// float32. With libtorch's kernels the last bits depend on the number of threads.
///
/// ```swift
/// if Engine.kernels == .libtorch { print("libtorch computes everything") }
/// ```
public enum Kernels: String, CaseIterable, Codable, Sendable {
  /// Our kernels for tensors in float32 on the CPU, and libtorch's for everything else.
  case own
  /// libtorch's kernels for everything.
  case libtorch
}
