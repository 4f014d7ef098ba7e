import Foundation
import OnePassCore
import OnePassTorch

/// The number of threads of an operator.
struct ComputeThreads {
  /// The number to set; `nil` keeps libtorch's choice: one per physical core that the process may use.
  let count: Int?

  /// - Parameters:
  ///   - requested: The number that the user requested, if any.
  ///   - chosen: libtorch's choice.
  ///   - available: The processors that the process may use.
  ///   - environment: The environment variables of the process.
  init(
    _ requested: Int?, chosen: Int, available: AvailableProcessors = .current,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) {
    // libtorch follows the affinity of the process and these variables, but not the quota of a control group.
    let isChosenByUser = ["OMP_NUM_THREADS", "MKL_NUM_THREADS"].contains { environment[$0] != nil }
    count = requested ?? (isChosenByUser || available.count >= chosen ? nil : available.count)
  }

  /// Sets the number of threads of this process.
  /// - Throws: `OnePassError` (`usage`) for a number outside the range.
  static func set(_ requested: Int?) throws {
    if let count = ComputeThreads(requested, chosen: Engine.threadCount).count {
      try Engine.setThreadCount(count)
    }
  }
}
