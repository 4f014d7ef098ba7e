import Foundation
import OnePassCore

/// ImageNet's training set as it is distributed: `ILSVRC2012_img_train.tar`, a tar that holds a tar for each class.
///
/// Nothing is unpacked: the headers are read once, and then each image from where it lies. A class has the name of its
/// tar (`n01440764`), and the labels and the order are those of the folders that the archive unpacks to.
///
/// - Complexity: opening reads one block of 512 bytes for each image, by seeking: 1.28 million for the whole archive.
public struct ILSVRCTable: ExampleTable {
  public var count: Int { images.count }
  public var classCount: Int { images.classNames.count }
  public var classNames: [String]? { images.classNames }
  private let file: OpenFile
  private let images: ArchivedImages

  /// - Parameters:
  ///   - path: the outer tar, not compressed.
  ///   - classNames: if given, the label of a class is its place in this list.
  /// - Throws: `OnePassError`: `io` if it cannot be read, `badData` if it is no tar of class tars or not whole.
  public init(_ path: String, classNames: [String]? = nil) throws {
    file = try OpenFile(reading: path)
    var builder = ArchivedImages.Builder(archive: path)
    var imagesOutside = 0
    var current = path
    do throws(any Error) {
      let outer = try TarReader(FileInput(file), blockSize: TarReader.headerSize)
      while try outer.advance() {
        guard let name = Self.className(of: outer.name), let body = outer.bodyRange else {
          imagesOutside += isImageName(outer.name) ? 1 : 0
          continue
        }
        current = "\(String(decoding: outer.name, as: UTF8.self)) in \(path)"
        let inner = try TarReader(FileInput(file, range: body), blockSize: TarReader.headerSize)
        while try inner.advance() {
          guard let range = inner.bodyRange else { continue }
          try builder.add(
            name + [slash] + inner.name, at: .init(offset: range.lowerBound, size: range.count))
        }
        current = path
      }
    } catch let failure as ReadFailure {
      throw failure.error(of: "The archive", current, at: "after \(builder.count) images found")
    }
    guard builder.count > 0 || imagesOutside == 0 else {
      throw OnePassError(
        .badData,
        "\(path) holds images and not a tar for each class: it may be the validation set. "
          + "Unpack it and list its images with their classes, as in list:FILE.")
    }
    guard builder.count > 0 else {
      throw OnePassError(
        .badData, "\(path) holds no class tars with images. Name ILSVRC2012_img_train.tar, not compressed.")
    }
    images = try builder.images(named: classNames)
  }

  public func label(at row: Int) -> Int { images.label(at: row) }

  public func image(at row: Int) throws -> EncodedImage {
    let place = images.place(at: row)
    return EncodedImage(bytes: try file.bytes(at: place.offset, count: place.size))
  }

  /// The path of the archive, the class and the image's name.
  public func path(at row: Int) -> String? { images.path(at: row) }

  /// `n01440764` for `n01440764.tar`.
  private static func className(of name: [UInt8]) -> [UInt8]? {
    let file = name[((name.lastIndex(of: slash) ?? -1) + 1)...]
    guard file.suffix(4).elementsEqual(".tar".utf8), file.count > 4, file.first != UInt8(ascii: ".") else {
      return nil
    }
    return Array(file.dropLast(4))
  }
}

/// `ilsvrc:FILE`.
func openILSVRC(_ request: SourceRequest) throws -> any ExampleSource {
  let path = try request.requiredArgument("ilsvrc:ILSVRC2012_img_train.tar")
  try checkArchive(path, remedy: "Write folder:\(path) if the archive is unpacked there.")
  return try request.shuffled(ILSVRCTable(path, classNames: request.classNames))
}

/// Refuses a path at which there is no file.
func checkArchive(_ path: String, remedy: String) throws {
  let (exists, isDirectory) = existence(of: path)
  guard exists else { throw OnePassError(.io, "There is no archive \(path). Check the path.") }
  guard !isDirectory else { throw OnePassError(.usage, "\(path) is a folder. \(remedy)") }
}
