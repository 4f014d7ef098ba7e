import CTorch
import OnePassCore

/// The elements of a tensor on their way from its device.
///
/// ```swift
/// let losses = try tensor.fetched()   // begins to copy
/// // … more work for the device …
/// print(try losses.floats())          // waits for the copy, not for that work
/// ```
public final class FetchedValues {
  private let handle: OpaquePointer
  private let count: Int

  fileprivate init(handle: OpaquePointer, count: Int) {
    self.handle = handle
    self.count = count
  }

  deinit { ct_fetch_free(handle) }

  /// All elements in row-major order of the shape, once they have arrived.
  /// - Throws: `OnePassError` (`engine`) if they are not float32.
  public func floats() throws -> [Float] {
    var values = [Float](repeating: 0, count: count)
    try check("the fetching of values", ct_fetch_floats(handle, &values, Int64(count)))
    return values
  }

  /// All elements in row-major order of the shape, once they have arrived.
  /// - Throws: `OnePassError` (`engine`) if they are not int64.
  public func integers() throws -> [Int64] {
    var values = [Int64](repeating: 0, count: count)
    try check("the fetching of values", ct_fetch_integers(handle, &values, Int64(count)))
    return values
  }
}

extension Tensor {
  /// Begins to copy this tensor, as it is after all that was asked of its device so far.
  public func fetched() throws -> FetchedValues {
    var made: OpaquePointer?
    try perform("fetched", using: self) { ct_fetch_begin(handle, &made) }
    guard let made else { throw OnePassError(.engine, "libtorch fetched nothing.") }
    return FetchedValues(handle: made, count: count)
  }
}
