import Foundation
import OnePass
import OnePassCore

/// One `onepass train` that a grid has started, and the thread that reads what it says.
///
/// A process of its own, so that a cell is exactly the command that a person would give: as fast, and with all of
/// its memory given back. If the grid itself is killed, the cell ends at its next line of progress, which nobody
/// reads any more.
///
/// `@unchecked Sendable` because `process` is started before the reading thread and then only asked and signalled,
/// which Foundation allows from any thread.
final class CellProcess: @unchecked Sendable {
  enum Signal: Sendable {
    case progress(ProgressLine)
    /// It has ended; what it said last, if that was no progress.
    case ended(status: Int32, byItself: Bool, lastWords: String)
  }

  private let process = Process()

  /// - Parameters:
  ///   - program: The `onepass` to run.
  ///   - variables: Added to the environment.
  ///   - send: Called from the reading thread.
  /// - Throws: `OnePassError` (`io`) if the program cannot be started.
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
      throw OnePassError(
        .io, "\(program.path) cannot be started: \(error.localizedDescription).", cause: error)
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

  /// Asks it to cool down and finish; only one that has said something listens.
  func coolDown() {
    if process.isRunning { kill(process.processIdentifier, SIGUSR1) }
  }

  /// Reads lines to the end. Returns the last that is no progress.
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
        } else if !line.isEmpty {
          lastWords = String(decoding: line, as: UTF8.self)
        }
      }
    }
    return rest.isEmpty ? lastWords : String(decoding: rest, as: UTF8.self)
  }
}
