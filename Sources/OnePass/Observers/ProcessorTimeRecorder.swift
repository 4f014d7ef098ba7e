import OnePassCore
import OnePassTorch

/// Measures the time of a training on processors. It reports once if a training on the CPU gets less than half of what its threads could
/// have had, because they waited for processors.
final class ProcessorTimeRecorder: StepObserver {
  /// The time in earlier processes of this run, and up to the last mark.
  private(set) var total = ProcessorTime(waitSeconds: 0)
  private let report: (TrainingEvent) -> Void
  private let isOnCPU: Bool
  /// Where the current part of the training began.
  private var mark = ProcessorTime.current()
  /// Whether the training is in progress, and not an evaluation.
  private var isMeasuring = false
  /// The part that is looked at: the times at its beginning.
  private var window: (time: ProcessorTime, seconds: Double, imageWait: Double)?
  private var isDone = false

  /// The length of a part, in seconds of training.
  private static let windowSeconds = 10.0

  /// - Parameters:
  ///   - isOnCPU: Whether the training computes on the CPU. The threads of a training on a GPU mostly wait for it.
  ///   - report: Receives the notice.
  init(isOnCPU: Bool, _ report: @escaping (TrainingEvent) -> Void) {
    self.isOnCPU = isOnCPU
    self.report = report
  }

  /// Continues from the state of another process.
  func restore(_ time: ProcessorTime?) { total = time ?? total }

  /// Begins to measure, at the start of the training and after other work.
  func resume() { (mark, isMeasuring) = (.current(), true) }

  /// Stops measuring.
  func pause() {
    update()
    isMeasuring = false
  }

  /// Adds the time since the last mark to the total.
  func update() {
    guard isMeasuring else { return }
    let now = ProcessorTime.current()
    total = total + (now - mark)
    mark = now
  }

  func observe(_ step: StepRecord, of loop: TrainingLoop) {
    guard isOnCPU, !isDone else { return }
    let (seconds, imageWait) = (loop.position.seconds, loop.incoming.imageWaitSeconds)
    if let window, seconds - window.seconds < Self.windowSeconds { return }
    update()
    if let window {
      let share = ProcessorShare(
        time: total - window.time, seconds: seconds - window.seconds - (imageWait - window.imageWait),
        threads: Engine.threadCount, processors: .current)
      if let notice = share.notice {
        isDone = true
        report(.notice(notice))
      }
    }
    window = (total, seconds, imageWait)
  }
}

/// What a part of a training had of the processors.
struct ProcessorShare {
  /// The time on processors in this part, and of waiting for one.
  let time: ProcessorTime
  /// The length of the part, without waiting for images.
  let seconds: Double
  /// The number of compute threads.
  let threads: Int
  let processors: AvailableProcessors

  /// The time on processors, as a share of what the threads could have had.
  var value: Double { time.seconds / max(1e-9, seconds * Double(min(threads, processors.count))) }

  /// The notice for a share below a half, if threads waited for processors: a run of small operators, or one that waits for its stream
  /// or for other ranks, has a small share too.
  var notice: String? {
    guard value < 0.5, let wait = time.waitShare, wait >= 0.4 else { return nil }
    let cause =
      processors.quota.map {
        "because of other processes or its CPU quota of \(Figures.short($0)). Raise the quota, or stop other programs."
      } ?? "because other processes are running. Stop them, or run it where processors are reserved for it."
    return
      "The run gets \(Figures.percent(value, decimals: 0)) of the processor time that its "
      + "\(Figures.count(threads, "compute thread")) could use, \(cause)"
  }
}
