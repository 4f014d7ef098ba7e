import CTorch
import OnePassCore

extension Tensor {
  /// Returns the tensor copied to `device`, or the tensor itself if it is already there.
  public func to(_ device: Device) throws -> Tensor {
    try result(of: "to", using: self) { ct_to_device(handle, device.handle, $0) }
  }

  /// Returns this `[N, C, H, W]` tensor in channels-last format, with memory laid out as `[N, H, W, C]`.
  ///
  /// The shape stays `[N, C, H, W]`. Convolutions are fastest if both the images and the weight are in this format.
  public func channelsLast() throws -> Tensor {
    try result(of: "channelsLast", using: self) { ct_to_channels_last(handle, $0) }
  }

  /// Returns a copy that is not part of the autograd graph.
  public func copied() throws -> Tensor {
    try result(of: "copied", using: self) { ct_clone(handle, $0) }
  }

  /// Overwrites all elements with those of `source`, across devices and memory formats, without a gradient.
  /// - Throws: `OnePassError` (`engine`) if the shape of `source` does not fit.
  public func copy(from source: Tensor) throws {
    try perform("copy", using: self, source) { ct_copy(handle, source.handle) }
  }

  /// Overwrites row `index` of the first dimension with `source`, without a gradient.
  /// - Throws: `OnePassError` (`engine`) if the row does not exist or the shape of `source` does not fit it.
  public func write(_ source: Tensor, at index: Int) throws {
    try perform("write", using: self, source) { ct_copy_at(handle, Int64(index), source.handle) }
  }

  /// Adds rows to the first dimension, and clears the gradient. The tensor stays the same object for all that hold it.
  /// - Parameter rows: The new rows, whose other dimensions are those of this tensor.
  /// - Throws: `OnePassError` (`engine`) if their shape does not fit.
  func append(rows: Tensor) throws {
    try perform("append", using: self, rows) { ct_append_rows(handle, rows.handle) }
  }

  /// Adds `value` to each element of an int64 tensor, without a gradient.
  func addInPlace(_ value: Int) throws {
    try perform("addInPlace", using: self) { ct_add_integer_in_place(handle, Int64(value)) }
  }
}
