import Foundation

/// A pseudo-terminal for the standard error of a program.
public struct PseudoTerminal: Sendable {
  public let columns: UInt16
  /// The value of TERM.
  public let kind: String

  public init(columns: UInt16 = 80, kind: String = "xterm-256color") {
    self.columns = columns
    self.kind = kind
  }

  /// Runs a program to its end.
  /// - Parameters:
  ///   - arguments: Its arguments.
  ///   - environment: Variables in addition to those of the test.
  /// - Returns: Its exit status, and its output to the terminal.
  public func run(
    _ program: Program, _ arguments: [String], environment: [String: String] = [:]
  ) throws -> (status: Int32, screen: String) {
    var (master, slave): (Int32, Int32) = (-1, -1)
    var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
    guard openpty(&master, &slave, nil, nil, &size) == 0 else {
      throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program.path)
    process.arguments = arguments
    var variables = ProcessInfo.processInfo.environment
    variables["NO_COLOR"] = nil
    variables["TERM"] = kind
    process.environment = variables.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle(fileDescriptor: slave, closeOnDealloc: false)
    try process.run()
    close(slave)
    defer { close(master) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4_096)
    // After the program has closed it, reading fails (Linux) or returns nothing (macOS).
    while case let count = read(master, &buffer, buffer.count), count > 0 { bytes += buffer.prefix(count) }
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
  }
}
