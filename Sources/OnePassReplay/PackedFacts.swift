/// Position, label, draws and form of an item in 8 bytes: 35, 16, 11 and 2 bits.
///
/// What does not fit is ``isExceptional``: its label, draws and form stand elsewhere.
struct PackedFacts: Sendable {
  private var bits: UInt64

  /// Positions in a stream are below this.
  static let arrivalLimit = 1 << 35
  private static let (labelShift, drawsShift, formShift) = (35, 51, 62)
  private static let (labelLimit, drawsLimit) = (1 << 16, 1 << 11)
  /// The forms that have a number of their own.
  static let formLimit = 3

  /// - Parameter form: The number of its form; `nil` if that has none.
  /// - Precondition: `arrival` is below the limit.
  init(arrival: Int, label: Int32, draws: UInt32, form: Int?) {
    precondition(
      (0..<Self.arrivalLimit).contains(arrival), "A position is in 0 ..< 2^35, not \(arrival).")
    bits = UInt64(arrival)
    if let form, (0..<Self.labelLimit).contains(Int(label)), draws < Self.drawsLimit {
      bits |=
        UInt64(label) << Self.labelShift | UInt64(draws) << Self.drawsShift | UInt64(form) << Self.formShift
    } else {
      bits |= UInt64(Self.formLimit) << Self.formShift
    }
  }

  var isExceptional: Bool { form == Self.formLimit }
  var arrival: Int { Int(bits & UInt64(Self.arrivalLimit - 1)) }
  var label: Int32 { Int32(bits >> Self.labelShift & UInt64(Self.labelLimit - 1)) }
  var draws: UInt32 { UInt32(bits >> Self.drawsShift & UInt64(Self.drawsLimit - 1)) }
  var form: Int { Int(bits >> Self.formShift) }

  /// Counts a draw if there is room for it. Returns whether there was.
  mutating func countDraw() -> Bool {
    guard !isExceptional, draws < Self.drawsLimit - 1 else { return false }
    bits += 1 << Self.drawsShift
    return true
  }
}
