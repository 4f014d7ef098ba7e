/// A number of bytes that is parsed from and printed as text with a unit: `500MB`, `2GiB`, `6000B`.
///
/// ```swift
/// let budget = ByteCount("2GiB")?.bytes  // 2147483648
/// let text = "\(ByteCount(1_536_000))"   // "1.54 MB"
/// ```
public struct ByteCount: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The count in bytes.
  public let bytes: Int

  /// Creates a count of `bytes` bytes.
  public init(_ bytes: Int) { self.bytes = bytes }

  /// Parses text such as `500MB` (decimal units) or `2GiB` (binary units); `nil` if it is invalid.
  ///
  /// Case, spaces and underscores are ignored. The unit is required, so that a bare number is never read as bytes by mistake.
  public init?(_ text: String) {
    let units: [(suffix: String, factor: Double)] = [
      ("kib", 0x1p10), ("mib", 0x1p20), ("gib", 0x1p30), ("tib", 0x1p40),
      ("kb", 1e3), ("mb", 1e6), ("gb", 1e9), ("tb", 1e12), ("b", 1),
    ]
    let lowered = text.lowercased()
    guard let unit = units.first(where: { lowered.hasSuffix($0.suffix) }) else { return nil }
    let digits = lowered.dropLast(unit.suffix.count).filter { $0 != " " && $0 != "_" }
    guard let value = Double(digits), value.isFinite, value >= 0, value * unit.factor < 0x1p62 else {
      return nil
    }
    bytes = Int((value * unit.factor).rounded())
  }

  public static func < (a: ByteCount, b: ByteCount) -> Bool { a.bytes < b.bytes }

  /// Up to three significant digits and a decimal unit: `1.54 MB`.
  public var description: String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB"]
    var value = Double(bytes)
    var unit = 0
    while value >= 999.5, unit < units.count - 1 {
      value /= 1000
      unit += 1
    }
    if unit == 0 { return "\(bytes) B" }
    let decimals = value < 9.995 ? 100.0 : value < 99.95 ? 10.0 : 1.0
    let rounded = (value * decimals).rounded() / decimals
    return decimals == 1 ? "\(Int(rounded)) \(units[unit])" : "\(rounded) \(units[unit])"
  }
}
