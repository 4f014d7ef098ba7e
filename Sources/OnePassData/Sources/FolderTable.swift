import Foundation
import OnePassCore

/// Image files in one folder for each class, as torchvision's `ImageFolder` reads them.
///
/// The classes are the subfolders of the root, sorted by the bytes of their names. Files ending in `jpg`,
/// `jpeg` or `png` (any case) count at any depth below, links followed, a folder reached twice within a class
/// counted once. The rows are in `ImageFolder`'s order. Unlike there, whatever begins with a dot is ignored.
///
/// Memory: the length of its name and 4 bytes for each image (some 23 bytes for ImageNet), the path of each
/// folder, no contents.
public struct FolderTable: ExampleTable {
  public let classNames: [String]?
  public var classCount: Int { names.count }
  public var count: Int { fileNames.count }
  /// Files that were passed over because of their extension; hidden ones not included.
  public private(set) var ignoredFileCount = 0

  private let names: [String]
  /// The name of the file in each row.
  private var fileNames = PackedNames()
  private var folders: [Folder] = []

  /// A folder with images; its rows begin at `firstRow` and end where the next folder's begin.
  private struct Folder {
    let path: [UInt8]
    let label: Int
    let firstRow: Int
  }

  /// Lists the folder; no image is opened.
  /// - Parameters:
  ///   - root: the folder that holds the class folders.
  ///   - classNames: if given, the label of a class folder is its place in this list.
  /// - Throws: `OnePassError`: `io` if a folder cannot be read, `badData` if there are no class folders, one
  ///   holds no image, or one is not among `classNames`.
  public init(_ root: String, classNames: [String]? = nil) throws {
    guard existence(of: root).exists else {
      throw OnePassError(.io, "There is no folder \(root). Check the path.")
    }
    guard existence(of: root).isDirectory else {
      throw OnePassError(.badData, "\(root) is not a folder. Name the folder that holds the class folders.")
    }
    let classes = try FolderListing(Array(root.utf8)).folders
    guard !classes.isEmpty else {
      throw OnePassError(
        .badData,
        "The folder \(root) holds no class folders. Put the images of each class in a folder of their own.")
    }
    let found = classes.map { String(decoding: $0, as: UTF8.self) }
    names = classNames ?? found
    self.classNames = names
    for (index, name) in found.enumerated() {
      guard let label = classNames == nil ? index : names.firstIndex(of: name) else {
        throw OnePassError(
          .badData,
          "The class folder \(root)/\(name) is not one of the \(names.count) classes known (\(names[0]), …). "
            + "Rename or remove it.")
      }
      let before = count
      try addImages(below: Array(root.utf8) + [slash] + classes[index], label: label)
      guard count > before else {
        throw OnePassError(
          .badData,
          "The class folder \(root)/\(name) holds no .jpg, .jpeg or .png file. Add images or remove it.")
      }
    }
  }

  public func label(at row: Int) -> Int { folder(of: row).label }

  public func image(at row: Int) throws -> EncodedImage { try readImageFile(file(at: row)) }

  /// The path of the file in this row.
  public func path(at row: Int) -> String? { file(at: row) }

  private func file(at row: Int) -> String {
    String(decoding: folder(of: row).path + [slash] + fileNames[row], as: UTF8.self)
  }

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

  private mutating func addImages(below top: [UInt8], label: Int) throws {
    for path in try foldersBelow(top) {
      let first = count
      for name in try FolderListing(path).files {
        guard isImageName(name) else {
          ignoredFileCount += 1
          continue
        }
        guard fileNames.append(name) else {
          throw OnePassError(
            .badData, "The file names of this folder exceed 4 GiB. Pack it into shards first.")
        }
      }
      if count > first { folders.append(Folder(path: path, label: label, firstRow: first)) }
    }
  }

  /// The folder itself and all below it, sorted by path as `sorted(os.walk(...))` sorts them.
  private func foldersBelow(_ top: [UInt8]) throws -> [[UInt8]] {
    var visited: Set<FileIdentity> = []
    var found: [[UInt8]] = []
    var waiting = [top]
    while let path = waiting.popLast() {
      guard visited.insert(try FileIdentity(path)).inserted else { continue }
      found.append(path)
      waiting += try FolderListing(path).folders.reversed().map { path + [slash] + $0 }
    }
    return found.sorted { $0.lexicographicallyPrecedes($1) }
  }
}

/// Whether a file of this name is taken for an image: `jpg`, `jpeg` or `png` in any case.
func isImageName(_ name: [UInt8]) -> Bool {
  guard let dot = name.lastIndex(of: UInt8(ascii: ".")) else { return false }
  let suffix = String(decoding: name[(dot + 1)...], as: UTF8.self).lowercased()
  return suffix == "jpg" || suffix == "jpeg" || suffix == "png"
}

/// A whole file as an encoded image; `name` is what sentences call it, its path if `nil`.
/// - Throws: `OnePassError`: `io` if it cannot be read, `badData` if it is too large.
func readImageFile(_ path: String, called name: String? = nil) throws -> EncodedImage {
  let file = try OpenFile(reading: path, called: name)
  let size = try file.size()
  guard size <= largestImageFile else { throw tooLarge(file.path, size) }
  return EncodedImage(bytes: try file.bytes(at: 0, count: size))
}

/// The largest file that is taken for an image, in bytes; memory is taken only below it.
let largestImageFile = 256 << 20

func tooLarge(_ what: String, _ size: Int) -> OnePassError {
  OnePassError(
    .badData,
    "\(what) has \(ByteCount(size)); an image may have at most \(ByteCount(largestImageFile)). Remove or shrink it."
  )
}

/// `folder:DIR`.
func openFolder(_ request: SourceRequest) throws -> any ExampleSource {
  let root = try request.requiredArgument("folder:DIR, where DIR holds a folder for each class")
  let table = try FolderTable(root, classNames: request.classNames)
  return try request.shuffled(table)
}
