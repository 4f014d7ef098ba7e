import CTorch

/// The number format of convolutions and matrix products.
///
/// ```swift
/// let losses = try withPrecision(.bfloat16, on: device) {
///   try crossEntropy(model(images, .training), labels: labels)
/// }
/// try losses.mean().backward()
/// ```
public enum Precision: String, CaseIterable, Codable, Sendable {
  /// IEEE 754 single precision.
  case float32
  /// Mixed precision as in PyTorch's autocast: 8 exponent bits and 8 bits of precision.
  ///
  /// Weights, sums, batch statistics, losses and updates remain in float32.
  case bfloat16
}

extension Device {
  /// Returns whether the hardware of the device supports the precision.
  public func supports(_ precision: Precision) -> Bool {
    precision == .float32 || ct_supports_bfloat16(handle)
  }
}

/// Runs a forward pass and its loss in the given precision, on the calling thread.
///
/// Run the backward pass outside of `body`; it uses the same precision. The precision is reset when `body` returns or throws.
/// - Precondition: `device` supports the precision.
public func withPrecision<Result>(
  _ precision: Precision, on device: Device, _ body: () throws -> Result
) throws -> Result {
  guard precision == .bfloat16 else { return try body() }
  try check("withPrecision", ct_autocast_begin(device.handle))
  defer { ct_autocast_end(device.handle) }
  return try body()
}
