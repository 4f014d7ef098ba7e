import Foundation
import OnePassCore
import OnePassReplay

/// A folder of files that appears whole or not at all and tells any byte that changed.
///
/// ```
/// step-00000120/manifest          each file with its size and hash, and the hash of the manifest itself
/// step-00000120/state.json        …
/// ```
struct CheckpointFolder {
  let path: String
  private static let manifest = "manifest"
  /// Folders whose names end so are not whole.
  static let partialSuffix = ".partial"

  var name: String { URL(fileURLWithPath: path).lastPathComponent }
  func path(of file: String) -> String { "\(path)/\(file)" }

  /// Has the files written beside their place, makes them safe from a power cut, and gives the folder its name.
  /// - Throws: `OnePassError` (`io`); nothing is then at `path`.
  static func write(to path: String, _ body: (_ partial: String) throws -> Void) throws -> CheckpointFolder {
    let url = URL(fileURLWithPath: path)
    let partial = url.deletingLastPathComponent().path + "/.\(url.lastPathComponent)\(partialSuffix)"
    let files = FileManager.default
    try? files.removeItem(atPath: partial)
    do {
      try files.createDirectory(atPath: partial, withIntermediateDirectories: true)
      try body(partial)
      let names = try files.contentsOfDirectory(atPath: partial).sorted()
      var lines = try names.map { name in
        let (hash, count) = try hash(ofFile: "\(partial)/\(name)")
        return "\(hash) \(count) \(name)"
      }
      lines.append(hash(of: Data(lines.joined(separator: "\n").utf8)))
      try Data((lines.joined(separator: "\n") + "\n").utf8).write(
        to: URL(fileURLWithPath: "\(partial)/\(manifest)"))
      for name in names + [manifest] { try DurableFile.synchronise("\(partial)/\(name)") }
      try DurableFile.synchronise(partial)
      guard rename(partial, path) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
      try DurableFile.synchronise(url.deletingLastPathComponent().path)
    } catch {
      try? files.removeItem(atPath: partial)
      if let error = error as? OnePassError { throw error }
      throw OnePassError(
        .io, "The checkpoint \(path) could not be written: see that the disk has room.", cause: error)
    }
    return CheckpointFolder(path: path)
  }

  /// Puts a folder with another content of one file in the place of this one.
  ///
  /// The new one has a name that comes after this one's, and takes its place before this one goes: at each instant there
  /// is a whole folder.
  /// - Throws: `OnePassError` (`io`); this folder is then as it was.
  func replace(_ file: String, with data: Data) throws {
    let parts = name.split(separator: ".")
    let revision = String((parts.count > 1 ? Int(parts[1]) ?? 0 : 0) + 1)
    let next = "\(parts[0])." + String(repeating: "0", count: max(0, 4 - revision.count)) + revision
    let files = FileManager.default
    let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
    // A whole one of that name was made by an attempt that was broken off before it removed this one.
    let isThere = (try? CheckpointFolder(path: "\(parent)/\(next)").verify()) != nil
    _ =
      isThere
      ? nil
      : try Self.write(to: "\(parent)/\(next)") { partial in
        for other in try files.contentsOfDirectory(atPath: path) where other != file && other != Self.manifest
        {
          try files.copyItem(atPath: self.path(of: other), toPath: "\(partial)/\(other)")
        }
        try data.write(to: URL(fileURLWithPath: "\(partial)/\(file)"))
      }
    guard remove() else {
      throw OnePassError(.io, "\(path) could not be removed: remove it by hand, \(next) takes its place.")
    }
  }

  /// Removes the folder: first its name, in one step, so that none is ever there in part.
  /// - Returns: Whether it is gone.
  @discardableResult
  func remove() -> Bool {
    let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
    let doomed = "\(parent)/.\(name).gone\(Self.partialSuffix)"
    guard rename(path, doomed) == 0 else { return false }
    try? DurableFile.synchronise(parent)
    return (try? FileManager.default.removeItem(atPath: doomed)) != nil
  }

  /// Reads every file and holds it against the manifest.
  /// - Throws: `OnePassError`: `badData` naming the first file that is not what was written, `io` if one cannot be read.
  func verify() throws {
    func damaged(_ file: String) -> OnePassError {
      OnePassError(.badData, "The checkpoint \(path) is damaged: \(file) is not what was written.")
    }
    func reading<Result>(_ file: String, _ body: (String) throws -> Result) throws -> Result {
      do { return try body(path(of: file)) } catch {
        throw OnePassError(
          .badData, "The checkpoint \(path) is damaged: \(file) is missing or cannot be read.", cause: error)
      }
    }
    let text = try reading(Self.manifest) {
      String(decoding: try Data(contentsOf: URL(fileURLWithPath: $0)), as: UTF8.self)
    }
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard lines.count >= 2, lines.removeLast().isEmpty, let own = lines.popLast(),
      own == Self.hash(of: Data(lines.joined(separator: "\n").utf8))
    else { throw damaged(Self.manifest) }
    for line in lines {
      let parts = line.split(separator: " ", maxSplits: 2).map(String.init)
      guard parts.count == 3 else { throw damaged(Self.manifest) }
      let (hash, count) = try reading(parts[2], Self.hash(ofFile:))
      guard "\(count)" == parts[1], hash == parts[0] else { throw damaged(parts[2]) }
    }
  }

  /// The hash of a file, however large, and its size in bytes.
  private static func hash(ofFile path: String) throws -> (hash: String, count: Int) {
    let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
    defer { try? file.close() }
    let hash = RunningHash()
    var count = 0
    while let part = try file.read(upToCount: 1 << 20), !part.isEmpty {
      part.withUnsafeBytes { hash.update($0) }
      count += part.count
    }
    return ("\(hash.value)", count)
  }

  private static func hash(of data: Data) -> String {
    data.withUnsafeBytes { ContentHash(of: $0).description }
  }
}
