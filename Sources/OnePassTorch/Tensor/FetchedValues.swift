import CTorch
import OnePassCore

/// An asynchronous copy of a tensor's elements to the CPU.
///
/// ```swift
/// let losses = try tensor.fetched()   // starts the copy
/// // … submit more work to the device …
/// print(try losses.floats())          // waits for the copy, not for the later work
/// ```
public final class FetchedValues {
  private let handle: OpaquePointer
  private let count: Int

  fileprivate init(handle: OpaquePointer, count: Int) {
    self.handle = handle
    self.count = count
  }

  deinit { ct_fetch_free(handle) }

  /// Waits for the copy and returns all elements in row-major order.
  /// - Throws: `OnePassError` (`engine`) if they are not float32.
  public func floats() throws -> [Float] {
    var values = [Float](repeating: 0, count: count)
    try check("FetchedValues.floats", ct_fetch_floats(handle, &values, Int64(count)))
    return values
  }

  /// Waits for the copy and returns all elements in row-major order.
  /// - Throws: `OnePassError` (`engine`) if they are not int64.
  public func integers() throws -> [Int64] {
    var values = [Int64](repeating: 0, count: count)
    try check("FetchedValues.integers", ct_fetch_integers(handle, &values, Int64(count)))
    return values
  }
}

extension Tensor {
  /// Starts to copy this tensor to the CPU, in its state after all work submitted so far.
  public func fetched() throws -> FetchedValues {
    var made: OpaquePointer?
    try perform("fetched", using: self) { ct_fetch_begin(handle, &made) }
    guard let made else { throw OnePassError.libtorchReturnedNothing("fetched") }
    return FetchedValues(handle: made, count: count)
  }
}
