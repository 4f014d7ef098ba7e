/// What a model took an example for, in 12 bytes: its four likeliest classes, and their probabilities in 8 bits.
///
/// What these leave of the whole belongs to all other classes alike, so that it is a distribution again.
///
/// Of p₁, p₁ + p₂, … each sum is rounded to 255ths, so that no part gets lost: a sum is off by at most 1/510, a probability that
/// is named by at most 1/255, and one that is not by at most 1/510 more than the last that is, which is 1/4 at most.
///
/// ```swift
/// let prediction = StoredPrediction(classes: [7, 2], probabilities: [0.8, 0.2])
/// print(prediction.distribution(over: 10)[7])  // 0.8
/// ```
public struct StoredPrediction: Hashable, Sendable {
  /// The most classes that are named.
  public static let mostClasses = 4
  /// Classes are below this.
  public static let classLimit = 1 << 16
  private static let whole = 255

  /// The first two classes, and the other two, in 16 bits each, and four probabilities in 8 bits each. Where fewer are named, the
  /// last one fills the places that are left.
  private let firstClasses, lastClasses, levels: UInt32

  /// - Parameters:
  ///   - classes: The likeliest, in falling order; at most ``mostClasses``, each below ``classLimit``.
  ///   - probabilities: Theirs, 0 … 1; together at most 1.
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
      // Written so that what is no number counts as nothing.
      sum = probability > 0 ? min(sum + probability, 1) : sum
      let rounded = UInt32((sum * Float(Self.whole)).rounded())
      levels |= (rounded - before) << UInt32(8 * place)
      before = rounded
    }
    self.levels = levels
  }

  /// The classes that it names, the likeliest first.
  public var classes: [Int] { named.map(\.id) }

  /// Their probabilities, 0 … 1, multiples of 1/255.
  public var probabilities: [Float] { named.map { Float($0.level) / Float(Self.whole) } }

  /// The probability of each class.
  /// - Parameter classes: How many there are: more than each that is named.
  /// - Returns: `classes` numbers of 0 … 1 that sum to 1.
  public func distribution(over classes: Int) -> [Float] {
    precondition(isPossible(over: classes), "This is no prediction over \(classes) classes.")
    let named = named
    let left = Self.whole - named.reduce(0) { $0 + $1.level }
    let others = classes - named.count
    var distribution = [Float](
      repeating: others > 0 ? Float(left) / Float(Self.whole * others) : 0, count: classes)
    for (id, level) in named { distribution[id] = Float(level) / Float(Self.whole) }
    return distribution
  }

  /// The classes that are named, with their probabilities in 255ths.
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

  package static let bytes = 12

  /// What it is, in three numbers.
  package var words: [UInt32] { [firstClasses, lastClasses, levels] }

  /// - Parameter words: Three of them.
  package init(words: [UInt32]) {
    (firstClasses, lastClasses, levels) = (words[0], words[1], words[2])
  }

  /// Whether this can be a prediction over so many classes.
  package func isPossible(over classes: Int) -> Bool {
    let named = named
    let sum = named.reduce(0) { $0 + $1.level }
    return named.allSatisfy { $0.id < classes } && Set(named.map(\.id)).count == named.count
      && (named.count < classes ? sum <= Self.whole : sum == Self.whole)
  }
}
