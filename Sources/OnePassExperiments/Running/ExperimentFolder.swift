import Foundation
import OnePass
import OnePassCore

/// The folder of an experiment: a folder for each cell, and the commands that made them.
///
/// ```
/// DIR/replay-k8-10pct-seed1/    what `onepass train --output` writes: result.json, curve.csv, checkpoint/
/// DIR/commands.sh               the command of every cell
/// DIR/.lock                     held while a grid runs
/// ```
package final class ExperimentFolder {
  package let path: String
  private var lock: Int32 = -1

  /// What is there of a cell.
  enum Presence {
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
      return contents.isEmpty
        ? .absent : .unusable("\(location) is in the way: it holds no result.json. Remove it.")
    }
    do {
      let result = try RunFiles.result(in: location)
      if let difference = cell.configuration.difference(fromRecord: result.configuration) {
        return .unusable(
          "\(location) was made with other options (\(difference)): remove it, or choose another --output.")
      }
      if result.accuracy == nil, cell.configuration.evaluationData != nil {
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

  /// Adds the cells to the list of commands that this folder is made with.
  /// - Throws: `OnePassError` (`io`).
  func record(_ cells: [GridCell]) throws {
    let file = "\(path)/commands.sh"
    let known = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
    var lines = known.split(separator: "\n").filter { $0.hasPrefix("onepass ") }.map(String.init)
    for cell in cells {
      let line = (["onepass", "train"] + cell.arguments + ["--output", cell.name]).map(quoted).joined(
        separator: " ")
      if !lines.contains(line) { lines.append(line) }
    }
    let text =
      "# What every folder here was made with, by onepass \(onePassVersion).\n"
      + lines.joined(separator: "\n") + "\n"
    do { try text.write(toFile: file, atomically: true, encoding: .utf8) } catch {
      throw OnePassError(
        .io, "\(file) cannot be written: free some space, or choose another --output.", cause: error)
    }
  }

  /// A word as a shell takes it literally.
  private func quoted(_ word: String) -> String {
    let plain = word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_=./:,%+@".contains($0)) }
    return plain && !word.isEmpty ? word : "'\(word.replacing("'", with: "'\\''"))'"
  }
}

extension RunConfiguration {
  /// The first option in which a record differs from what is asked for; `nil` if it is the same run.
  ///
  /// Options that were left to the program count as equal, and so do those on which no result depends.
  func difference(fromRecord record: RunConfiguration) -> String? {
    var record = record
    (record.device, record.threads, record.decodeThreads) = (device, threads, decodeThreads)
    if stem == nil { record.stem = nil }
    if imageSize == nil { record.imageSize = nil }
    if channels == nil { record.channels = nil }
    if classCount == nil { record.classCount = nil }
    if classNames == nil { record.classNames = nil }
    guard record != self else { return nil }
    let (asked, made) = (Mirror(reflecting: self).children, Mirror(reflecting: record).children)
    for (mine, theirs) in zip(asked, made) where "\(mine.value)" != "\(theirs.value)" {
      return "\(mine.label ?? "an option") \(Self.text(theirs.value)) and not \(Self.text(mine.value))"
    }
    return "an option"
  }

  private static func text(_ value: Any) -> String {
    let mirror = Mirror(reflecting: value)
    guard mirror.displayStyle == .optional else { return "\(value)" }
    return mirror.children.first.map { "\($0.value)" } ?? "none"
  }
}
