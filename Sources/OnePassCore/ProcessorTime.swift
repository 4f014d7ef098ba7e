import Foundation

/// The time that the threads of a process spend on processors, and the time that they wait for one.
///
/// ```swift
/// let before = ProcessorTime.current()
/// let result = try TrainingRun(configuration).start()
/// print((ProcessorTime.current() - before).seconds, result.throughput.imagesPerSecond)
/// ```
public struct ProcessorTime: Codable, Hashable, Sendable {
  /// The time on processors, of all threads, in seconds.
  public var seconds: Double
  /// The time in which threads could run but other threads had the processor, in seconds; `nil` where the system does not count it
  /// (other than Linux). Without threads that have ended.
  public var waitSeconds: Double?

  /// - Parameters:
  ///   - seconds: The time on processors.
  ///   - waitSeconds: The time of waiting for one; `nil` if it is unknown.
  public init(seconds: Double = 0, waitSeconds: Double? = nil) {
    self.seconds = seconds
    self.waitSeconds = waitSeconds
  }

  /// The times of this process up to now.
  public static func current() -> ProcessorTime {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return ProcessorTime(
      seconds: Double(time.tv_sec) + Double(time.tv_nsec) / 1e9,
      waitSeconds: waitSeconds(in: "/proc/self/task"))
  }

  /// The share of the time in which threads could run that they spent waiting, 0 … 1; `nil` if it is unknown.
  public var waitShare: Double? {
    waitSeconds.map { $0 + seconds > 0 ? min(1, max(0, $0 / ($0 + seconds))) : 0 }
  }

  public static func - (a: ProcessorTime, b: ProcessorTime) -> ProcessorTime { a.combined(with: b, -) }
  public static func + (a: ProcessorTime, b: ProcessorTime) -> ProcessorTime { a.combined(with: b, +) }

  private func combined(with other: ProcessorTime, _ combine: (Double, Double) -> Double) -> ProcessorTime {
    let waits = waitSeconds.flatMap { wait in other.waitSeconds.map { combine(wait, $0) } }
    // A thread that has ended takes its waits with it.
    return ProcessorTime(
      seconds: max(0, combine(seconds, other.seconds)), waitSeconds: waits.map { max(0, $0) })
  }

  /// The waits of all threads, by the statistics of the scheduler: time on a processor and waiting for one, in nanoseconds, and
  /// the number of times that it got one.
  static func waitSeconds(in folder: String) -> Double? {
    guard let threads = try? FileManager.default.contentsOfDirectory(atPath: folder) else { return nil }
    let waits = threads.compactMap { thread -> Double? in
      let text = try? String(contentsOfFile: "\(folder)/\(thread)/schedstat", encoding: .utf8)
      let fields = text?.split(whereSeparator: \.isWhitespace)
      return fields?.count == 3 ? fields.flatMap { Double($0[1]) } : nil
    }
    return waits.isEmpty ? nil : waits.reduce(0, +) / 1e9
  }
}
