import Foundation
import OnePassCore

/// The header of a safetensors file: which tensor lies where.
///
/// A file is 8 bytes with the header's length (little-endian), the header as JSON, then the tensors' bytes.
/// The header comes from outside, so all of it is checked before any memory is taken for a tensor.
struct SafetensorsHeader {
  struct Entry: Equatable {
    let name: String
    let type: StoredType
    let shape: [Int]
    /// Counted from the end of the header.
    let bytes: Range<Int>
  }

  /// In the order in which they lie in the file.
  let entries: [Entry]
  let metadata: [String: String]

  /// The safetensors library's own limit.
  static let maximumLength = 100_000_000
}

extension SafetensorsHeader {
  /// - Parameters:
  ///   - json: the header's bytes.
  ///   - dataLength: how many bytes follow the header in the file.
  /// - Throws: ``Defect`` for whatever the format does not allow.
  init(json: Data, dataLength: Int) throws {
    guard let table = try? JSONDecoder().decode([String: Item].self, from: json) else {
      throw Defect("its header is not the JSON that the format asks for")
    }
    var metadata: [String: String] = [:]
    var entries: [Entry] = []
    for (name, item) in table {
      switch item {
      case .metadata(let values) where name == "__metadata__": metadata = values
      case .tensor(let facts) where name != "__metadata__": entries.append(try Entry(name, facts))
      default: throw Defect("the entry \(name) of its header is not of the right kind")
      }
    }
    // Empty tensors share their offset with the next one; the name decides, so that the order is fixed.
    entries.sort {
      ($0.bytes.lowerBound, $0.bytes.upperBound, $0.name) < (
        $1.bytes.lowerBound, $1.bytes.upperBound, $1.name
      )
    }
    // One after the other without a gap: then none overlaps another, and none lies outside the file.
    var end = 0
    for entry in entries {
      guard entry.bytes.lowerBound == end else {
        throw Defect("the tensor \(entry.name) does not begin where the one before it ends")
      }
      end = entry.bytes.upperBound
    }
    guard end == dataLength else {
      throw Defect("its header describes \(end) bytes of tensors, but \(dataLength) follow")
    }
    self.entries = entries
    self.metadata = metadata
  }

  /// The header as it is written: JSON in the order of the entries, padded so that the tensors are aligned.
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

  /// What is wrong with a file, as the middle of a sentence.
  struct Defect: Error {
    let text: String
    init(_ text: String) { self.text = text }
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
  /// Checks what one entry says about itself.
  fileprivate init(_ name: String, _ facts: SafetensorsHeader.Facts) throws {
    guard let type = StoredType(rawValue: facts.dtype) else {
      let read = StoredType.allCases.map(\.rawValue).joined(separator: ", ")
      throw SafetensorsHeader.Defect(
        "the tensor \(name) has the type \(facts.dtype), and only \(read) are read")
    }
    var size = type.size
    for extent in facts.shape {
      let (product, overflow) = size.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflow else {
        throw SafetensorsHeader.Defect("the tensor \(name) has the impossible shape \(facts.shape)")
      }
      size = product
    }
    guard facts.offsets.count == 2, facts.offsets[0] >= 0,
      facts.offsets[0] <= facts.offsets[1],
      facts.offsets[1] - facts.offsets[0] == size
    else {
      throw SafetensorsHeader.Defect(
        "the tensor \(name) of \(size) bytes has the offsets \(facts.offsets), which do not fit it")
    }
    self.init(
      name: name, type: type, shape: facts.shape, bytes: facts.offsets[0]..<facts.offsets[1])
  }
}
