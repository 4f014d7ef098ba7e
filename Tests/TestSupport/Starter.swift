import CStarter
import Foundation

/// A process that has loaded libtorch and starts children with the arguments of `onepass`.
///
/// Loading takes 0.4 s of processor time, more than the rest of a small run, and the tests start more than a thousand runs. A
/// child runs the same code with the same environment; tests of loading, of environment variables and of signals start the
/// program itself.
final class Starter: @unchecked Sendable {
  /// The starter of this process; `nil` if it cannot be started.
  static let shared = try? Starter()

  /// Commands that load libtorch.
  private static let commands: Set = ["train", "evaluate", "predict"]

  private struct Unavailable: Error {}

  private let socket: Int32
  /// Ends when the socket is closed, with this process.
  private let process = Process()

  private init() throws {
    var sockets: [Int32] = [-1, -1]
    guard starter_pair(&sockets) == 0 else { throw Unavailable() }
    socket = sockets[0]
    process.executableURL = URL(fileURLWithPath: Program.built("PreloadedProgram").path)
    process.arguments = ["--serve"]
    let input = FileHandle(fileDescriptor: sockets[1], closeOnDealloc: true)
    process.standardInput = input
    try process.run()
    // Otherwise a request to a starter that has ended would wait for ever.
    try input.close()
  }

  /// Runs a process to its end.
  /// - Parameter files: Its standard input, output and error.
  /// - Returns: Its exit status, or 128 + the signal that ended it; `nil` if it cannot be started this way.
  func run(_ program: String, _ arguments: [String], files: [FileHandle], in directory: String) throws
    -> Int32?
  {
    guard let command = arguments.first, Self.commands.contains(command) else { return nil }
    let words = Array(([directory, program] + arguments).map { Array($0.utf8CString) }.joined())
    let end = Pipe()
    let numbers = (files + [end.fileHandleForWriting]).map(\.fileDescriptor)
    guard starter_request(socket, words, Int32(words.count), numbers) == 0 else { return nil }
    try end.fileHandleForWriting.close()
    let status = try end.fileHandleForReading.read(upToCount: 4) ?? Data()
    guard status.count == 4 else { throw Unavailable() }
    let value = status.withUnsafeBytes { $0.loadUnaligned(as: Int32.self) }
    return value & 0x7F == 0 ? value >> 8 & 0xFF : 128 + value & 0x7F
  }
}
