import Foundation

/// A built executable, run as a user runs it.
public struct Program: Sendable, Equatable {
  public struct Outcome: Sendable {
    public let status: Int32
    public let output: String
    public let errors: String
  }

  public let path: String

  public init(path: String) { self.path = path }

  /// Returns an executable of this package, from the build folder of the tests.
  public static func built(_ name: String) -> Program {
    // The test bundle is in the folder of the executables. On Linux it is the running program itself.
    let bundle = Bundle.allBundles.map(\.bundlePath).first { $0.hasSuffix(".xctest") }
    let folder = bundle ?? CommandLine.arguments[0]
    return Program(
      path: URL(fileURLWithPath: folder).deletingLastPathComponent().appendingPathComponent(name).path)
  }

  /// Runs to the end. Both outputs go to files, so that a full pipe never blocks the program.
  /// - Parameters:
  ///   - arguments: Its arguments.
  ///   - input: A file for its standard input.
  ///   - environment: Variables in addition to those of the test.
  ///   - directory: Its working directory; that of the test if `nil`.
  /// - Returns: Its exit status, or 128 + the signal that ended it, and its output.
  public func run(
    _ arguments: [String], input: String? = nil, environment: [String: String] = [:],
    in directory: TemporaryFolder? = nil
  ) throws -> Outcome {
    let folder = try TemporaryFolder()
    try folder.write([], to: "output")
    try folder.write([], to: "errors")
    guard let input = FileHandle(forReadingAtPath: input ?? "/dev/null") else {
      throw CocoaError(.fileReadNoSuchFile)
    }
    let outputs = try ["output", "errors"].map {
      try FileHandle(forWritingTo: URL(fileURLWithPath: folder.file($0)))
    }
    return Outcome(
      status: try status(arguments, files: [input] + outputs, environment: environment, in: directory),
      output: String(decoding: try folder.bytes(of: "output"), as: UTF8.self),
      errors: String(decoding: try folder.bytes(of: "errors"), as: UTF8.self))
  }

  /// Runs to the end.
  /// - Returns: The exit status, or 128 + the signal that ended it.
  private func status(
    _ arguments: [String], files: [FileHandle], environment: [String: String], in directory: TemporaryFolder?
  ) throws -> Int32 {
    if self == .built("onepass"), environment.isEmpty, let starter = Starter.shared,
      let status = try starter.run(
        path, arguments, files: files, in: directory?.path ?? FileManager.default.currentDirectoryPath)
    {
      return status
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory.path) }
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    (process.standardInput, process.standardOutput, process.standardError) = (files[0], files[1], files[2])
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus + (process.terminationReason == .exit ? 0 : 128)
  }
}
