import CTorch

/// The numbers in which convolutions and matrix products are computed.
public enum Precision: String, CaseIterable, Codable, Sendable {
  case float32
  /// 8 bits of exponent, 8 of precision; weights, sums, normalisation's statistics, losses and updates stay in float32
  /// (mixed precision, as by PyTorch's autocast).
  case bfloat16
}

extension Device {
  /// Whether the device computes in this precision by itself.
  public func supports(_ precision: Precision) -> Bool {
    precision == .float32 || ct_supports_bfloat16(handle)
  }
}

/// Runs a forward pass and its loss in this precision; the backward pass, outside, follows it.
///
/// It belongs to the calling thread and ends however `body` does.
/// - Precondition: `device` supports it.
public func withPrecision<Result>(
  _ precision: Precision, on device: Device, _ body: () throws -> Result
) throws -> Result {
  guard precision == .bfloat16 else { return try body() }
  try check("mixed precision", ct_autocast_begin(device.handle))
  defer { ct_autocast_end(device.handle) }
  return try body()
}
