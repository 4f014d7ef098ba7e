import Foundation
import OnePass
import OnePassCore
import OnePassData

/// The output folder of a run without `--output`: `runs/2026-11-30-fashion-mnist-replay`.
///
/// The folder is made at once, so that no other run chooses the same name.
struct DefaultOutput {
  /// The value of `--output` for a run that writes nothing.
  static let nothing = "none"
  /// The folder of all such folders, in the working directory.
  static let folder = "runs"
  let path: String
  private let parent: String

  /// Makes a new folder.
  /// - Parameters:
  ///   - parent: The folder of all runs.
  ///   - date: The date in the name.
  /// - Throws: `OnePassError` (`io`) if it cannot be made.
  init(for run: RunConfiguration, in parent: String = DefaultOutput.folder, on date: Date = Date()) throws {
    self.parent = parent
    let day = Calendar(identifier: .gregorian).dateComponents([.year, .month, .day], from: date)
    let words = String(format: "%04d-%02d-%02d", day.year ?? 0, day.month ?? 0, day.day ?? 0)
    let name = "\(parent)/\(words)-\(run.folderName)"
    let files = FileManager.default
    var path = name
    do {
      try files.createDirectory(atPath: parent, withIntermediateDirectories: true)
      for number in 2... {
        if mkdir(path, 0o777) == 0 { break }
        guard errno == EEXIST else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        path = "\(name)-\(number)"
      }
    } catch {
      throw OnePassError.noDefaultOutput(path, cause: error)
    }
    self.path = path
  }

  /// Removes the folder of a run that has written nothing, and the folder of all runs if it is empty.
  func removeIfEmpty() {
    // rmdir(2) removes only empty folders.
    for folder in [path, parent] { rmdir(folder) }
  }
}

extension RunConfiguration {
  /// The data and the method as a part of a folder's name: `fashion-mnist-replay`, `photos-naive`.
  fileprivate var folderName: String {
    "\(Self.word(for: SourceRegistry.withoutSecrets(data.source)))-\(method.rawValue)"
  }

  /// Parts of paths that say nothing about the data.
  private static let generic: Set = ["train", "training", "test", "images", "data", "shards", "files"]

  /// A word for a source: the last part of its path that says something, or its kind.
  private static func word(for specification: String) -> String {
    let parts = specification.split(separator: ":", maxSplits: 1).map(String.init)
    let kind = parts.first ?? "run"
    guard parts.count == 2 else { return slug(kind) }
    let path = parts[1].prefix { $0 != "?" && $0 != "{" }
    let words = path.split(whereSeparator: { "/:".contains($0) }).map { part in
      slug(String(part.prefix { $0 != "." }))
    }
    return words.last { !generic.contains($0) && $0.contains(where: \.isLetter) } ?? slug(kind)
  }

  private static func slug(_ text: String) -> String {
    let words = text.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
    return String(words.joined(separator: "-").prefix(40))
  }
}
