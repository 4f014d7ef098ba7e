import CTorch
import OnePassCore

extension Tensor {
  /// This tensor on `device`; itself where it is there already.
  public func to(_ device: Device) throws -> Tensor {
    try result(of: "to", using: self) { ct_to_device(handle, device.handle, $0) }
  }

  /// This image batch or convolution weight, its elements laid out as `[N, H, W, C]` in memory.
  ///
  /// The shape stays `[N, C, H, W]`. Convolutions run fastest where images and weights are both so.
  public func channelsLast() throws -> Tensor {
    try result(of: "channelsLast", using: self) { ct_to_channels_last(handle, $0) }
  }

  /// A copy with elements of its own, outside of any record for a gradient.
  public func copied() throws -> Tensor {
    try result(of: "copied", using: self) { ct_clone(handle, $0) }
  }

  /// Overwrites all elements with those of `source`, across devices and layouts, without a gradient.
  /// - Throws: `OnePassError` (`engine`) if the shape of `source` does not fit.
  public func copy(from source: Tensor) throws {
    try perform("copy", using: self, source) { ct_copy(handle, source.handle) }
  }

  /// Overwrites the row `index` of the first dimension with `source`, without a gradient.
  /// - Throws: `OnePassError` (`engine`) if there is no such row or the shape of `source` does not fit it.
  public func write(_ source: Tensor, at index: Int) throws {
    try perform("write", using: self, source) { ct_copy_at(handle, Int64(index), source.handle) }
  }

  /// Adds `value` to each element of a tensor of int64, without a gradient.
  func addInPlace(_ value: Int) throws {
    try perform("addInPlace", using: self) { ct_add_integer_in_place(handle, Int64(value)) }
  }
}
