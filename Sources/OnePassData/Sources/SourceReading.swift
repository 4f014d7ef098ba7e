import Foundation
import OnePassCore

/// How the text of a source is read: a specification, or a path whose kind follows from what it is.
package struct SourceReading: Sendable {
  /// The specification, with its kind.
  package let specification: String
  /// The notice of a reading that the text does not state; `nil` for a text that names its kind.
  package let notice: String?
}

extension SourceRegistry {
  /// The endings of paths that are of one kind, without case.
  private static let endings: [(kind: String, suffixes: [String])] = [
    (
      "wds",
      [".tar", ".tgz"] + ["gz", "zst", "xz", "bz2", "lz4", "lz"].map { ".tar.\($0)" }
    ),
    ("hf", [".parquet"]), ("zip", [".zip"]),
  ]

  /// The name of the tar of tars that ILSVRC-2012 is distributed as. It is not made of samples.
  private static let ilsvrc = "ILSVRC2012_img_train.tar"

  /// The prefix of a specification that is in an environment variable, as `env:STREAM`. Other users of the machine cannot read
  /// it, unlike a command line.
  package static let environmentPrefix = "env:"

  /// Finds the kind of a source that is named by its path alone, or the specification in an environment variable.
  ///
  /// A folder is read as `folder:`, a tar file or a pattern of them as `wds:`, a Parquet file as `hf:` and a zip archive as
  /// `zip:`. Addresses are read by their ending too.
  ///
  /// ```swift
  /// let stream = try SourceRegistry.open("photos/train", seed: 1)   // as folder:photos/train
  /// ```
  /// - Throws: `OnePassError` (`usage`) if the text neither names a kind nor a folder or file of a known kind.
  package static func reading(of text: String) throws -> SourceReading {
    let text = try resolved(text)
    let kind = text.prefix { $0 != ":" }
    if kinds.contains(where: { $0.name == kind }) { return SourceReading(specification: text, notice: nil) }
    guard let found = self.kind(ofPath: text) else {
      throw OnePassError.unknownSource(
        withoutSecrets(text), exists: FileManager.default.fileExists(atPath: text),
        forms: kinds.filter(\.isListed).map { "\($0.forms) (\($0.summary))" })
    }
    let specification = "\(found):\(text)"
    return SourceReading(
      specification: specification,
      notice: "\(withoutSecrets(text)) is read as \(withoutSecrets(specification)).")
  }

  /// The text itself, or that of the environment variable that it names.
  /// - Throws: `OnePassError` (`usage`) if there is no such variable.
  package static func resolved(_ text: String) throws -> String {
    guard text.hasPrefix(environmentPrefix) else { return text }
    let name = String(text.dropFirst(environmentPrefix.count))
    guard let value = ProcessInfo.processInfo.environment[name], !value.hasPrefix(environmentPrefix) else {
      throw OnePassError.noSourceInEnvironment(name)
    }
    return value
  }

  private static func kind(ofPath path: String) -> String? {
    let isAddress = HTTPAddress.isMeant(by: path)
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    if exists, isFolder.boolValue { return "folder" }
    let name = isAddress ? String(path.prefix { $0 != "?" }) : path
    guard
      let kind = endings.first(where: { _, suffixes in
        suffixes.contains { name.lowercased().hasSuffix($0) }
      })?.kind
    else { return nil }
    if kind == "zip" { return exists ? kind : nil }
    // The shards of a pattern are checked when they are opened.
    guard exists || isAddress || path.contains("{") else { return nil }
    return kind == "wds" && (name as NSString).lastPathComponent == ilsvrc ? "ilsvrc" : kind
  }
}
