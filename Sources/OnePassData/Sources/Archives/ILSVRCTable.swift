import Foundation
import OnePassCore

/// ImageNet's training set as distributed: `ILSVRC2012_img_train.tar`, a tar with one tar per class.
///
/// Nothing is unpacked: the headers are read once, and each image is read in place. A class has the name of its
/// tar (`n01440764`). Labels and order are those of the folders that the archive unpacks to.
///
/// ```swift
/// let table = try ILSVRCTable("ILSVRC2012_img_train.tar")
/// let stream = ShuffledSource(table, specification: "ilsvrc:ILSVRC2012_img_train.tar", seed: 1)
/// ```
/// - Complexity: Opening reads one block of 512 bytes per image: 1.28 million blocks for the whole archive.
public struct ILSVRCTable: ExampleTable {
  /// The number of images.
  public var count: Int { images.count }
  /// The number of classes.
  public var classCount: Int { images.classNames.count }
  /// The names of the classes in label order.
  public var classNames: [String]? { images.classNames }
  private let file: OpenFile
  private let images: ArchivedImages

  /// The entries that were left out.
  public var report: SourceReport { images.report }

  /// Reads the headers of all entries.
  /// - Parameters:
  ///   - path: The outer tar, uncompressed.
  ///   - classNames: The classes in label order; the sorted names of the class tars if `nil`.
  /// - Throws: `OnePassError`: `io` if the archive cannot be read, `badData` if it has no class tars, is truncated or
  ///   corrupt, or has a class that is not in `classNames`.
  public init(_ path: String, classNames: [String]? = nil) throws {
    file = try OpenFile(reading: path)
    var builder = ArchivedImages.Builder(archive: path)
    var imagesOutside = 0
    var current = path
    do throws(any Error) {
      let outer = try TarReader(FileInput(file), blockSize: TarReader.headerSize)
      while let (name, body) = try outer.next({ entry -> Verdict<(name: [UInt8], body: Range<Int>)> in
        if entry.isLink { return .leaveOut(.archiveLink) }
        guard let name = Self.className(of: entry.name), let body = entry.bodyRange else {
          imagesOutside += isImageName(entry.name) ? 1 : 0
          return .leaveOut(.noClassTar)
        }
        return .take((name, body))
      }) {
        current = "\(path)/\(String(escaping: outer.name))"
        let inner = try TarReader(FileInput(file, range: body), blockSize: TarReader.headerSize)
        while let (path, place) = try inner.next({ entry -> Verdict<([UInt8], ArchivedImages.Place)> in
          guard !entry.isLink, let range = entry.bodyRange else { return .leaveOut(.archiveLink) }
          return ArchivedImages.Builder.judge(name + [slash] + entry.name).map {
            ($0, .init(offset: range.lowerBound, size: range.count))
          }
        }) { try builder.add(path, at: place) }
        builder.report.add(inner.report)
        current = path
      }
      builder.report.add(outer.report)
    } catch let failure as ReadFailure {
      throw failure.error(in: current, at: .images(builder.count))
    }
    guard builder.count > 0 || imagesOutside == 0 else {
      throw OnePassError.isILSVRCValidationSet(path)
    }
    guard builder.count > 0 else {
      throw OnePassError.noClassTars(in: path)
    }
    images = try builder.images(named: classNames)
  }

  /// The class of the image in this row, `0 ..< count`.
  public func label(at row: Int) -> Int { images.label(at: row) }

  /// The image file in this row.
  /// - Throws: `OnePassError` (`io`, `badData`) if the archive cannot be read.
  public func image(at row: Int) throws -> EncodedImage {
    let place = images.place(at: row)
    return EncodedImage(bytes: try file.bytes(at: place.offset, count: place.size))
  }

  /// The path of the archive, followed by the class and the image's name.
  public func path(at row: Int) -> String? { images.path(at: row) }

  /// Whether the labels are positions among the sorted names of the classes.
  public var labelsFollowNames: Bool { images.labelsFollowNames }

  /// The path in the archive, the label and the size of the image in this row.
  public func listed(at row: Int) -> ListedEntry { images.listed(at: row) }

  /// The class of a tar: `n01440764` for `n01440764.tar`.
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
  try checkIsFile(path, expected: .ilsvrc)
  return try request.shuffled(ILSVRCTable(path, classNames: request.classNames))
}

/// Throws if there is no file at a path.
func checkIsFile(_ path: String, expected file: ExpectedFile) throws {
  let (exists, isDirectory) = existence(of: path)
  guard exists else { throw OnePassError.noSuchFile(path) }
  guard !isDirectory else { throw OnePassError.isFolder(path, expected: file) }
}
