import CTorch
import OnePassCore

extension Tensor {
  /// Waits for the device and returns all elements in row-major order.
  /// - Throws: `OnePassError` (`engine`) if the tensor is not float32.
  public func floats() throws -> [Float] {
    var values = [Float](repeating: 0, count: count)
    try perform("floats", using: self) { ct_read_floats(handle, &values, Int64(values.count)) }
    return values
  }

  /// Waits for the device and returns all elements in row-major order.
  /// - Throws: `OnePassError` (`engine`) if the tensor is not int64.
  public func integers() throws -> [Int64] {
    var values = [Int64](repeating: 0, count: count)
    try perform("integers", using: self) { ct_read_integers(handle, &values, Int64(values.count)) }
    return values
  }

  /// The value of a float32 tensor with a single element; waits for the device.
  /// - Throws: `OnePassError` (`engine`) if there is not exactly one float32 element.
  public var item: Float {
    get throws {
      var value: Float = 0
      try perform("item", using: self) { ct_read_floats(handle, &value, 1) }
      return value
    }
  }
}
