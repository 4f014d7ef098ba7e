/// Many short names in one array. Separate strings would take about 40 bytes more for each name.
struct PackedNames {
  /// The maximum total length in bytes.
  static let limit = Int(UInt32.max)

  private var bytes: [UInt8] = []
  /// Name i has the bytes `starts[i] ..< starts[i + 1]`.
  private var starts: [UInt32] = [0]

  var count: Int { starts.count - 1 }

  /// Adds a name. Returns `false` and adds nothing if the total length would exceed 4 GiB.
  mutating func append(_ name: some Collection<UInt8>) -> Bool {
    guard bytes.count + name.count <= Self.limit else { return false }
    bytes += name
    starts.append(UInt32(bytes.count))
    return true
  }

  subscript(index: Int) -> ArraySlice<UInt8> { bytes[Int(starts[index])..<Int(starts[index + 1])] }
}
