import OnePassCore

/// The image files in a folder and in all folders below it, found without opening one.
///
/// Image files are recognised by their extension. Links are followed, and a folder that is reached twice counts once.
struct FolderWalk {
  /// A folder that has images.
  struct Folder {
    let path: [UInt8]
    /// The names of the images, in the order of their bytes.
    fileprivate(set) var images = PackedNames()
    fileprivate var folders: [[UInt8]] = []
  }

  /// The folders with images, sorted by path as `sorted(os.walk(...))` sorts them.
  let folders: [Folder]

  /// The number of images.
  var count: Int { folders.reduce(0) { $0 + $1.images.count } }

  /// - Parameters:
  ///   - top: The folder.
  ///   - report: Counts the files and folders that are left out.
  /// - Throws: `OnePassError` (`io`) if a folder cannot be read.
  init(_ top: [UInt8], into report: inout SourceReport) throws {
    var visited: Set<FileIdentity> = []
    var found: [Folder] = []
    var waiting = [top]
    while let path = waiting.popLast() {
      guard visited.insert(try FileIdentity(path)).inserted else {
        report.leaveOut(.repeatedFolder, example: String(escaping: path))
        continue
      }
      let folder = try Self.list(path, into: &report)
      waiting += folder.folders.reversed().map { path + [slash] + $0 }
      if folder.images.count > 0 { found.append(folder) }
    }
    folders = found.sorted { $0.path.lexicographicallyPrecedes($1.path) }
  }

  private static func list(_ path: [UInt8], into report: inout SourceReport) throws -> Folder {
    let entries: [FolderEntry] = try FolderEntry.list(path, into: &report) { entry in
      if let reason = reason(for: entry) { return .leaveOut(reason) }
      return entry.kind == .folder || isImageName(entry.name)
        ? .take(entry) : .leaveOut(.notAnImage(entry.name))
    }
    var found = Folder(path: path)
    for entry in entries {
      if entry.kind == .folder {
        found.folders.append(entry.name)
      } else if !found.images.append(entry.name) {
        throw OnePassError.fileNamesAreTooLong(in: String(escaping: path))
      }
    }
    return found
  }

  /// Why an entry is left out wherever it is; `nil` for visible files and folders.
  static func reason(for entry: FolderEntry) -> LeftOutReason? {
    if entry.kind == .folder, ToolFolders.contains(entry.name) { return .toolFolder }
    if entry.isHidden { return .hidden }
    switch entry.kind {
    case .file, .folder: return nil
    case .brokenLink: return .brokenLink
    case .special: return .specialFile
    }
  }
}
