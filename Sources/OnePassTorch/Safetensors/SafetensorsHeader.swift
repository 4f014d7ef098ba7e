import Foundation
import OnePassCore

/// The header of a safetensors file: the type, shape and offset of each tensor.
///
/// A file contains the length of the header (8 bytes, little-endian), the header as JSON, and the bytes of the tensors. The
/// header is untrusted input, so it is checked completely before memory is allocated for a tensor.
struct SafetensorsHeader {
  struct Entry: Equatable {
    let name: String
    let type: StoredType
    let shape: [Int]
    /// The range in the file, relative to the end of the header.
    let bytes: Range<Int>
  }

  /// The tensors in the order of the file.
  let entries: [Entry]
  let metadata: [String: String]

  /// The limit of the safetensors library, in bytes.
  static let maximumLength = 100_000_000
}

extension SafetensorsHeader {
  /// - Parameters:
  ///   - json: The header.
  ///   - dataLength: The number of bytes after the header.
  /// - Throws: ``Defect`` if the header violates the format.
  init(json: Data, dataLength: Int) throws {
    guard let table = try? JSONDecoder().decode([String: Item].self, from: json) else {
      throw Defect.invalidHeader
    }
    var metadata: [String: String] = [:]
    var entries: [Entry] = []
    for (name, item) in table {
      switch item {
      case .metadata(let values) where name == "__metadata__": metadata = values
      case .tensor(let facts) where name != "__metadata__": entries.append(try Entry(name, facts))
      default: throw Defect.unexpectedEntry(name)
      }
    }
    // An empty tensor has the same offset as the next one; sorting by name makes the order deterministic.
    entries.sort {
      ($0.bytes.lowerBound, $0.bytes.upperBound, $0.name) < (
        $1.bytes.lowerBound, $1.bytes.upperBound, $1.name
      )
    }
    // Contiguous ranges cannot overlap or exceed the file.
    var end = 0
    for entry in entries {
      guard entry.bytes.lowerBound == end else { throw Defect.gapOrOverlap(entry.name) }
      end = entry.bytes.upperBound
    }
    guard end == dataLength else { throw Defect.wrongDataLength(described: end, actual: dataLength) }
    self.entries = entries
    self.metadata = metadata
  }

  /// Encodes a header as JSON in the order of the entries, padded to align the tensors.
  static func json(_ entries: [Entry], metadata: [String: String]) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    func text(_ value: some Encodable) throws -> String {
      String(decoding: try encoder.encode(value), as: UTF8.self)
    }
    var items: [String] = metadata.isEmpty ? [] : ["\"__metadata__\":\(try text(metadata))"]
    for entry in entries {
      let facts = Facts(
        dtype: entry.type.rawValue, shape: entry.shape,
        offsets: [entry.bytes.lowerBound, entry.bytes.upperBound])
      items.append("\(try text(entry.name)):\(try text(facts))")
    }
    var header = Data("{\(items.joined(separator: ","))}".utf8)
    header.append(Data(repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8))
    return header
  }

  fileprivate struct Facts: Codable {
    let dtype: String
    let shape: [Int]
    let offsets: [Int]

    enum CodingKeys: String, CodingKey {
      case dtype
      case shape
      case offsets = "data_offsets"
    }
  }

  private enum Item: Decodable {
    case tensor(Facts)
    case metadata([String: String])

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let facts = try? container.decode(Facts.self) {
        self = .tensor(facts)
      } else {
        self = .metadata(try container.decode([String: String].self))
      }
    }
  }
}

extension SafetensorsHeader.Entry {
  /// Checks one entry of the header.
  fileprivate init(_ name: String, _ facts: SafetensorsHeader.Facts) throws {
    guard let type = StoredType(rawValue: facts.dtype) else {
      throw SafetensorsHeader.Defect.unsupportedType(
        name, type: facts.dtype, supported: StoredType.allCases.map(\.rawValue))
    }
    var size = type.size
    for extent in facts.shape {
      let (product, overflow) = size.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflow else {
        throw SafetensorsHeader.Defect.impossibleShape(name, facts.shape)
      }
      size = product
    }
    guard facts.offsets.count == 2, facts.offsets[0] >= 0,
      facts.offsets[0] <= facts.offsets[1],
      facts.offsets[1] - facts.offsets[0] == size
    else {
      throw SafetensorsHeader.Defect.wrongOffsets(name, size: size, facts.offsets)
    }
    self.init(
      name: name, type: type, shape: facts.shape, bytes: facts.offsets[0]..<facts.offsets[1])
  }
}
