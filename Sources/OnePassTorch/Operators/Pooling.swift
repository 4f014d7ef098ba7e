import CTorch

extension Tensor {
  /// Returns the maximum of each square window of a batch `[N, C, H, W]`.
  /// - Parameters:
  ///   - size: The height and width of a window, in pixels.
  ///   - stride: The stride in both dimensions, in pixels.
  ///   - padding: The padding on each side, in pixels; it never is the maximum.
  /// - Throws: `OnePassError` (`engine`) if the window is larger than the padded image.
  public func maxPool2d(size: Int, stride: Int, padding: Int = 0) throws -> Tensor {
    try result(of: "maxPool2d", using: self) {
      ct_max_pool2d(handle, Int64(size), Int64(stride), Int64(padding), $0)
    }
  }

  /// Returns the averages of a batch `[N, C, H, W]` over a grid of equal cells: `[N, C, height, width]`.
  public func adaptiveAveragePool2d(height: Int = 1, width: Int = 1) throws -> Tensor {
    try result(of: "adaptiveAveragePool2d", using: self) {
      ct_adaptive_average_pool2d(handle, Int64(height), Int64(width), $0)
    }
  }
}
