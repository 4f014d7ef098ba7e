import Foundation
import OnePassCore

/// CIFAR-10 or CIFAR-100 in the original binary files (https://www.cs.toronto.edu/~kriz/cifar.html, "binary version").
///
/// | | training | test | class names | record |
/// |---|---|---|---|---|
/// | CIFAR-10 | `data_batch_1.bin` … `data_batch_5.bin` | `test_batch.bin` | `batches.meta.txt` | label, image |
/// | CIFAR-100 | `train.bin` | `test.bin` | `fine_label_names.txt` | coarse label, fine label, image |
///
/// An image is 32 x 32 in three planes (red, green, blue); it is delivered with its channels interleaved. The labels
/// of CIFAR-100 are the fine ones. In memory are the labels, 1 byte an example.
public struct CIFARTable: ExampleTable {
  public var count: Int { labels.count }
  /// 10 or 100.
  public let classCount: Int
  public internal(set) var classNames: [String]?
  private let files: [OpenFile]
  private let labels: [UInt8]
  /// Examples before the end of each file.
  private var ends: [Int]
  private let labelBytes: Int
  private var recordBytes: Int { labelBytes + 3 * Self.planeBytes }

  private static let side = 32
  private static let planeBytes = side * side

  /// Reads the labels; images are read as they are asked for.
  /// - Parameters:
  ///   - directory: the folder with the files, as the archive unpacks to.
  ///   - test: the test part and not the training part.
  /// - Throws: `OnePassError`: `io` if a file is missing, `badData` if one is not whole or has an impossible label.
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
        throw OnePassError(
          .badData,
          "\(file.path) has \(size) bytes, which is not a number of \(recordBytes)-byte records. Fetch it again."
        )
      }
      for record in 0..<(size / recordBytes) {
        let label = try file.bytes(at: record * recordBytes + kind.labelBytes - 1, count: 1)[0]
        guard Int(label) < kind.classCount else {
          throw OnePassError(
            .badData,
            "Record \(record) of \(file.path) has the label \(label), but CIFAR-\(kind.classCount) has "
              + "\(kind.classCount) classes. Fetch it again.")
        }
        labels.append(label)
      }
      ends.append(labels.count)
    }
    self.labels = labels
  }

  public func label(at row: Int) -> Int { Int(labels[row]) }

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

  /// Which of the two it is.
  private enum Kind {
    case ten, hundred

    /// - Throws: `OnePassError` (`io`) if the folder holds the files of neither.
    init(in directory: String) throws {
      func holds(_ names: [String]) -> Bool {
        names.contains { existence(of: "\(directory)/\($0)").exists }
      }
      if holds(Kind.ten.trainingFiles + Kind.ten.testFiles) {
        self = .ten
      } else if holds(Kind.hundred.trainingFiles + Kind.hundred.testFiles) {
        self = .hundred
      } else if holds(["data_batch_1", "test_batch", "train", "meta"]) {
        throw OnePassError(
          .badData,
          "\(directory) holds the Python version of CIFAR, which is pickled and never read. "
            + "Fetch the binary version.")
      } else {
        throw OnePassError(
          .io,
          "\(directory) holds neither data_batch_1.bin (CIFAR-10) nor train.bin (CIFAR-100). "
            + "Name the folder that the archive of the binary version unpacks to.")
      }
    }

    var classCount: Int { self == .ten ? 10 : 100 }
    var labelBytes: Int { self == .ten ? 1 : 2 }
    var trainingFiles: [String] { self == .ten ? (1...5).map { "data_batch_\($0).bin" } : ["train.bin"] }
    var testFiles: [String] { [self == .ten ? "test_batch.bin" : "test.bin"] }

    /// The names in the file that lies beside the data, one a line; `nil` where it is missing.
    func classNames(in directory: String) throws -> [String]? {
      let path = "\(directory)/\(self == .ten ? "batches.meta.txt" : "fine_label_names.txt")"
      guard existence(of: path).exists else { return nil }
      var reader = try LineReader(path)
      var names: [String] = []
      // The files end in empty lines.
      while let line = try reader.next() { if !line.isEmpty { names.append(line) } }
      guard names.count == classCount else {
        throw OnePassError(
          .badData, "\(path) names \(names.count) classes where there are \(classCount). Fetch it again.")
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
    throw OnePassError(
      .badData,
      "\(request.specification) has \(table.classCount) classes and not the \(table.classNames?.count ?? 0) "
        + "asked for. Use data with the same classes.")
  }
  return try request.shuffled(table)
}
