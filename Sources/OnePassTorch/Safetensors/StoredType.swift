import Foundation

/// How the numbers of a tensor lie in a safetensors file; little-endian.
///
/// Half and double precision are read as float32, in which OnePass computes. It writes float32 and int64 only.
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

  /// What it becomes in memory.
  var elementType: ElementType { self == .int64 ? .int64 : .float32 }

  /// Bytes an element.
  var size: Int {
    switch self {
    case .float64, .int64: 8
    case .float32: 4
    case .float16, .bfloat16: 2
    }
  }

  /// The tensor that these bytes are.
  /// - Precondition: there are as many as `shape` says.
  func tensor(_ bytes: Data, shape: [Int]) throws -> Tensor {
    switch self {
    case .int64: try Tensor(bytes.elements(Int64.self, zero: 0), shape: shape)
    case .float32: try Tensor(bytes.elements(Float.self, zero: 0), shape: shape)
    case .float64: try Tensor(bytes.elements(Double.self, zero: 0).map { Float($0) }, shape: shape)
    case .bfloat16:
      // The upper half of a float32.
      try Tensor(
        bytes.elements(UInt16.self, zero: 0).map { Float(bitPattern: UInt32($0) << 16) }, shape: shape)
    case .float16:
      try Tensor(bytes.elements(UInt16.self, zero: 0).map { Float(halfPrecision: $0) }, shape: shape)
    }
  }
}

extension Float {
  /// An IEEE 754 number of 16 bits, which every float32 can be. (Swift's `Float16` is not on every machine.)
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

// Swift's supported machines are little-endian, as the format is.
extension Data {
  /// These bytes as numbers, copied to memory that is aligned for them.
  fileprivate func elements<Element: BitwiseCopyable>(_ type: Element.Type, zero: Element) -> [Element] {
    var values = [Element](repeating: zero, count: count / MemoryLayout<Element>.size)
    values.withUnsafeMutableBytes { _ = copyBytes(to: $0) }
    return values
  }
}
