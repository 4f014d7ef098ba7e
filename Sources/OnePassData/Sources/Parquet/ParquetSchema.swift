import OnePassCore

/// The stored form of a column's values.
enum ParquetType: Hashable {
  case boolean
  /// Integers of 4 or 8 bytes.
  case integer(bytes: Int, isSigned: Bool)
  /// Bytes, all of the same length unless it is `nil`.
  case bytes(length: Int?)
  /// Floating-point numbers and 12-byte times.
  case unusable

  /// The integer that these bits are, of which the lowest `width` bytes count.
  func integer(_ bits: UInt64, _ width: Int, _ isSigned: Bool) -> Int {
    switch (width, isSigned) {
    case (4, true): Int(Int32(truncatingIfNeeded: bits))
    case (4, false): Int(UInt32(truncatingIfNeeded: bits))
    case (_, true): Int(truncatingIfNeeded: bits)
    case (_, false): Int(clamping: bits)
    }
  }
}

/// A column of a Parquet file: a leaf of its schema.
struct ParquetLeaf {
  /// What a column's values mean.
  enum Content: Hashable { case boolean, integer, bytes, text, other }

  let path: [String]
  let type: ParquetType
  let content: Content
  /// The type as error messages name it.
  let typeName: String
  /// The maximum definition level: the number of optional fields on the path.
  let largestLevel: Int
  /// Whether it is in a list, so that a row can have any number of values.
  let isRepeated: Bool

  /// The leaves of a schema.
  /// - Throws: `OnePassError` (`badData`) if the schema is damaged.
  static func leaves(of schema: [ThriftValue], in name: String) throws -> [ParquetLeaf] {
    var leaves: [ParquetLeaf] = []
    var place = 1
    func descend(_ path: [String], level: Int, isRepeated: Bool, children: Int, depth: Int) throws {
      for _ in 0..<children {
        guard place < schema.count, depth < 32, let title = schema[place][4]?.text else {
          throw OnePassError.unreadableParquet(name, .damagedSchema)
        }
        let element = schema[place]
        place += 1
        let repetition = element[3]?.integer ?? 0
        let level = level + (repetition == 0 ? 0 : 1)
        let isRepeated = isRepeated || repetition == 2
        if let children = element[5]?.integer, children > 0 {
          try descend(
            path + [title], level: level, isRepeated: isRepeated, children: children, depth: depth + 1)
        } else if let type = element[1]?.integer {
          leaves.append(
            ParquetLeaf(path + [title], element, type: type, level: level, isRepeated: isRepeated))
        }
      }
    }
    guard let root = schema.first, let children = root[5]?.integer, children >= 0 else {
      throw OnePassError.unreadableParquet(name, .damagedSchema)
    }
    try descend([], level: 0, isRepeated: false, children: children, depth: 0)
    return leaves
  }

  /// - Parameters:
  ///   - element: `SchemaElement` of parquet.thrift.
  ///   - code: `Type` of parquet.thrift.
  private init(_ path: [String], _ element: ThriftValue, type code: Int, level: Int, isRepeated: Bool) {
    self.path = path
    largestLevel = level
    self.isRepeated = isRepeated
    let meaning = Meaning(element)
    let isSigned = meaning != .unsigned
    (type, content) =
      switch (code, meaning) {
      case (0, .plain): (.boolean, .boolean)
      case (1, .plain), (1, .unsigned): (.integer(bytes: 4, isSigned: isSigned), .integer)
      case (2, .plain), (2, .unsigned): (.integer(bytes: 8, isSigned: isSigned), .integer)
      case (6, .plain): (.bytes(length: nil), .bytes)
      case (6, .text): (.bytes(length: nil), .text)
      case (7, .plain): (.bytes(length: element[2]?.integer.flatMap { $0 > 0 ? $0 : nil } ?? 0), .bytes)
      default: (.unusable, .other)
      }
    let names = [
      "BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY",
    ]
    let stored = names.indices.contains(code) ? names[code] : "type \(code)"
    typeName = isRepeated ? "a list" : meaning == .other ? "\(stored) with another meaning" : stored
  }

  /// The part of a logical type that distinguishes columns of images and labels.
  private enum Meaning {
    case plain, unsigned, text, other

    /// The newer `logicalType` before the older `converted_type`.
    init(_ element: ThriftValue) {
      if case .structure(let fields)? = element[10], let (kind, details) = fields.first {
        switch kind {
        case 1, 4: self = .text  // STRING, ENUM
        case 10: self = details[2]?.integer == 0 ? .unsigned : .plain  // INTEGER
        default: self = .other
        }
        return
      }
      switch element[6]?.integer {
      case nil, 15, 16, 17, 18: self = .plain  // INT_8 to INT_64
      case 0, 4: self = .text  // UTF8, ENUM
      case 11, 12, 13, 14: self = .unsigned  // UINT_8 to UINT_64
      default: self = .other
      }
    }
  }
}
