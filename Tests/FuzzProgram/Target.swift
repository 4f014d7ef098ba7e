import Foundation
import OnePassCore

/// Reads files one by one, and measures time and memory.
final class Target {
  private let format: Format
  private let folder: WorkFolder
  private var count = 0
  /// Files that were read without an error.
  private var accepted = 0
  /// The maximum processor time of a file, in seconds.
  private var longest = 0.0
  /// The maximum growth of the process during a file, in bytes.
  private var largest = 0

  /// The limit of processor time. Without optimisation, as in the tests, it only detects files that do not end.
  #if DEBUG
    private static let mostSeconds = 30.0
  #else
    private static let mostSeconds = 1.0
  #endif
  static let lastName = "last"

  /// The time after which the process is ended while it reads a file, in seconds.
  private let patience: UInt32

  /// - Parameter isWatched: Whether another process enforces a time limit.
  init(_ format: Format, isWatched: Bool) throws {
    self.format = format
    patience = isWatched ? 0 : 300
    folder = try WorkFolder()
  }

  /// Reads a file. Ends the process with a message if the reader misbehaves.
  func read(_ bytes: [UInt8], called name: String = "a file") {
    do {
      try folder.write(bytes, to: Self.lastName)
    } catch { fatalError("\(error)") }
    count += 1
    Self.forgetPeak()
    let (start, memory) = (Self.processorSeconds, Self.peakBytes)
    if patience > 0 { alarm(patience) }
    defer { if patience > 0 { alarm(0) } }
    do {
      try format.read(bytes, in: folder)
      accepted += 1
    } catch is OnePassError {} catch {
      fail(name, "throws an error other than OnePassError: \(type(of: error)) \(error)")
    }
    let (seconds, growth) = (Self.processorSeconds - start, Self.peakBytes - memory)
    (longest, largest) = (max(longest, seconds), max(largest, growth))
    if seconds > Self.mostSeconds { fail(name, "takes \(seconds) s of processor time") }
    if growth > format.memoryLimit + 8 * bytes.count { fail(name, "takes \(growth >> 20) MiB of memory") }
  }

  /// Prints a summary, and removes the folder.
  func finish() {
    print(
      "\(format.rawValue): \(count) files, \(accepted) of them read to the end, at most \(Int(longest * 1_000)) ms and "
        + "\(largest >> 20) MiB a file")
    folder.remove()
  }

  private func fail(_ name: String, _ what: String) -> Never {
    FileHandle.standardError.write(
      Data(
        "FINDING in \(format.rawValue), \(name): the reader \(what); the file is \(folder.path)/\(Self.lastName)\n"
          .utf8))
    abort()
  }

  /// The processor time of all threads, which does not depend on the load of the machine.
  private static var processorSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// The peak resident size since the last ``forgetPeak()``; since the start if that is not supported.
  private static var peakBytes: Int {
    var usage = rusage()
    getrusage(0, &usage)  // RUSAGE_SELF, whose type differs between systems.
    #if os(Linux)
      return Int(usage.ru_maxrss) << 10
    #else
      return Int(usage.ru_maxrss)
    #endif
  }

  private static let references = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC)
  private static func forgetPeak() { if references >= 0 { write(references, "5", 1) } }
}
