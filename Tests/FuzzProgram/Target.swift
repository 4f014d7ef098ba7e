import Foundation
import OnePassCore

/// Reads one file after the other, and watches what that takes.
final class Target {
  private let format: Format
  private let folder: WorkFolder
  /// Files that were read without an error.
  private(set) var accepted = 0
  /// The most seconds of processor time that a file took.
  private(set) var longest = 0.0
  /// The most bytes by which the process grew while it read a file.
  private(set) var largest = 0

  private static let mostSeconds = 1.0
  static let lastName = "last"

  init(_ format: Format) throws {
    self.format = format
    folder = try WorkFolder()
  }

  /// Reads a file; ends the process with a sentence where the reader does what none may.
  func read(_ bytes: [UInt8], called name: String = "a file") {
    do {
      try folder.write(bytes, to: Self.lastName)
    } catch { fatalError("\(error)") }
    Self.forgetPeak()
    let (start, memory) = (Self.processorSeconds, Self.peakBytes)
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

  func finish() { folder.remove() }

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
