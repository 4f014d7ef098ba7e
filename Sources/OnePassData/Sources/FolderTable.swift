import Foundation
import OnePassCore

/// Image files in one folder per class, in the order of torchvision's `ImageFolder`.
///
/// The classes are the subfolders of the root, sorted by the bytes of their names. Files ending in `jpg`,
/// `jpeg` or `png` (any case) are found at any depth. Links are followed, and a folder that is reached twice
/// within a class counts once. Unlike in `ImageFolder`, names that start with a dot are ignored.
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
  /// The number of visible files that were ignored because of their extension.
  public private(set) var ignoredFileCount = 0

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
  /// - Throws: `OnePassError`: `io` if a folder cannot be read, `badData` if there are no class folders, one
  ///   has no image, or one is not in `classNames`.
  public init(_ root: String, classNames: [String]? = nil) throws {
    guard existence(of: root).exists else {
      throw OnePassError.noSuchFolder(root)
    }
    guard existence(of: root).isDirectory else {
      throw OnePassError.isNotClassRoot(root)
    }
    let classes = try FolderListing(Array(root.utf8)).folders
    guard !classes.isEmpty else {
      throw OnePassError.noClassFolders(in: root)
    }
    let found = classes.map { String(decoding: $0, as: UTF8.self) }
    names = classNames ?? found
    self.classNames = names
    for (index, name) in found.enumerated() {
      guard let label = classNames == nil ? index : names.firstIndex(of: name) else {
        throw OnePassError.unknownClassFolder("\(root)/\(name)", known: names)
      }
      let before = count
      try addImages(below: Array(root.utf8) + [slash] + classes[index], label: label)
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
          throw OnePassError.fileNamesAreTooLong(in: String(decoding: top, as: UTF8.self))
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

/// Whether a file name has the extension of an image: `jpg`, `jpeg` or `png` in any case.
func isImageName(_ name: [UInt8]) -> Bool {
  guard let dot = name.lastIndex(of: UInt8(ascii: ".")) else { return false }
  let suffix = String(decoding: name[(dot + 1)...], as: UTF8.self).lowercased()
  return suffix == "jpg" || suffix == "jpeg" || suffix == "png"
}

/// Reads a whole file as an encoded image.
/// - Parameter name: The file's name in error messages; its path if `nil`.
/// - Throws: `OnePassError`: `io` if it cannot be read, `badData` if it is too large.
func readImageFile(_ path: String, called name: String? = nil) throws -> EncodedImage {
  let file = try OpenFile(reading: path, called: name)
  let size = try file.size()
  guard size <= largestImageFile else {
    throw OnePassError.imageFileIsTooLarge(file.path, bytes: size, limit: largestImageFile)
  }
  return EncodedImage(bytes: try file.bytes(at: 0, count: size))
}

/// The largest image file in bytes, checked before memory is allocated.
let largestImageFile = 256 << 20

/// `folder:DIR`.
func openFolder(_ request: SourceRequest) throws -> any ExampleSource {
  let root = try request.requiredArgument("folder:DIR, where DIR has one folder per class")
  let table = try FolderTable(root, classNames: request.classNames)
  return try request.shuffled(table)
}
