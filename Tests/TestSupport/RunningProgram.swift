import Foundation

/// A running executable that can receive signals.
public final class RunningProgram {
  private let process = Process()
  private let pipe = Pipe()
  /// The standard error that was read so far.
  public private(set) var errors = ""

  /// - Parameter directory: The working directory; that of the test if `nil`.
  public init(
    _ program: Program, _ arguments: [String], input: String? = nil, in directory: TemporaryFolder? = nil
  ) throws {
    process.executableURL = URL(fileURLWithPath: program.path)
    process.arguments = arguments
    if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory.path) }
    process.standardInput = input.map { FileHandle(forReadingAtPath: $0) } ?? FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = pipe
    try process.run()
  }

  /// Reads standard error until a text has occurred `times` times, or until the program ends.
  /// - Returns: Whether the text has occurred.
  public func wait(for text: String, times: Int = 1) -> Bool {
    while errors.components(separatedBy: text).count <= times {
      let data = pipe.fileHandleForReading.availableData
      guard !data.isEmpty else { return false }
      errors += String(decoding: data, as: UTF8.self)
    }
    return true
  }

  /// Waits until a condition is true, or the program has ended.
  /// - Returns: Whether the condition is true.
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
