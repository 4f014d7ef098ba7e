import Foundation
import OnePassCore

/// Image files, named one by one, by folders that contain them, or by lines of a pipe.
///
/// The images of a folder are found at any depth, by the rules of ``FolderTable``, and delivered in the order of their paths.
/// Files that are left out are counted in the ``report``. A file that is named directly may have any name. A file that cannot be
/// read is delivered with its error.
///
/// ```swift
/// let images = ImageFiles(["cat.jpg", "photos/2024"])
/// while let image = try images.next() { print(image.name) }
/// ```
public final class ImageFiles: ImageInput {
  /// The name of the input in messages.
  public let specification: String
  /// The files and folders that were left out so far.
  public private(set) var report = SourceReport()
  private let paths: any PathReader
  /// The folder whose images are being delivered, and the number of its folders and images that were delivered.
  private var folder: FolderWalk?
  private var place = (folder: 0, image: 0)

  /// Creates an input of files and folders.
  /// - Parameters:
  ///   - paths: The files and folders, in order.
  ///   - specification: The name of the input in messages.
  public init(_ paths: [String], specification: String = "images") {
    self.specification = specification
    self.paths = PathList(paths)
  }

  /// Creates an input of the files and folders whose paths a file or pipe contains.
  ///
  /// Paths are bytes, which need not be UTF-8. Empty lines are skipped.
  /// - Parameters:
  ///   - descriptor: The descriptor of the open file or pipe; standard input by default.
  ///   - separatedByZero: Whether paths end with a zero byte instead of a line break.
  ///   - specification: The name of the input in messages.
  public init(
    pathsFrom descriptor: Int32, separatedByZero: Bool = false, specification: String = "standard input"
  ) {
    self.specification = specification
    paths = PathLines(descriptor, separatedByZero: separatedByZero, name: specification)
  }

  /// Whether the next path has arrived.
  public var isReady: Bool { folder != nil || paths.isReady }

  /// The next image; `nil` at the end.
  /// - Throws: `OnePassError` if the list of paths cannot be read, or is not a list of paths.
  public func next() throws -> NamedImage? {
    while true {
      if let path = nextOfFolder() { return read(path) }
      guard var path = try paths.next() else { return nil }
      guard kind(of: path) == S_IFDIR else { return read(path) }
      while path.count > 1, path.last == slash { path.removeLast() }
      do {
        let found = try FolderWalk(path, into: &report)
        guard found.count > 0 else { throw OnePassError.noImages(inFolder: name(of: path)) }
        (folder, place) = (found, (0, 0))
      } catch let error as OnePassError {
        return NamedImage(name(of: path), .failure(error))
      }
    }
  }

  private func nextOfFolder() -> [UInt8]? {
    guard let folder else { return nil }
    let found = folder.folders[place.folder]
    let path = found.path + [slash] + found.images[place.image]
    place.image += 1
    if place.image == found.images.count { place = (place.folder + 1, 0) }
    if place.folder == folder.folders.count { self.folder = nil }
    return path
  }

  private func read(_ path: [UInt8]) -> NamedImage {
    let name = name(of: path)
    do {
      // A pipe, such as that of a process substitution, has no size.
      let isPipe = [S_IFIFO, S_IFSOCK, S_IFCHR].contains(kind(of: path) ?? S_IFREG)
      let image = try isPipe ? readImagePipe(path, called: name) : readImageFile(path, called: name)
      return NamedImage(name, .success(image))
    } catch let error as OnePassError {
      return NamedImage(name, .failure(error))
    } catch {
      return NamedImage(name, .failure(OnePassError.failed(.read, name)))
    }
  }

  /// A path as text: unchanged if it is UTF-8, so that programs can open it, else escaped.
  private func name(of path: [UInt8]) -> String {
    String(validating: path, as: UTF8.self) ?? String(escaping: path)
  }

  private func kind(of path: [UInt8]) -> mode_t? {
    var status = stat()
    guard path.withCString({ stat($0, &status) }) == 0 else { return nil }
    return status.st_mode & S_IFMT
  }
}

/// Reads an image from a pipe to its end.
/// - Throws: `OnePassError`: `io` if it cannot be read, `badData` if it is too large.
private func readImagePipe(_ path: [UInt8], called name: String) throws -> EncodedImage {
  let file = try OpenFile(reading: path, called: name)
  var bytes: [UInt8] = []
  while let more = try file.nextBytes(upTo: 1 << 16) {
    bytes += more
    guard bytes.count <= largestImageFile else {
      throw OnePassError.imageFileIsTooLarge(name, bytes: bytes.count, limit: largestImageFile)
    }
  }
  return EncodedImage(bytes: bytes)
}

extension OpenFile {
  /// The bytes that follow the descriptor's position, after waiting for them; `nil` at the end.
  /// - Throws: `OnePassError` (`io`) if reading fails.
  func nextBytes(upTo count: Int) throws -> [UInt8]? {
    let bytes = try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      var got = -1
      repeat { got = Foundation.read(descriptor, buffer.baseAddress, count) } while got < 0 && errno == EINTR
      guard got >= 0 else { throw OnePassError.failed(.read, path) }
      filled = got
    }
    return bytes.isEmpty ? nil : bytes
  }
}
