/// Many short names, one after the other in one array: a string of its own would cost each some 40 bytes more.
struct PackedNames {
  /// The most bytes of all names together.
  static let limit = Int(UInt32.max)

  private var bytes: [UInt8] = []
  /// Name i has the bytes `starts[i] ..< starts[i + 1]`.
  private var starts: [UInt32] = [0]

  var count: Int { starts.count - 1 }

  /// Adds a name; `false`, and nothing is added, if all together would exceed 4 GiB.
  mutating func append(_ name: some Collection<UInt8>) -> Bool {
    guard bytes.count + name.count <= Self.limit else { return false }
    bytes += name
    starts.append(UInt32(bytes.count))
    return true
  }

  subscript(index: Int) -> ArraySlice<UInt8> { bytes[Int(starts[index])..<Int(starts[index + 1])] }
}
