import OnePassCore

// Failures of libtorch, and devices or thread counts that cannot be used.
extension OnePassError {
  // MARK: Calls of libtorch

  /// - Parameters:
  ///   - operation: The failed call, such as `conv2d` or `Tensor.init`.
  ///   - detail: The message of libtorch.
  static func libtorchFailed(_ operation: StaticString, _ detail: String) -> OnePassError {
    OnePassError(.engine, "libtorch failed in \(operation): \(detail)")
  }

  static func libtorchReturnedNothing(_ operation: StaticString) -> OnePassError {
    OnePassError(.engine, "libtorch returned no result from \(operation).")
  }

  static func outOfMemory(_ operation: StaticString, _ detail: String) -> OnePassError {
    OnePassError(
      .engine, "Out of memory in \(operation) (\(detail)); use a smaller batch or a smaller model.")
  }

  /// - Parameter reason: What is missing and where, as a clause.
  static func libtorchMissing(_ reason: String) -> OnePassError {
    OnePassError(
      .unavailable,
      "libtorch cannot be loaded: \(reason); build OnePass with make build or swift build, or install it again."
    )
  }

  static func unknownKernels(_ value: String) -> OnePassError {
    OnePassError(
      .usage,
      "ONEPASS_KERNELS must be \(Kernels.allCases.map(\.rawValue).joined(separator: " or ")) (got \(value)).")
  }

  // MARK: Devices and threads

  static func deviceUnavailable(_ reason: String) -> OnePassError {
    OnePassError(.usage, "The requested device is unavailable: \(reason); use --device cpu or auto.")
  }

  static func deviceUnavailable(_ device: String, _ reason: String) -> OnePassError {
    OnePassError(.usage, "--device \(device) is unavailable: \(reason); use cpu or auto.")
  }

  static func deviceMissing(_ device: String, count: Int) -> OnePassError {
    let present = count == 1 ? "only cuda:0" : "cuda:0 to cuda:\(count - 1)"
    return OnePassError(.usage, "--device \(device) does not exist; this machine has \(present).")
  }

  static func unknownDevice(_ text: String) -> OnePassError {
    OnePassError(.usage, "--device must be auto, cpu, cuda or cuda:N, for example cuda:1 (got \(text)).")
  }

  static func threadCountOutOfRange(_ count: Int, _ range: ClosedRange<Int>) -> OnePassError {
    OnePassError(
      .usage, "--threads must be between \(range.lowerBound) and \(range.upperBound) (got \(count)).")
  }
}
