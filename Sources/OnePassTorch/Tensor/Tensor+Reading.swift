import CTorch
import OnePassCore

extension Tensor {
  /// All elements in row-major order of the shape, copied to the CPU; waits for the device.
  /// - Throws: `OnePassError` (`engine`) if the tensor does not hold float32.
  public func floats() throws -> [Float] {
    var values = [Float](repeating: 0, count: count)
    try perform("floats", using: self) { ct_read_floats(handle, &values, Int64(values.count)) }
    return values
  }

  /// All elements in row-major order of the shape, copied to the CPU; waits for the device.
  /// - Throws: `OnePassError` (`engine`) if the tensor does not hold int64.
  public func integers() throws -> [Int64] {
    var values = [Int64](repeating: 0, count: count)
    try perform("integers", using: self) { ct_read_integers(handle, &values, Int64(values.count)) }
    return values
  }

  /// The one element of a tensor of float32; waits for the device.
  /// - Throws: `OnePassError` (`engine`) if there is not exactly one float32 element.
  public var item: Float {
    get throws {
      var value: Float = 0
      try perform("item", using: self) { ct_read_floats(handle, &value, 1) }
      return value
    }
  }
}
