import OnePassCore
import OnePassTorch

/// The number of compute threads of a resumed run.
///
/// In float32 a run does not depend on it. In bfloat16 on a CPU the last bits of libtorch's sums do, so a resumed run keeps it.
struct ResumedThreads {
  /// The number to set; `nil` for one per core.
  let count: Int?
  /// Notices for the user.
  let notices: [String]

  /// - Parameters:
  ///   - requested: The number that was requested, if any.
  ///   - before: The number before the interruption; `nil` in a new run.
  ///   - precision: The precision of the run.
  ///   - cores: The number of cores that the process may use.
  init(
    _ requested: Int?, before: Int?, precision: Precision, cores: Int = AvailableProcessors.current.count
  ) {
    let before = precision == .bfloat16 ? before : nil
    count = requested ?? before
    guard let before else {
      notices = []
      return
    }
    if let requested, requested != before {
      notices = [
        "The run used \(Figures.count(before, "compute thread")) and uses \(requested) now, so its last bits will not be those "
          + "of an uninterrupted run."
      ]
    } else if requested == nil, before > cores {
      notices = [
        "The run uses \(before) compute threads, as before, on \(Figures.count(cores, "core")); pass --threads \(cores) if "
          + "speed matters more than the same last bits."
      ]
    } else {
      notices = []
    }
  }
}
