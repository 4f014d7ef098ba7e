import Foundation
import OnePassCore

/// Image files in one folder per class, in the order of torchvision's `ImageFolder`.
///
/// The classes are the subfolders of the root, sorted by the bytes of their names, or by value if all names are numbers. Image files, recognised by their
/// extension (torchvision's `IMG_EXTENSIONS`, in any case), are found at any depth. Links are followed. Every other file is
/// counted in the ``report``: hidden files, files with other extensions or beside the class folders, links without a target. A
/// folder that is reached twice within a class counts once. Folders of file systems and tools, such as `@eaDir`, are not classes.
///
/// Names are bytes. Where they are shown, bytes that are not UTF-8 are escaped, as `\xE9`.
///
/// Memory: for each image its file name and 4 bytes (about 23 bytes in ImageNet), and the path of each folder.
///
/// ```swift
/// let stream = ShuffledSource(try FolderTable("photos/train"), specification: "folder:photos/train", seed: 1)
/// ```
public struct FolderTable: ExampleTable {
  /// The names of the classes in label order.
  public let classNames: [String]?
  /// The number of classes.
  public var classCount: Int { names.count }
  /// The number of images.
  public var count: Int { fileNames.count }
  /// The files and folders that were left out.
  public private(set) var report = SourceReport()
  /// Whether the labels are positions among the sorted names of the folders.
  public let labelsFollowNames: Bool

  private let root: String
  private let names: [String]
  /// The file name of each row.
  private var fileNames = PackedNames()
  private var folders: [Folder] = []

  /// A folder with images. Its rows start at `firstRow` and end where the next folder's start.
  private struct Folder {
    let path: [UInt8]
    let label: Int
    let firstRow: Int
  }

  /// Lists the folders without opening an image.
  /// - Parameters:
  ///   - root: The folder that contains the class folders.
  ///   - classNames: The classes in label order; the sorted names of the folders if `nil`.
  /// - Throws: `OnePassError`: `io` if a folder cannot be read; `badData` if there are no class folders, the folders are
  ///   parts of a data set (`train`, `val`), one has no image, or one is not in `classNames`.
  public init(_ root: String, classNames: [String]? = nil) throws {
    (self.root, labelsFollowNames) = (root, classNames == nil)
    guard existence(of: root).exists else {
      throw OnePassError.noSuchFolder(root)
    }
    guard existence(of: root).isDirectory else {
      throw OnePassError.isNotClassRoot(root)
    }
    let path = Array(root.utf8)
    let folders: [[UInt8]] = try FolderEntry.list(path, into: &report) { entry in
      if let reason = FolderWalk.reason(for: entry) { return .leaveOut(reason) }
      return entry.kind == .folder ? .take(entry.name) : .leaveOut(.besideClasses)
    }
    let classes = ClassOrder.sorted(folders)
    guard !classes.isEmpty else {
      throw OnePassError.noClassFolders(in: root)
    }
    let found = classes.map { String(escaping: $0) }
    if classNames == nil, let parts = PartFolders.parts(among: found) {
      throw OnePassError.foldersAreParts(of: root, found, parts.training, parts.evaluation)
    }
    names = classNames ?? found
    self.classNames = names
    for (index, name) in found.enumerated() {
      guard let label = classNames == nil ? index : names.firstIndex(of: name) else {
        throw OnePassError.unknownClassFolder("\(root)/\(name)", known: names)
      }
      let before = count
      try addImages(below: path + [slash] + classes[index], label: label)
      guard count > before else {
        throw OnePassError.noImages(inClassFolder: "\(root)/\(name)")
      }
    }
  }

  /// The class of the image in this row, `0 ..< count`.
  public func label(at row: Int) -> Int { folder(of: row).label }

  /// The image file in this row.
  /// - Throws: `OnePassError`: `io` if it cannot be read, `badData` if it is too large.
  public func image(at row: Int) throws -> EncodedImage { try readImageFile(file(at: row)) }

  /// The path of the file in this row. Bytes that are not UTF-8 are escaped.
  public func path(at row: Int) -> String? { String(escaping: file(at: row)) }

  /// The path below the root, and the label.
  public func listed(at row: Int) -> ListedEntry {
    let folder = folder(of: row)
    return ListedEntry(
      name: folder.path.dropFirst(root.utf8.count + 1) + [slash] + fileNames[row], label: folder.label)
  }

  private func file(at row: Int) -> [UInt8] { folder(of: row).path + [slash] + fileNames[row] }

  /// The folder of a row.
  /// - Complexity: O(log folders).
  private func folder(of row: Int) -> Folder {
    var low = 0
    var high = folders.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if folders[middle].firstRow <= row { low = middle } else { high = middle }
    }
    return folders[low]
  }

  /// Adds the images of a folder and of all below it.
  private mutating func addImages(below top: [UInt8], label: Int) throws {
    for folder in try FolderWalk(top, into: &report).folders {
      folders.append(Folder(path: folder.path, label: label, firstRow: count))
      for index in 0..<folder.images.count where !fileNames.append(folder.images[index]) {
        throw OnePassError.fileNamesAreTooLong(in: String(escaping: top))
      }
    }
  }
}

/// Reads a whole file as an encoded image.
/// - Parameters:
///   - path: The path as bytes.
///   - name: The file's name in error messages; its path if `nil`.
/// - Throws: `OnePassError`: `io` if it cannot be read, `badData` if it is too large.
func readImageFile(_ path: [UInt8], called name: String? = nil) throws -> EncodedImage {
  let (file, size) = try OpenFile.regular(path, called: name)
  guard size <= largestImageFile else {
    throw OnePassError.imageFileIsTooLarge(file.path, bytes: size, limit: largestImageFile)
  }
  return EncodedImage(bytes: try file.bytes(at: 0, count: size))
}

/// The largest image file in bytes, checked before memory is allocated.
var largestImageFile: Int { min(mostImageFileBytes, DecodeMemory.shared.sourceShare) }

/// The largest image file with any budget.
let mostImageFileBytes = 256 << 20

/// `folder:DIR`.
func openFolder(_ request: SourceRequest) throws -> any ExampleSource {
  let root = try request.requiredArgument("folder:DIR, where DIR has one folder per class")
  let table = try FolderTable(root, classNames: request.classNames)
  return try request.shuffled(table)
}
