/// The accuracy on incoming examples, each measured before the update on it.
///
/// Source: Blum, Kalai and Langford 1999, "progressive validation".
struct OnlineAccuracy: Codable {
  private(set) var correct = 0
  private(set) var count = 0

  mutating func record(correct: Int, of count: Int) {
    self.correct += correct
    self.count += count
  }

  /// The accuracy, 0 … 1; `nil` before the first example.
  var value: Double? { count == 0 ? nil : Double(correct) / Double(count) }
}
