import Foundation
import OnePassCore

/// Images and labels in a pair of idx files, as MNIST and its relatives come.
///
/// In the folder lie `train-images-idx3-ubyte` (N x H x W, grey) or `train-images-idx4-ubyte` (N x H x W x 3,
/// or x 1), and `train-labels-idx1-ubyte`; the test part's names begin with `t10k`. Each may end in `.gz`.
/// The labels are kept in memory (1 byte an example); images are read from the file as they are asked for.
public struct IDXTable: ExampleTable {
  public let count: Int
  /// The largest label plus 1, or the number of names.
  public let classCount: Int
  public let classNames: [String]?
  private let images: IDXFile
  private let labels: [UInt8]
  private let width: Int
  private let height: Int
  private let channels: Int

  /// - Throws: `OnePassError`: `io` if the folder or a file is missing, `badData` if the two do not belong
  ///   together or are not whole.
  public init(_ directory: String, test: Bool = false, classNames: [String]? = nil) throws {
    let part = test ? "t10k" : "train"
    images = try IDXFile(path: Self.find("\(part)-images", ["idx3", "idx4"], in: directory))
    let labelFile = try IDXFile(path: Self.find("\(part)-labels", ["idx1"], in: directory))
    let shape = images.dimensions
    guard shape.count == 3 || (shape.count == 4 && (shape[3] == 3 || shape[3] == 1)) else {
      throw OnePassError(
        .badData,
        "\(images.path) has \(shape.count) dimensions; images need N x H x W, or N x H x W x 3 for colour.")
    }
    guard shape[1] > 0, shape[2] > 0, shape[0] > 0 else {
      throw OnePassError(.badData, "\(images.path) holds no images. Fetch it again.")
    }
    guard labelFile.dimensions.count == 1, labelFile.dimensions[0] == shape[0] else {
      throw OnePassError(
        .badData,
        "\(images.path) holds \(shape[0]) images but \(labelFile.path) holds \(labelFile.dimensions[0]) labels. "
          + "Use two files that belong together.")
    }
    count = shape[0]
    (height, width, channels) = (shape[1], shape[2], shape.count == 4 ? shape[3] : 1)
    labels = try labelFile.elements(at: 0, count: count)
    self.classNames = classNames
    classCount = classNames?.count ?? Int(labels.max() ?? 0) + 1
  }

  public func label(at row: Int) -> Int { Int(labels[row]) }

  public func image(at row: Int) throws -> EncodedImage {
    let size = width * height * channels
    return EncodedImage(
      bytes: try images.elements(at: row * size, count: size),
      encoding: .pixels(width: width, height: height, channels: channels))
  }

  /// The first of the possible names that exists.
  private static func find(_ stem: String, _ kinds: [String], in directory: String) throws -> String {
    let names = kinds.flatMap { ["\(stem)-\($0)-ubyte", "\(stem)-\($0)-ubyte.gz"] }
    let paths = names.map { "\(directory)/\($0)" }
    if let path = paths.first(where: { existence(of: $0).exists }) { return path }
    guard existence(of: directory).isDirectory else {
      throw OnePassError(.io, "There is no folder \(directory). Check the path.")
    }
    throw OnePassError(
      .io, "The folder \(directory) holds no \(names[0]) (or .gz). Put the idx files there under these names."
    )
  }
}

/// `idx:DIR` and `idx:DIR:test`.
func openIDX(_ request: SourceRequest) throws -> any ExampleSource {
  let (directory, test) = try request.directoryAndPart("idx:DIR or idx:DIR:test")
  let table = try IDXTable(directory, test: test, classNames: request.classNames)
  return try request.shuffled(table)
}
