import Foundation
import OnePassCore
import OnePassData

/// A stream can be arbitrarily long. A thousand examples are enough.
private let mostExamples = 1_000

private func readAll(_ specification: String, subjects: String? = nil) throws {
  let source = try SourceRegistry.open(
    specification, seed: 1, subjectKey: try subjects.map { try SubjectKey($0) })
  _ = (source.knownCount, source.knownClassCount, source.classNames)
  for _ in 0..<mostExamples { if try source.next() == nil { return } }
}

extension Format {
  /// Reads names and labels, then everything, then everything by keys only.
  func readTar(_ bytes: [UInt8], in folder: WorkFolder) throws {
    let path = try folder.write(bytes, to: "shard.tar")
    var problem: (any Error)?
    do { _ = try WebDatasetSource(path).survey() } catch { problem = error }
    do { _ = try WebDatasetSource(path).skip(mostExamples) } catch { problem = error }
    try readAll("wds:\(path)", subjects: "json:who")
    if let problem { throw problem }
  }

  func readZip(_ bytes: [UInt8], in folder: WorkFolder) throws {
    try readAll("zip:\(try folder.write(bytes, to: "images.zip"))")
  }

  /// Reads the columns that are chosen, and those of the seeds with every encoding.
  func readParquet(_ bytes: [UInt8], in folder: WorkFolder) throws {
    let specification = "hf:\(try folder.write(bytes, to: "train.parquet"))"
    let columns: [(image: String?, label: String?)] = [
      (nil, nil), ("lengths", "int64"), ("prefixes", "int32"), ("plain", "boolean"),
      ("fixed_split", "boolean_runs"), ("fixed_prefixes", "uint8"), ("fixed", "uint64"),
    ]
    var problems: [any Error] = []
    for (image, label) in columns {
      do {
        let source = try SourceRegistry.open(
          specification, seed: 1, imageColumn: image, labelColumn: label)
        _ = (source.knownCount, source.knownClassCount, source.classNames)
        for _ in 0..<mostExamples { if try source.next() == nil { break } }
        _ = try Survey.of(source)
        // Only the files with a column for each encoding need the other columns.
        if image == nil { return }
      } catch { problems.append(error) }
    }
    // A seed has the columns of one or the other kind.
    if problems.count == columns.count { throw problems[0] }
    if let other = problems.first(where: { !($0 is OnePassError) }) { throw other }
  }

  /// Reads the file as the images of a pair with valid labels, then as the labels of a pair with valid images.
  func readIDX(_ bytes: [UInt8], in folder: WorkFolder) throws {
    let ending = bytes.starts(with: [0x1F, 0x8B]) ? ".gz" : ""
    let (images, labels) = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
    let count = bytes.count >= 8 ? bytes[4..<8].reduce(0) { $0 << 8 | Int($1) } : 0
    let number = bytes.count >= 8 && ending.isEmpty ? Array(bytes[4..<8]) : [0, 0, 0, 3]
    let present = ending.isEmpty ? min(count, 5_000) : 3
    for name in [images, labels] { for end in ["", ".gz"] { folder.removeFile(name + end) } }
    var problems: [any Error] = []
    func attempt() { do { try readAll("idx:\(folder.path)") } catch { problems.append(error) } }
    try folder.write(bytes, to: images + ending)
    try folder.write([0, 0, 8, 1] + number + (0..<present).map { UInt8($0 % 7) }, to: labels)
    attempt()
    folder.removeFile(images + ending)
    folder.removeFile(labels)
    try folder.write(bytes, to: labels + ending)
    try folder.write(
      [0, 0, 8, 3] + number + [0, 0, 0, 1, 0, 0, 0, 1] + Array(repeating: 9, count: present), to: images)
    attempt()
    // The file is valid as at most one of the two.
    if problems.count == 2 { throw problems[0] }
  }
}
