import Foundation
import OnePassCore
import OnePassData
import OnePassReplay

/// A folder of files that appears complete or not at all, with checksums of all files.
///
/// ```
/// step-00000120/manifest          the size and hash of each file, and the hash of these lines
/// step-00000120/state.json        …
/// ```
struct CheckpointFolder {

  let path: String
  static let manifest = "manifest"
  /// The suffix of incomplete folders.
  static let partialSuffix = ".partial"

  var name: String { URL(fileURLWithPath: path).lastPathComponent }
  func path(of file: String) -> String { "\(path)/\(file)" }

  /// Writes the files to a temporary folder, makes them durable, and renames the folder.
  /// - Throws: `OnePassError` (`io`); there is nothing at `path` then.
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
      throw OnePassError.unwritableFile(path, cause: error)
    }
    return CheckpointFolder(path: path)
  }

  /// The name of a revision, which sorts after this name.
  var nextRevision: String {
    let parts = name.split(separator: ".")
    let revision = String((parts.count > 1 ? Int(parts[1]) ?? 0 : 0) + 1)
    return "\(parts[0])." + String(repeating: "0", count: max(0, 4 - revision.count)) + revision
  }

  /// Replaces this folder by a copy with other content in one file.
  ///
  /// The new folder has a name that sorts after this one, and is complete before this one is removed.
  /// - Throws: `OnePassError` (`io`); this folder is unchanged then.
  @discardableResult
  func replace(_ file: String, with data: Data) throws -> CheckpointFolder {
    let next = nextRevision
    let files = FileManager.default
    let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
    // A complete folder of that name is from an attempt that was interrupted before it removed this one.
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
      throw OnePassError.checkpointNotRemoved(path, successor: next)
    }
    return CheckpointFolder(path: "\(parent)/\(next)")
  }

  /// Removes the folder. It is renamed first, so that it never appears incomplete.
  /// - Returns: Whether it was removed.
  @discardableResult
  func remove() -> Bool {
    let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
    let doomed = "\(parent)/.\(name).gone\(Self.partialSuffix)"
    guard rename(path, doomed) == 0 else { return false }
    try? DurableFile.synchronise(parent)
    // The only file with images.
    ErasedFile.remove("\(doomed)/\(ShuffleBufferFile.fileName)")
    return (try? FileManager.default.removeItem(atPath: doomed)) != nil
  }

  /// Compares every file with the manifest.
  /// - Throws: `OnePassError` (`badData`) that names the first file that is damaged or missing.
  func verify() throws {
    func damaged(_ file: String) -> OnePassError { .damagedFile(path(of: file)) }
    func reading<Result>(_ file: String, _ body: (String) throws -> Result) throws -> Result {
      do { return try body(path(of: file)) } catch {
        throw OnePassError.checkpointFileMissing(path(of: file), cause: error)
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

  /// The hash of a file, which is read in parts, and its size in bytes.
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
