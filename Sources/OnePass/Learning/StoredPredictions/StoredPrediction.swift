/// A model's prediction for an example in 12 bytes: the four most likely classes, and their probabilities in 8 bits.
///
/// The remaining probability is divided equally among all other classes, so that the result is a distribution.
///
/// The partial sums p₁, p₁ + p₂, … are rounded to 255ths, so that rounding errors do not accumulate. A sum has an error of at most
/// 1/510, and a stored probability of at most 1/255. The error of any other class is at most the last stored probability plus
/// 1/510; the last stored probability is at most 1/4.
///
/// ```swift
/// let prediction = StoredPrediction(classes: [7, 2], probabilities: [0.8, 0.2])
/// print(prediction.distribution(over: 10)[7])  // 0.8
/// ```
public struct StoredPrediction: Hashable, Sendable {
  /// The maximum number of stored classes.
  public static let mostClasses = 4
  /// The exclusive upper bound of class labels.
  public static let classLimit = 1 << 16
  private static let whole = 255

  /// Two words with two classes each, in 16 bits, and a word with four probabilities in 8 bits. If fewer classes are stored, the
  /// last one is repeated.
  private let firstClasses, lastClasses, levels: UInt32

  /// - Parameters:
  ///   - classes: The most likely classes, in descending order of probability; at most ``mostClasses``, each below
  ///     ``classLimit``.
  ///   - probabilities: Their probabilities, 0 … 1, with a sum of at most 1.
  public init(classes: [Int], probabilities: [Float]) {
    precondition(
      (1...Self.mostClasses).contains(classes.count) && classes.count == probabilities.count,
      "A prediction has a probability for each of one to four classes.")
    precondition(
      Set(classes).count == classes.count && classes.allSatisfy { (0..<Self.classLimit).contains($0) },
      "The classes of a prediction are different ones in 0 ..< \(Self.classLimit).")
    let ids = (0..<Self.mostClasses).map { UInt32(classes[min($0, classes.count - 1)]) }
    (firstClasses, lastClasses) = (ids[0] | ids[1] << 16, ids[2] | ids[3] << 16)
    var (levels, sum, before): (UInt32, Float, UInt32) = (0, 0, 0)
    for (place, probability) in probabilities.enumerated() {
      // False for NaN, which counts as 0.
      sum = probability > 0 ? min(sum + probability, 1) : sum
      let rounded = UInt32((sum * Float(Self.whole)).rounded())
      levels |= (rounded - before) << UInt32(8 * place)
      before = rounded
    }
    self.levels = levels
  }

  /// The stored classes, most likely first.
  public var classes: [Int] { named.map(\.id) }

  /// Their probabilities, 0 … 1, multiples of 1/255.
  public var probabilities: [Float] { named.map { Float($0.level) / Float(Self.whole) } }

  /// The probability of each class.
  /// - Parameter classes: The number of classes; greater than every stored class.
  /// - Returns: `classes` probabilities, 0 … 1, with sum 1.
  public func distribution(over classes: Int) -> [Float] {
    precondition(isPossible(over: classes), "This is not a prediction over \(classes) classes.")
    let named = named
    let left = Self.whole - named.reduce(0) { $0 + $1.level }
    let others = classes - named.count
    var distribution = [Float](
      repeating: others > 0 ? Float(left) / Float(Self.whole * others) : 0, count: classes)
    for (id, level) in named { distribution[id] = Float(level) / Float(Self.whole) }
    return distribution
  }

  /// The stored classes, with their probabilities in 255ths.
  private var named: [(id: Int, level: Int)] {
    let places = (0..<Self.mostClasses).map { place in
      let pair = place < 2 ? firstClasses : lastClasses
      return (
        id: Int(pair >> UInt32(16 * (place % 2)) & 0xffff), level: Int(levels >> UInt32(8 * place) & 0xff)
      )
    }
    return places.indices.prefix { $0 == 0 || places[$0].id != places[$0 - 1].id }.map { places[$0] }
  }

  // MARK: As bytes

  /// The prediction as three words.
  var words: [UInt32] { [firstClasses, lastClasses, levels] }

  /// - Parameter words: Three words.
  init(words: [UInt32]) {
    (firstClasses, lastClasses, levels) = (words[0], words[1], words[2])
  }

  /// Whether this is a valid prediction over `classes` classes.
  func isPossible(over classes: Int) -> Bool {
    let named = named
    let sum = named.reduce(0) { $0 + $1.level }
    return named.allSatisfy { $0.id < classes } && Set(named.map(\.id)).count == named.count
      && (named.count < classes ? sum <= Self.whole : sum == Self.whole)
  }
}
