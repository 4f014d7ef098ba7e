import CTorch
import OnePassCore

/// The device that stores a tensor's elements and runs its operators.
///
/// ```swift
/// let device = try Device(parsing: "auto")  // the first GPU if there is one, otherwise the CPU
/// ```
public enum Device: Hashable, Sendable, CustomStringConvertible {
  /// The CPU.
  case cpu
  /// The CUDA device with this index, counted from 0.
  case cuda(Int)

  /// Parses `auto` (the first GPU, or the CPU without one), `cpu`, `cuda` (the first GPU) or `cuda:1`.
  ///
  /// All but `cpu` load libtorch.
  /// - Throws: `OnePassError`: `usage` if the text is not a device, or the device does not exist; `unavailable` if libtorch
  ///   cannot be loaded.
  public init(parsing text: String) throws {
    switch text {
    case "cpu":
      self = .cpu
    case "auto":
      try Engine.load()
      self = Engine.isCUDAAvailable ? .cuda(0) : .cpu
    default:
      guard let index = Self.cudaIndex(text) else {
        throw OnePassError.unknownDevice(text)
      }
      try Engine.load()
      let count = Engine.cudaDeviceCount
      guard count > 0 else { throw OnePassError.deviceUnavailable(text, String(cString: ct_cuda_absence())) }
      guard index < count else { throw OnePassError.deviceMissing(text, count: count) }
      self = .cuda(index)
    }
  }

  /// The device in the form that ``init(parsing:)`` parses.
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
