import Foundation
import OnePassCore

/// Images and labels in a pair of idx files, the format of MNIST and similar data sets.
///
/// The folder has `train-images-idx3-ubyte` (N x H x W, grey) or `train-images-idx4-ubyte` (N x H x W x 3,
/// or x 1), and `train-labels-idx1-ubyte`. The names of the test part start with `t10k`. Each may end in `.gz`.
/// Memory: the labels, 1 byte per example. Images are read from the file on request.
///
/// ```swift
/// let test = try IDXTable("mnist", test: true)
/// let first = try test.image(at: 0)
/// ```
public struct IDXTable: ExampleTable {
  /// The number of examples in the part.
  public let count: Int
  /// The number of class names; without names, the largest label plus 1.
  public let classCount: Int
  /// The names of the classes in label order; `nil` if none were given.
  public let classNames: [String]?
  private let images: IDXFile
  private let labels: [UInt8]
  private let width: Int
  private let height: Int
  private let channels: Int

  /// Reads the headers of both files, and the labels.
  /// - Parameters:
  ///   - directory: The folder with the files.
  ///   - test: Whether to read the test part instead of the training part.
  ///   - classNames: The names of the classes in label order.
  /// - Throws: `OnePassError`: `io` if the folder or a file is missing, `badData` if the two do not belong
  ///   together or are incomplete.
  public init(_ directory: String, test: Bool = false, classNames: [String]? = nil) throws {
    let part = test ? "t10k" : "train"
    images = try IDXFile(path: Self.find("\(part)-images", ["idx3", "idx4"], in: directory))
    let labelFile = try IDXFile(path: Self.find("\(part)-labels", ["idx1"], in: directory))
    let shape = images.dimensions
    guard shape.count == 3 || (shape.count == 4 && (shape[3] == 3 || shape[3] == 1)) else {
      throw OnePassError.idxHoldsNoImageShape(images.path, dimensions: shape.count)
    }
    guard shape[1] > 0, shape[2] > 0, shape[0] > 0 else {
      throw OnePassError.idxIsEmpty(images.path)
    }
    guard labelFile.dimensions.count == 1, labelFile.dimensions[0] == shape[0] else {
      throw OnePassError.idxCountsDiffer(
        images: shape[0], in: images.path, labels: labelFile.dimensions[0], in: labelFile.path)
    }
    count = shape[0]
    (height, width, channels) = (shape[1], shape[2], shape.count == 4 ? shape[3] : 1)
    labels = try labelFile.elements(at: 0, count: count)
    self.classNames = classNames
    classCount = classNames?.count ?? Int(labels.max() ?? 0) + 1
  }

  /// The class of the example in this row, `0 ..< count`.
  public func label(at row: Int) -> Int { Int(labels[row]) }

  /// The image in this row as raw pixels, `[H, W, 1]` or `[H, W, 3]`.
  /// - Throws: `OnePassError` (`io`, `badData`) if the file cannot be read.
  public func image(at row: Int) throws -> EncodedImage {
    let size = width * height * channels
    return EncodedImage(
      bytes: try images.elements(at: row * size, count: size),
      encoding: .pixels(width: width, height: height, channels: channels))
  }

  /// The first existing file among the possible names.
  private static func find(_ stem: String, _ kinds: [String], in directory: String) throws -> String {
    let names = kinds.flatMap { ["\(stem)-\($0)-ubyte", "\(stem)-\($0)-ubyte.gz"] }
    let paths = names.map { "\(directory)/\($0)" }
    if let path = paths.first(where: { existence(of: $0).exists }) { return path }
    guard existence(of: directory).isDirectory else {
      throw OnePassError.noSuchFolder(directory)
    }
    throw OnePassError.noIDXFile(named: names[0], in: directory)
  }
}

/// `idx:DIR` and `idx:DIR:test`.
func openIDX(_ request: SourceRequest) throws -> any ExampleSource {
  let (directory, test) = try request.directoryAndPart("idx:DIR or idx:DIR:test")
  let table = try IDXTable(directory, test: test, classNames: request.classNames)
  return try request.shuffled(table)
}
