import Foundation

/// An executable that is under way, and can be signalled.
public final class RunningProgram {
  private let process = Process()
  private let pipe = Pipe()
  /// What it has said on standard error so far, as far as it was read.
  public private(set) var errors = ""

  public init(_ program: Program, _ arguments: [String], input: String? = nil) throws {
    process.executableURL = URL(fileURLWithPath: program.path)
    process.arguments = arguments
    process.standardInput = input.map { FileHandle(forReadingAtPath: $0) } ?? FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = pipe
    try process.run()
  }

  /// Reads what it says until a text was said `times` times, or until it ends.
  /// - Returns: Whether it was.
  public func wait(for text: String, times: Int = 1) -> Bool {
    while errors.components(separatedBy: text).count <= times {
      let data = pipe.fileHandleForReading.availableData
      guard !data.isEmpty else { return false }
      errors += String(decoding: data, as: UTF8.self)
    }
    return true
  }

  /// Waits until something is so, or it has ended.
  /// - Returns: Whether it is.
  public func wait(until condition: () -> Bool) -> Bool {
    while process.isRunning {
      if condition() { return true }
      Thread.sleep(forTimeInterval: 0.005)
    }
    return condition()
  }

  public func signal(_ number: Int32) { kill(process.processIdentifier, number) }

  /// Waits for its end.
  /// - Returns: Its exit status, or 128 + the signal that ended it.
  public func wait() -> Int32 {
    errors += String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
  }
}
