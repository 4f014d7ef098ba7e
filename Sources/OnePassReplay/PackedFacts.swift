import OnePassCore

/// Position, label, draws and form of an item in 8 bytes: 35, 10, 17 and 2 bits.
struct PackedFacts: Sendable {
  private var bits: UInt64

  /// How the bytes of an image are to be read, and what the rest of its row says of them.
  enum Form: UInt64 {
    /// A file; its size is in the row.
    case file
    /// Bare pixels of one channel or of three; width and height are in the row.
    case grey, colour
    /// What does not fit: ``ImageFront`` says all, the label too.
    case unusual
  }

  /// Positions in a stream are below this.
  static let arrivalLimit = 1 << 35
  private static let labelShift = 35
  private static let drawsShift = 45
  private static let formShift = 62
  private static let drawsLimit: UInt32 = 1 << 17
  static let labelLimit: Int32 = 1 << 10

  /// - Parameter label: Kept where it is below the limit.
  /// - Precondition: `arrival` is below the limit.
  init(arrival: Int, label: Int32, draws: UInt32, form: Form) {
    precondition(
      (0..<Self.arrivalLimit).contains(arrival), "A position is in 0 ..< 2^35, not \(arrival).")
    bits = UInt64(arrival) | UInt64(Self.counted(draws)) << Self.drawsShift | form.rawValue << Self.formShift
    if label < Self.labelLimit { bits |= UInt64(label) << Self.labelShift }
  }

  /// Draws as they are counted: after 131,071 on from 65,536, so that a visit remains unlike those before it for long.
  private static func counted(_ draws: UInt32) -> UInt32 {
    draws < drawsLimit ? draws : drawsLimit / 2 + draws % (drawsLimit / 2)
  }

  var arrival: Int { Int(bits & UInt64(Self.arrivalLimit - 1)) }
  var label: Int32 { Int32(bits >> Self.labelShift & UInt64(Self.labelLimit - 1)) }
  var draws: UInt32 { UInt32(bits >> Self.drawsShift & UInt64(Self.drawsLimit - 1)) }
  var form: Form { Form(rawValue: bits >> Self.formShift) ?? .unusual }

  /// Counts a draw. Returns how many there are now.
  mutating func countDraw() -> UInt32 {
    let counted = Self.counted(draws + 1)
    bits = bits & ~(UInt64(Self.drawsLimit - 1) << Self.drawsShift) | UInt64(counted) << Self.drawsShift
    return counted
  }
}
