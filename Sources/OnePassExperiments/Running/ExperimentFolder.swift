import Foundation
import OnePass
import OnePassCore

/// The folder of an experiment: a folder for each cell, and the commands that trained them.
///
/// ```
/// DIR/replay-k8-10pct-seed1/    the output of `onepass train --output`: result.json, curve.csv, checkpoint/
/// DIR/commands.sh               the command that trained each cell
/// DIR/.lock                     held while a grid runs
/// ```
package final class ExperimentFolder {
  /// The path of the folder.
  package let path: String
  private var lock: Int32 = -1

  /// The record of a cell on disk.
  enum Presence {
    /// No files, or those of an interrupted run that can be resumed.
    case absent
    case present(RunResult)
    /// Files that cannot be used; the text is the reason.
    case unusable(String)
  }

  /// Creates the folder if necessary, and locks it against other grids.
  /// - Throws: `OnePassError`: `io` for a folder that cannot be written, `usage` if another grid uses the folder.
  package init(_ path: String) throws {
    self.path = path
    do { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) } catch {
      throw OnePassError.cannotCreateFolder(path, from: "--output", cause: error)
    }
    lock = open("\(path)/.lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o644)
    guard lock >= 0 else { throw OnePassError.cannotWriteFolder(path, error: errno) }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else { throw OnePassError.folderInUse(path) }
  }

  deinit { if lock >= 0 { close(lock) } }

  func location(of cell: GridCell) -> String { "\(path)/\(cell.name)" }

  /// Whether a record of the cell exists and has the options of the cell.
  func presence(of cell: GridCell) -> Presence {
    let location = location(of: cell)
    guard FileManager.default.fileExists(atPath: "\(location)/result.json") else {
      let contents = (try? FileManager.default.contentsOfDirectory(atPath: location)) ?? []
      let isUnfinished =
        contents.contains(UnfinishedRun.folderName)
        && contents.allSatisfy { $0 == UnfinishedRun.folderName || RunLogFiles.names.contains($0) }
      return contents.isEmpty || isUnfinished ? .absent : .unusable(CellFailure.noResult(in: location))
    }
    do {
      let result = try RunFiles.result(in: location)
      if let difference = cell.configuration.difference(fromRecord: result.configuration) {
        return .unusable(CellFailure.otherOptions(in: location, difference))
      }
      if result.accuracy == nil, cell.configuration.data.evaluationSource != nil {
        return .unusable(CellFailure.notEvaluated(in: location))
      }
      return .present(result)
    } catch {
      return .unusable(CellFailure.unreadable(location, error))
    }
  }

  /// Removes partial output of a cell that was killed while writing.
  func clean(_ cell: GridCell) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    for name in names where name.hasPrefix(".\(cell.name).partial-") {
      try? FileManager.default.removeItem(atPath: "\(path)/\(name)")
    }
  }

  /// Appends the command that trained a cell to `commands.sh`.
  /// - Throws: `OnePassError` (`io`).
  func record(_ command: String) throws {
    let file = "\(path)/commands.sh"
    let known = (try? String(contentsOfFile: file, encoding: .utf8)) ?? Self.commandsHeader
    do { try (known + command + "\n").write(toFile: file, atomically: true, encoding: .utf8) } catch {
      throw OnePassError.cannotWriteCommands(file, cause: error)
    }
  }

  private static let commandsHeader =
    "# The command of each folder, relative to the directory where the grid was started; onepass \(onePassVersion).\n"
}
