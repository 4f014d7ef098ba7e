import Foundation

/// The resident memory of this process.
enum ProcessMemory {
  /// The peak so far, in bytes.
  static var peakResidentBytes: Int {
    #if os(Linux)
      // Not by getrusage, whose peak includes that of the parent before it started this program.
      let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
      let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
      let kilobytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
      return (kilobytes ?? 0) * 1_024
    #else
      var usage = rusage()
      getrusage(RUSAGE_SELF, &usage)
      return Int(usage.ru_maxrss)
    #endif
  }
}
