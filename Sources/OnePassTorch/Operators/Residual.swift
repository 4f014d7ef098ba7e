import CTorch
import OnePassCore

extension Tensor {
  /// Returns the tensor twice, for two operators that use it, such as the two paths of a residual block.
  ///
  /// Without it, gradients are the same. With it, their sum is computed on all threads.
  public func forked() throws -> (Tensor, Tensor) {
    var second: OpaquePointer?
    let first = try result(of: "forked", using: self) { ct_fork(handle, $0, &second) }
    guard let second else { throw OnePassError.libtorchReturnedNothing("forked") }
    return (first, Tensor(owning: second))
  }

  /// Returns every `stride`-th pixel of a batch `[N, C, H, W]` in both dimensions, with additional channels of zeros:
  /// `[N, before + C + after, ⌈H / stride⌉, ⌈W / stride⌉]`.
  ///
  /// Source: He et al. 2016, section 3.3, option A.
  /// - Parameters:
  ///   - stride: 1 or more, in pixels.
  ///   - before: The number of channels before those of the batch.
  ///   - after: The number of channels after them.
  /// - Throws: `OnePassError` (`engine`) if the tensor has another rank, or an argument is out of range.
  public func subsampled(stride: Int, channelsBefore before: Int = 0, after: Int = 0) throws -> Tensor {
    try result(of: "subsampled", using: self) {
      ct_subsample(handle, Int64(stride), Int64(before), Int64(after), $0)
    }
  }
}
