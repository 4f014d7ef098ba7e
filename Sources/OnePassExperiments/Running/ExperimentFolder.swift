import Foundation
import OnePass
import OnePassCore

/// The folder of an experiment: a folder for each cell, and the commands that made them.
///
/// ```
/// DIR/replay-k8-10pct-seed1/    what `onepass train --output` writes: result.json, curve.csv, checkpoint/
/// DIR/commands.sh               the command that made each cell
/// DIR/.lock                     held while a grid runs
/// ```
package final class ExperimentFolder {
  package let path: String
  private var lock: Int32 = -1

  /// What is there of a cell.
  enum Presence {
    /// Nothing, or a run that was broken off and can go on.
    case absent
    case present(RunResult)
    /// Something is in the way; the sentence says what.
    case unusable(String)
  }

  /// Makes the folder where there is none, and keeps other grids out of it.
  /// - Throws: `OnePassError`: `io` if it cannot be written, `usage` if another grid is running in it.
  package init(_ path: String) throws {
    self.path = path
    do { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) } catch {
      throw OnePassError(.io, "The folder \(path) cannot be made: choose another --output.", cause: error)
    }
    lock = open("\(path)/.lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o644)
    guard lock >= 0 else {
      throw OnePassError(
        .io,
        "The folder \(path) cannot be written (\(String(cString: strerror(errno)))): choose another --output."
      )
    }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      throw OnePassError(
        .usage,
        "Another `onepass experiment run` is writing to \(path): wait for it, or choose another --output.")
    }
  }

  deinit { if lock >= 0 { close(lock) } }

  func location(of cell: GridCell) -> String { "\(path)/\(cell.name)" }

  /// Whether the cell's record is there, and whether it is this cell's.
  func presence(of cell: GridCell) -> Presence {
    let location = location(of: cell)
    guard FileManager.default.fileExists(atPath: "\(location)/result.json") else {
      let contents = (try? FileManager.default.contentsOfDirectory(atPath: location)) ?? []
      let isUnfinished =
        contents.contains(UnfinishedRun.folderName)
        && contents.allSatisfy { $0 == UnfinishedRun.folderName || RunLogFiles.names.contains($0) }
      return contents.isEmpty || isUnfinished
        ? .absent : .unusable("\(location) is in the way: it holds no result.json. Remove it.")
    }
    do {
      let result = try RunFiles.result(in: location)
      if let difference = cell.configuration.difference(fromRecord: result.configuration) {
        return .unusable(
          "\(location) was made with other options (\(difference)): remove it, or choose another --output.")
      }
      if result.accuracy == nil, cell.configuration.data.evaluationSource != nil {
        return .unusable("\(location) was trained and could not be evaluated: remove it to make it again.")
      }
      return .present(result)
    } catch {
      return .unusable("\(error) Remove \(location) to make it again.")
    }
  }

  /// Removes what a cell that was killed while it wrote has left behind.
  func clean(_ cell: GridCell) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    for name in names where name.hasPrefix(".\(cell.name).partial-") {
      try? FileManager.default.removeItem(atPath: "\(path)/\(name)")
    }
  }

  /// Adds the command that made a cell.
  /// - Throws: `OnePassError` (`io`).
  func record(_ command: String) throws {
    let file = "\(path)/commands.sh"
    let known = (try? String(contentsOfFile: file, encoding: .utf8)) ?? Self.commandsHeader
    do { try (known + command + "\n").write(toFile: file, atomically: true, encoding: .utf8) } catch {
      throw OnePassError(
        .io, "\(file) cannot be written: free some space, or choose another --output.", cause: error)
    }
  }

  private static let commandsHeader =
    "# What made each folder here, as given where the grid was started; onepass \(onePassVersion).\n"
}
