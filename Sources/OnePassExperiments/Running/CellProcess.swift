import Foundation
import OnePass
import OnePassCore

/// A running `onepass train` of a grid, with a thread that reads its standard error.
///
/// A cell is a separate process, so it is identical to the printed command, equally fast, and returns all its memory.
/// If the grid is killed, the cell ends at its next line of progress, because no process reads it.
///
/// `@unchecked Sendable` because `process` is started before the reading thread. After that it is only queried and
/// signalled, which Foundation allows from any thread.
final class CellProcess: @unchecked Sendable {
  enum Signal: Sendable {
    case progress(ProgressLine)
    /// The process has ended. `lastWords` is its error message, or the last line that was not progress.
    case ended(status: Int32, byItself: Bool, lastWords: String)
  }

  private let process = Process()

  /// - Parameters:
  ///   - program: The `onepass` to run.
  ///   - variables: Added to the environment.
  ///   - send: Called from the reading thread.
  /// - Throws: `OnePassError` (`io`) for a program that cannot be started.
  init(
    program: URL, arguments: [String], variables: [String: String], send: @escaping @Sendable (Signal) -> Void
  ) throws {
    let pipe = Pipe()
    process.executableURL = program
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(variables) { own, _ in own }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = pipe
    do { try process.run() } catch {
      throw OnePassError.cannotStartCell(program.path, cause: error)
    }
    let thread = Thread { [self] in
      let lastWords = Self.read(pipe.fileHandleForReading, send)
      process.waitUntilExit()
      send(
        .ended(
          status: process.terminationStatus, byItself: process.terminationReason == .exit,
          lastWords: lastWords))
    }
    thread.name = "onepass-cell"
    thread.start()
  }

  func terminate() { process.terminate() }

  /// Requests that the run cool down and finish. The run handles this signal once it has reported progress.
  func coolDown() {
    if process.isRunning { kill(process.processIdentifier, SIGUSR1) }
  }

  /// Reads lines until the end, and returns the message of a failure, or the last line that is not progress.
  private static func read(_ handle: FileHandle, _ send: (Signal) -> Void) -> String {
    var rest = Data()
    var lastWords = ""
    while case let data = handle.availableData, !data.isEmpty {
      rest += data
      while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
        let line = rest[rest.startIndex..<end]
        rest = Data(rest[rest.index(after: end)...])
        if let progress = try? JSONDecoder().decode(ProgressLine.self, from: line) {
          send(.progress(progress))
          if progress.event == .failed, let message = progress.message { lastWords = message }
        } else if !line.isEmpty {
          lastWords = String(decoding: line, as: UTF8.self)
        }
      }
    }
    return rest.isEmpty ? lastWords : String(decoding: rest, as: UTF8.self)
  }
}
