import OnePassCore

// The reasons for which the built-in sources leave entries out. Their texts are in `result.json`, so they do not change.
extension LeftOutReason {
  /// A file or folder whose name starts with a dot.
  public static let hidden: LeftOutReason = "hidden file"
  /// A folder of a file system or a tool, with all that is in it.
  public static let toolFolder: LeftOutReason = "folder of a file system or tool"
  /// A file that is not in a class folder.
  public static let besideClasses: LeftOutReason = "file beside the class folders"
  /// A symbolic link whose target does not exist.
  public static let brokenLink: LeftOutReason = "link without a target"
  /// A folder that is reached again through a link.
  public static let repeatedFolder: LeftOutReason = "folder reached again through a link"
  /// A pipe, a socket or a device.
  public static let specialFile: LeftOutReason = "neither a file nor a folder"
  /// A link in an archive whose target is not at hand.
  public static let archiveLink: LeftOutReason = "link in the archive"
  /// A sample whose image or label is such a link.
  public static let linkedSample: LeftOutReason = "sample of a link in the archive"
  /// An image of a sample that has another one.
  public static let secondImage: LeftOutReason = "second image of a sample"
  /// A label of a sample that has another one.
  public static let secondLabel: LeftOutReason = "second label of a sample"
  /// A label in another place than `--label-key` names.
  public static let unusedLabel: LeftOutReason = "label in another place than --label-key"
  /// An entry of a tar whose name has no extension, so that it belongs to no sample.
  public static let noExtension: LeftOutReason = "name without an extension"
  /// An entry of a tar under `__name__`, which is not part of a sample.
  public static let metadataFolder: LeftOutReason = "metadata of the shard"
  /// Entries with a common key, none of which is an image or a label.
  public static let emptySample: LeftOutReason = "sample without image and label"
  /// An entry of a tar of a type that no reader of OnePass knows, such as a volume label.
  public static let unknownEntry: LeftOutReason = "archive entry of another type"
  /// A member of the ILSVRC archive that is not the tar of a class.
  public static let noClassTar: LeftOutReason = "not the tar of a class"
  /// A row of a Parquet file without a label.
  public static let rowWithoutLabel: LeftOutReason = "row without a label"
  /// A row of a Parquet file with neither an image nor the path of one.
  public static let rowWithoutImage: LeftOutReason = "row without an image"
  /// A row of a Parquet file with the path of an image that is not a file.
  public static let missingImageFile: LeftOutReason = "row whose image file is missing"
  /// A row of a Parquet file with the path of an image, where the path or the Parquet file is an address.
  public static let remoteImageFile: LeftOutReason = "row whose image is at another address"

  /// A file with another extension than those of images.
  /// - Parameter name: Its name as bytes.
  public static func notAnImage(_ name: some BidirectionalCollection<UInt8>) -> LeftOutReason {
    let file = name.reversed().prefix { $0 != UInt8(ascii: "/") }.reversed()
    guard let dot = file.lastIndex(of: UInt8(ascii: ".")) else { return "not an image (no extension)" }
    let suffix = file[file.index(after: dot)...]
    // Numbers and long texts after a dot are parts of names, and would make as many reasons as there are files.
    let isExtension =
      (1...8).contains(suffix.count) && suffix.allSatisfy(isAlphanumeric)
      && !suffix.allSatisfy { (48...57).contains($0) }
    guard isExtension else { return "not an image (other extension)" }
    return LeftOutReason(rawValue: "not an image (.\(String(decoding: suffix, as: UTF8.self).lowercased()))")
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (97...122).contains(byte | 0x20)
  }
}

/// Names of folders that file systems and tools create. They are never classes.
enum ToolFolders {
  private static let names: Set<[UInt8]> = Set(
    [
      "@eaDir", "__MACOSX", "lost+found", "$RECYCLE.BIN", "System Volume Information", ".ipynb_checkpoints",
    ].map { Array($0.utf8) })

  static func contains(_ name: some Collection<UInt8>) -> Bool { names.contains(Array(name)) }
}

/// Names of folders that are parts of a data set rather than classes.
enum PartFolders {
  private static let evaluation = ["val", "valid", "validation", "test"]
  private static let names = Set(["train"] + evaluation)

  /// The training part and the part for evaluation, if all folders are parts; `nil` if they are classes.
  static func parts(among folders: [String]) -> (training: String?, evaluation: String?)? {
    let lowercased = folders.map { $0.lowercased() }
    guard !folders.isEmpty, lowercased.allSatisfy(names.contains) else { return nil }
    func folder(_ name: String) -> String? { lowercased.firstIndex(of: name).map { folders[$0] } }
    return (folder("train"), evaluation.lazy.compactMap(folder).first)
  }
}

extension Verdict {
  /// The verdict with another value of an entry that is taken.
  func map<Other>(_ transform: (Value) throws -> Other) rethrows -> Verdict<Other> {
    switch self {
    case .take(let value): .take(try transform(value))
    case .leaveOut(let reason): .leaveOut(reason)
    }
  }
}
