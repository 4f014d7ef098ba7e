import Foundation
import OnePassCore

/// CIFAR-10 or CIFAR-100 in the original binary files (https://www.cs.toronto.edu/~kriz/cifar.html, "binary version").
///
/// | | training | test | class names | record |
/// |---|---|---|---|---|
/// | CIFAR-10 | `data_batch_1.bin` … `data_batch_5.bin` | `test_batch.bin` | `batches.meta.txt` | label, image |
/// | CIFAR-100 | `train.bin` | `test.bin` | `fine_label_names.txt` | coarse label, fine label, image |
///
/// An image is stored as three planes of 32 x 32 (red, green, blue) and delivered as `[32, 32, 3]`. CIFAR-100 has
/// its fine labels. Memory: the labels, 1 byte per example.
///
/// ```swift
/// let stream = ShuffledSource(try CIFARTable("cifar-10-batches-bin"), specification: "cifar", seed: 1)
/// ```
public struct CIFARTable: ExampleTable {
  /// The number of examples in the part.
  public var count: Int { labels.count }
  /// The number of classes, 10 or 100.
  public let classCount: Int
  /// The names of the classes in label order; `nil` without the file that lists them.
  public internal(set) var classNames: [String]?
  private let files: [OpenFile]
  private let labels: [UInt8]
  /// For each file, the number of examples up to its end.
  private var ends: [Int]
  private let labelBytes: Int
  private var recordBytes: Int { labelBytes + 3 * Self.planeBytes }

  private static let side = 32
  private static let planeBytes = side * side

  /// Reads the labels. Each image is read on request.
  /// - Parameters:
  ///   - directory: The folder from the unpacked archive.
  ///   - test: Whether to read the test part instead of the training part.
  /// - Throws: `OnePassError`: `io` if a file is missing, `badData` if one is incomplete or has an impossible label.
  public init(_ directory: String, test: Bool = false) throws {
    let kind = try Kind(in: directory)
    let paths = (test ? kind.testFiles : kind.trainingFiles).map { "\(directory)/\($0)" }
    classCount = kind.classCount
    labelBytes = kind.labelBytes
    classNames = try kind.classNames(in: directory)
    files = try paths.map { try OpenFile(reading: $0) }
    ends = []
    var labels: [UInt8] = []
    let recordBytes = kind.labelBytes + 3 * Self.planeBytes
    for file in files {
      let size = try file.size()
      guard size > 0, size % recordBytes == 0 else {
        throw OnePassError.cifarSizeIsOdd(file.path, bytes: size, recordBytes: recordBytes)
      }
      for record in 0..<(size / recordBytes) {
        let label = try file.bytes(at: record * recordBytes + kind.labelBytes - 1, count: 1)[0]
        guard Int(label) < kind.classCount else {
          throw OnePassError.cifarLabelIsOutOfRange(
            Int(label), record: record, of: file.path, classCount: kind.classCount)
        }
        labels.append(label)
      }
      ends.append(labels.count)
    }
    self.labels = labels
  }

  /// The class of the example in this row, `0 ..< count`.
  public func label(at row: Int) -> Int { Int(labels[row]) }

  /// The image in this row as raw pixels, `[32, 32, 3]`.
  /// - Throws: `OnePassError` (`io`, `badData`) if the file cannot be read.
  public func image(at row: Int) throws -> EncodedImage {
    let file = ends.firstIndex { row < $0 } ?? 0
    let record = row - (file == 0 ? 0 : ends[file - 1])
    let planes = try files[file].bytes(at: record * recordBytes + labelBytes, count: 3 * Self.planeBytes)
    let pixels = [UInt8](unsafeUninitializedCapacity: planes.count) { target, filled in
      for pixel in 0..<Self.planeBytes {
        for channel in 0..<3 { target[3 * pixel + channel] = planes[channel * Self.planeBytes + pixel] }
      }
      filled = planes.count
    }
    return EncodedImage(
      bytes: pixels, encoding: .pixels(width: Self.side, height: Self.side, channels: 3))
  }

  private enum Kind {
    case ten, hundred

    /// - Throws: `OnePassError` (`io`) if the folder has the files of neither.
    init(in directory: String) throws {
      func holds(_ names: [String]) -> Bool {
        names.contains { existence(of: "\(directory)/\($0)").exists }
      }
      if holds(Kind.ten.trainingFiles + Kind.ten.testFiles) {
        self = .ten
      } else if holds(Kind.hundred.trainingFiles + Kind.hundred.testFiles) {
        self = .hundred
      } else if holds(["data_batch_1", "test_batch", "train", "meta"]) {
        throw OnePassError.cifarIsPickled(in: directory)
      } else {
        throw OnePassError.noCIFARFiles(in: directory)
      }
    }

    var classCount: Int { self == .ten ? 10 : 100 }
    var labelBytes: Int { self == .ten ? 1 : 2 }
    var trainingFiles: [String] { self == .ten ? (1...5).map { "data_batch_\($0).bin" } : ["train.bin"] }
    var testFiles: [String] { [self == .ten ? "test_batch.bin" : "test.bin"] }

    /// The names in the file beside the data, one per line; `nil` if the file is missing.
    func classNames(in directory: String) throws -> [String]? {
      let path = "\(directory)/\(self == .ten ? "batches.meta.txt" : "fine_label_names.txt")"
      guard existence(of: path).exists else { return nil }
      var reader = try LineReader(path)
      var names: [String] = []
      // The files end in empty lines.
      while let line = try reader.next() { if !line.isEmpty { names.append(line) } }
      guard names.count == classCount else {
        throw OnePassError.cifarNamesDiffer(path, names: names.count, expected: classCount)
      }
      return names
    }
  }
}

/// `cifar:DIR` and `cifar:DIR:test`.
func openCIFAR(_ request: SourceRequest) throws -> any ExampleSource {
  let (directory, test) = try request.directoryAndPart("cifar:DIR or cifar:DIR:test")
  var table = try CIFARTable(directory, test: test)
  table.classNames = try request.agreedClassNames(with: table.classNames)
  guard table.classNames.map({ $0.count == table.classCount }) ?? true else {
    throw OnePassError.classCountDiffers(
      in: request.specification, found: table.classCount, expected: table.classNames?.count ?? 0)
  }
  return try request.shuffled(table)
}
