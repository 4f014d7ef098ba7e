import Foundation
import OnePassCore

/// The output folder of a run or an evaluation, which appears complete or not at all.
///
/// Files are written to a temporary folder beside it, which is renamed when the run is complete. Nothing is on disk before
/// the first file is written.
package final class RunFolder {
  package let path: String
  private let staging: URL
  private var isCommitted = false

  /// - Parameter resuming: Whether the folder may contain an unfinished run.
  /// - Throws: `OnePassError`: `usage` if the folder is not empty, `io` if it cannot be written.
  package init(creating path: String, resuming: Bool = false) throws {
    self.path = path
    guard !path.isEmpty else {
      throw OnePassError.valueOutOfRange("--output", mustBe: "a folder", got: path)
    }
    let target = URL(fileURLWithPath: path, isDirectory: true).standardizedFileURL
    let files = FileManager.default
    var isFolder: ObjCBool = false
    if files.fileExists(atPath: target.path, isDirectory: &isFolder) {
      let contents = (try? files.contentsOfDirectory(atPath: target.path)) ?? []
      guard isFolder.boolValue else { throw OnePassError.outputIsFile(path) }
      let isUnfinished = contents.contains(UnfinishedRun.folderName)
      // Files of a run that was interrupted before its first checkpoint do not count.
      let hasCheckpoint = try UnfinishedRun.hasCheckpoint(in: path)
      let left = isUnfinished ? RunLogFiles.names + [UnfinishedRun.folderName] : []
      let isEmpty = contents.allSatisfy(left.contains) && !hasCheckpoint
      guard isEmpty || (resuming && isUnfinished && !contents.contains("result.json")) else {
        let hasResult = contents.contains("result.json")
        if isUnfinished, !hasResult { throw OnePassError.outputHasUnfinishedRun(path) }
        throw hasResult ? OnePassError.outputHasRun(path) : OnePassError.outputNotEmpty(path)
      }
    }
    staging = target.deletingLastPathComponent()
      .appendingPathComponent(".\(target.lastPathComponent).partial-\(UUID().uuidString)", isDirectory: true)
    try Self.requireWritableParent(of: path, option: "--output")
  }

  /// Checks that the nearest existing parent is a writable folder, before hours of training are lost.
  /// - Parameter option: The option with the path.
  /// - Throws: `OnePassError` (`io`) if it is not.
  static func requireWritableParent(of path: String, option: String) throws {
    let files = FileManager.default
    var isFolder: ObjCBool = false
    var ancestor = URL(fileURLWithPath: path, isDirectory: true).standardizedFileURL
      .deletingLastPathComponent()
    while !files.fileExists(atPath: ancestor.path), ancestor.path != "/" {
      ancestor.deleteLastPathComponent()
    }
    guard files.fileExists(atPath: ancestor.path, isDirectory: &isFolder), isFolder.boolValue,
      files.isWritableFile(atPath: ancestor.path)
    else { throw OnePassError.parentNotWritable(option, path, ancestor: ancestor.path) }
  }

  /// Removes temporary folders of earlier runs for the same output that were interrupted while they wrote.
  /// - Parameter evenComplete: Whether to remove complete ones too, which could not be renamed. They are of this same run.
  static func removeLeftovers(of path: String, evenComplete: Bool) {
    let files = FileManager.default
    let parent = URL(fileURLWithPath: path, isDirectory: true).standardizedFileURL.deletingLastPathComponent()
    let prefix = ".\(URL(fileURLWithPath: path).standardizedFileURL.lastPathComponent).partial-"
    for name in (try? files.contentsOfDirectory(atPath: parent.path)) ?? [] where name.hasPrefix(prefix) {
      let folder = parent.appendingPathComponent(name)
      guard evenComplete || !files.fileExists(atPath: folder.appendingPathComponent("result.json").path)
      else { continue }
      try? files.removeItem(at: folder)
    }
  }

  deinit {
    if !isCommitted { try? FileManager.default.removeItem(at: staging) }
  }

  /// The path at which a file or folder of the run is written.
  package func location(of name: String) throws -> String {
    let url = staging.appendingPathComponent(name)
    try reporting {
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    }
    return url.path
  }

  package func write(_ text: String, to name: String) throws {
    let location = try location(of: name)
    try reporting { try text.write(toFile: location, atomically: false, encoding: .utf8) }
  }

  package func write(json value: some Encodable, to name: String) throws {
    let text = try reporting { try JSON.text(value) }
    try write(text + "\n", to: name)
  }

  func copy(_ path: String, to name: String) throws {
    let location = try location(of: name)
    try reporting { try FileManager.default.copyItem(atPath: path, toPath: location) }
  }

  /// Renames the temporary folder to the output folder.
  ///
  /// If the output folder contains an unfinished run, the files are moved into it instead, `result.json` last.
  package func commit() throws {
    try reporting {
      let target = URL(fileURLWithPath: path, isDirectory: true).standardizedFileURL
      let files = FileManager.default
      for name in try files.subpathsOfDirectory(atPath: staging.path) + [""] {
        try DurableFile.synchronise(staging.appendingPathComponent(name).path)
      }
      // rename(2) replaces an existing empty folder.
      if rename(staging.path, target.path) != 0 {
        let reason = String(cString: strerror(errno))
        guard files.fileExists(atPath: target.appendingPathComponent(UnfinishedRun.folderName).path) else {
          isCommitted = true  // So that `deinit` does not remove the trained model.
          throw OnePassError.outputNotRenamed(path, reason: reason, staging: staging.path)
        }
        let names = try files.contentsOfDirectory(atPath: staging.path)
        for name in names.filter({ $0 != "result.json" }) + names.filter({ $0 == "result.json" }) {
          let place = target.appendingPathComponent(name)
          try? files.removeItem(at: place)  // From an interrupted commit.
          try files.moveItem(at: staging.appendingPathComponent(name), to: place)
        }
        try files.removeItem(at: staging)
        try DurableFile.synchronise(target.path)
      }
      try DurableFile.synchronise(target.deletingLastPathComponent().path)
    }
    isCommitted = true
  }

  /// Converts errors of the file system.
  /// - Throws: `OnePassError` (`io`) that names the output and the reason.
  package func reporting<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as OnePassError { throw error } catch {
      throw OnePassError.outputNotWritten(path, reason: Self.reason(error), cause: error)
    }
  }

  /// The reason of the operating system; `nil` if it is unknown.
  private static func reason(_ error: any Error) -> String? {
    SystemProblem.number(of: error).map { String(cString: strerror($0)) }
  }
}
