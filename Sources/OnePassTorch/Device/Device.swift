import CTorch
import OnePassCore

/// Where a tensor's elements lie and its operators run.
///
/// ```swift
/// let device = try Device(parsing: "auto")  // the first GPU where there is one, else the CPU
/// ```
public enum Device: Hashable, Sendable, CustomStringConvertible {
  case cpu
  /// The CUDA device with this index, counted from 0.
  case cuda(Int)

  /// The device named by `auto`, `cpu`, `cuda` (the first one) or `cuda:1`.
  /// - Throws: `OnePassError` (`usage`) if the text names no device, or one that is not there.
  public init(parsing text: String) throws {
    switch text {
    case "cpu":
      self = .cpu
    case "auto":
      self = Engine.isCUDAAvailable ? .cuda(0) : .cpu
    default:
      guard let index = Self.cudaIndex(text) else {
        throw OnePassError(
          .usage,
          "The device \(text) is not known: write auto, cpu, cuda or cuda: and a number, as in cuda:1.")
      }
      let count = Engine.cudaDeviceCount
      guard count > 0 else {
        throw OnePassError(
          .usage,
          "The device \(text) cannot be used, because \(String(cString: ct_cuda_absence())): use cpu or auto."
        )
      }
      guard index < count else {
        throw OnePassError(
          .usage, "The device \(text) does not exist: this machine has \(count), cuda:0 to cuda:\(count - 1)."
        )
      }
      self = .cuda(index)
    }
  }

  public var description: String {
    switch self {
    case .cpu: "cpu"
    case .cuda(let index): "cuda:\(index)"
    }
  }

  private static func cudaIndex(_ text: String) -> Int? {
    if text == "cuda" { return 0 }
    guard text.hasPrefix("cuda:") else { return nil }
    let digits = text.dropFirst("cuda:".count)
    guard digits.allSatisfy({ "0"..."9" ~= $0 }) else { return nil }
    return Int(digits)
  }
}

extension Device {
  var handle: CTDevice {
    switch self {
    case .cpu: CTDevice(cuda: false, index: 0)
    case .cuda(let index): CTDevice(cuda: true, index: Int32(clamping: index))
    }
  }

  init(_ handle: CTDevice) { self = handle.cuda ? .cuda(Int(handle.index)) : .cpu }
}
