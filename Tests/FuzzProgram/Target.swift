import Foundation
import OnePassCore

/// Reads one file after the other, and watches what that takes.
final class Target {
  private let format: Format
  private let folder: WorkFolder
  private var count = 0
  /// Files that were read without an error.
  private var accepted = 0
  /// The most seconds of processor time that a file took.
  private var longest = 0.0
  /// The most bytes by which the process grew while it read a file.
  private var largest = 0

  /// Of processor time. Without optimisation, as in the tests, only what does not end counts.
  #if DEBUG
    private static let mostSeconds = 30.0
  #else
    private static let mostSeconds = 1.0
  #endif
  static let lastName = "last"

  /// Seconds after which the process ends that reads a file.
  private let patience: UInt32

  /// - Parameter isWatched: Whether somebody else ends what never ends.
  init(_ format: Format, isWatched: Bool) throws {
    self.format = format
    patience = isWatched ? 0 : 300
    folder = try WorkFolder()
  }

  /// Reads a file; ends the process with a sentence where the reader does what none may.
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
      fail(name, "throws what is no OnePassError: \(type(of: error)) \(error)")
    }
    let (seconds, growth) = (Self.processorSeconds - start, Self.peakBytes - memory)
    (longest, largest) = (max(longest, seconds), max(largest, growth))
    if seconds > Self.mostSeconds { fail(name, "takes \(seconds) s of processor time") }
    if growth > format.memoryLimit + 8 * bytes.count { fail(name, "takes \(growth >> 20) MiB of memory") }
  }

  /// Says what was seen, and removes the folder.
  func finish() {
    print(
      "\(format.rawValue): \(count) files, \(accepted) of them read to the end, at most \(Int(longest * 1_000)) ms and "
        + "\(largest >> 20) MiB a file")
    folder.remove()
  }

  private func fail(_ name: String, _ what: String) -> Never {
    FileHandle.standardError.write(
      Data(
        "FINDING in \(format.rawValue), \(name): it \(what); the file is \(folder.path)/\(Self.lastName)\n"
          .utf8))
    abort()
  }

  /// Of all threads: no other program on the machine makes it more.
  private static var processorSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// The most that the process had in RAM since the last ``forgetPeak()``; where that cannot be, ever.
  private static var peakBytes: Int {
    var usage = rusage()
    getrusage(0, &usage)  // RUSAGE_SELF, whose type is not the same everywhere.
    #if os(Linux)
      return Int(usage.ru_maxrss) << 10
    #else
      return Int(usage.ru_maxrss)
    #endif
  }

  private static let references = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC)
  private static func forgetPeak() { if references >= 0 { write(references, "5", 1) } }
}
