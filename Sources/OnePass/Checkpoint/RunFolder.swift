import Foundation
import OnePassCore

/// The folder of a run, which appears whole or not at all.
///
/// Files are written in a folder beside it, which takes its name when the run is complete. Nothing is on disk before
/// the first file is written.
final class RunFolder {
  let path: String
  private let staging: URL
  private var isCommitted = false

  /// - Parameter resuming: Whether the folder may hold a run that is not finished.
  /// - Throws: `OnePassError`: `usage` if the folder already holds something, `io` if it cannot be written.
  init(creating path: String, resuming: Bool = false) throws {
    self.path = path
    guard !path.isEmpty else { throw OnePassError(.usage, "The output has no name: give a folder.") }
    let target = URL(fileURLWithPath: path, isDirectory: true).standardizedFileURL
    let files = FileManager.default
    var isFolder: ObjCBool = false
    if files.fileExists(atPath: target.path, isDirectory: &isFolder) {
      let contents = (try? files.contentsOfDirectory(atPath: target.path)) ?? []
      guard isFolder.boolValue else {
        throw OnePassError(.usage, "The output \(path) is a file: give the name of a folder.")
      }
      let isUnfinished = contents.contains(UnfinishedRun.folderName)
      // What a run leaves that was cut off before its first checkpoint is nothing.
      let hasCheckpoint = try UnfinishedRun.hasCheckpoint(in: path)
      let left = isUnfinished ? RunLogFiles.names + [UnfinishedRun.folderName] : []
      let isEmpty = contents.allSatisfy(left.contains) && !hasCheckpoint
      guard isEmpty || (resuming && isUnfinished && !contents.contains("result.json")) else {
        if isUnfinished, !contents.contains("result.json") {
          throw OnePassError(
            .usage,
            "The output \(path) holds a run that is not finished: go on with --resume, or choose another folder."
          )
        }
        let what =
          contents.contains("result.json") ? "already holds a run" : "already exists and is not empty"
        throw OnePassError(.usage, "The output \(path) \(what): choose another folder, or remove it.")
      }
    }
    staging = target.deletingLastPathComponent()
      .appendingPathComponent(".\(target.lastPathComponent).partial-\(UUID().uuidString)", isDirectory: true)
    try Self.requireRoom(for: target, called: "The output \(path)")
  }

  /// The nearest folder that exists has to take the others; found out now, and not after hours of training.
  /// - Throws: `OnePassError` (`io`) if it does not.
  static func requireRoom(for target: URL, called name: String) throws {
    let files = FileManager.default
    var isFolder: ObjCBool = false
    var ancestor = target.deletingLastPathComponent()
    while !files.fileExists(atPath: ancestor.path), ancestor.path != "/" {
      ancestor.deleteLastPathComponent()
    }
    guard files.fileExists(atPath: ancestor.path, isDirectory: &isFolder), isFolder.boolValue,
      files.isWritableFile(atPath: ancestor.path)
    else {
      throw OnePassError(
        .io, "\(name) cannot be written, because \(ancestor.path) takes no folder: choose another.")
    }
  }

  /// Removes what earlier runs for the same folder left that were broken off while they wrote.
  /// - Parameter evenComplete: Whether also one that is complete and could only not be named: it is this very run.
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

  /// Where a file or folder of the run is written.
  func location(of name: String) throws -> String {
    let url = staging.appendingPathComponent(name)
    try reporting {
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    }
    return url.path
  }

  func write(_ text: String, to name: String) throws {
    let location = try location(of: name)
    try reporting { try text.write(toFile: location, atomically: false, encoding: .utf8) }
  }

  func write(json value: some Encodable, to name: String) throws {
    let text = try reporting { try JSON.text(value) }
    try write(text + "\n", to: name)
  }

  func copy(_ path: String, to name: String) throws {
    let location = try location(of: name)
    try reporting { try FileManager.default.copyItem(atPath: path, toPath: location) }
  }

  /// Gives the folder its name: in one step, or beside what an unfinished run left there, `result.json` last.
  func commit() throws {
    try reporting {
      let target = URL(fileURLWithPath: path, isDirectory: true).standardizedFileURL
      let files = FileManager.default
      for name in try files.subpathsOfDirectory(atPath: staging.path) + [""] {
        try DurableFile.synchronise(staging.appendingPathComponent(name).path)
      }
      // An empty folder of that name may stand there; rename(2) replaces it.
      if rename(staging.path, target.path) != 0 {
        let reason = String(cString: strerror(errno))
        guard files.fileExists(atPath: target.appendingPathComponent(UnfinishedRun.folderName).path) else {
          isCommitted = true  // What was trained is not thrown away.
          throw OnePassError(
            .io, "The run could not be named \(path) (\(reason)): it is complete in \(staging.path).")
        }
        let names = try files.contentsOfDirectory(atPath: staging.path)
        for name in names.filter({ $0 != "result.json" }) + names.filter({ $0 == "result.json" }) {
          let place = target.appendingPathComponent(name)
          try? files.removeItem(at: place)  // Left by an end that was broken off.
          try files.moveItem(at: staging.appendingPathComponent(name), to: place)
        }
        try files.removeItem(at: staging)
        try DurableFile.synchronise(target.path)
      }
      try DurableFile.synchronise(target.deletingLastPathComponent().path)
    }
    isCommitted = true
  }

  /// Says what could not be written, and why.
  func reporting<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as OnePassError { throw error } catch {
      throw OnePassError(.io, "The output \(path) could not be written: \(Self.reason(error)).", cause: error)
    }
  }

  private static func reason(_ error: any Error) -> String {
    let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
    let code = underlying?.code ?? (error as? POSIXError).map { Int($0.code.rawValue) }
    return code.map { String(cString: strerror(Int32($0))) } ?? "the disk or the folder does not take it"
  }
}
