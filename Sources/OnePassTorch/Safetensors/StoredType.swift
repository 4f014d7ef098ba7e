import Foundation

/// The element type of a tensor in a safetensors file; little-endian.
///
/// Half and double precision are converted to float32, in which OnePass computes. Only float32 and int64 are written.
enum StoredType: String, CaseIterable {
  case float64 = "F64"
  case float32 = "F32"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case int64 = "I64"

  init(_ type: ElementType) {
    switch type {
    case .float32: self = .float32
    case .int64: self = .int64
    }
  }

  /// The element type in memory.
  var elementType: ElementType { self == .int64 ? .int64 : .float32 }

  /// The size of an element in bytes.
  var size: Int {
    switch self {
    case .float64, .int64: 8
    case .float32: 4
    case .float16, .bfloat16: 2
    }
  }

  /// Decodes a tensor.
  /// - Precondition: `bytes` contains exactly the elements of `shape`.
  func tensor(_ bytes: Data, shape: [Int]) throws -> Tensor {
    switch self {
    case .int64: try Tensor(bytes.elements(Int64.self, zero: 0), shape: shape)
    case .float32: try Tensor(bytes.elements(Float.self, zero: 0), shape: shape)
    case .float64: try Tensor(bytes.elements(Double.self, zero: 0).map { Float($0) }, shape: shape)
    case .bfloat16:
      // bfloat16 is the upper half of a float32.
      try Tensor(
        bytes.elements(UInt16.self, zero: 0).map { Float(bitPattern: UInt32($0) << 16) }, shape: shape)
    case .float16:
      try Tensor(bytes.elements(UInt16.self, zero: 0).map { Float(halfPrecision: $0) }, shape: shape)
    }
  }
}

extension Float {
  /// Converts an IEEE 754 half-precision number exactly. (Swift's `Float16` is not available on every platform.)
  init(halfPrecision bits: UInt16) {
    let (exponent, fraction) = (bits >> 10 & 0x1F, UInt32(bits & 0x3FF))
    let magnitude =
      switch exponent {
      case 0: Float(fraction) * 0x1p-24
      case 0x1F: Float(bitPattern: 0x7F80_0000 | fraction << 13)
      default: Float(bitPattern: (UInt32(exponent) + 112) << 23 | fraction << 13)
      }
    self = bits >> 15 == 0 ? magnitude : -magnitude
  }
}

// No conversion is needed: the machines that Swift supports are little-endian, like the format.
extension Data {
  /// Copies the bytes to an array of numbers, whose memory is aligned.
  fileprivate func elements<Element: BitwiseCopyable>(_ type: Element.Type, zero: Element) -> [Element] {
    var values = [Element](repeating: zero, count: count / MemoryLayout<Element>.size)
    values.withUnsafeMutableBytes { _ = copyBytes(to: $0) }
    return values
  }
}
