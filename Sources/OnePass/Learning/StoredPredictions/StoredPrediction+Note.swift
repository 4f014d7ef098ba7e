import OnePassReplay

// Conversions of a prediction: to the note of an item, to text, and to the output of `memory inspect`.

extension StoredPrediction {
  static let bytes = 12

  /// The three words, little-endian.
  var note: ItemNote {
    var bytes: [UInt8] = []
    for word in words { bytes.append(integer: word) }
    return ItemNote(bytes)
  }

  /// - Returns: `nil` if the note has another size.
  init?(_ note: ItemNote) {
    guard note.bytes.count == Self.bytes else { return nil }
    self.init(
      words: (0..<3).map { word in
        (0..<4).reversed().reduce(0) { $0 << 8 | UInt32(note.bytes[4 * word + $1]) }
      })
  }

  /// The classes with their probabilities in 255ths, most likely first, as `7:204 2:51`.
  var text: String {
    zip(classes, probabilities).map { "\($0):\(Int(($1 * 255).rounded()))" }.joined(separator: " ")
  }

  init?(text: Substring) {
    let pairs = text.split(separator: " ").map { $0.split(separator: ":", omittingEmptySubsequences: false) }
    let (classes, levels) = (pairs.compactMap { Int($0[0]) }, pairs.compactMap { Int($0.last ?? "") })
    guard pairs.allSatisfy({ $0.count == 2 }), (1...Self.mostClasses).contains(pairs.count),
      classes.count == pairs.count, Set(classes).count == pairs.count,
      classes.allSatisfy({ (0..<Self.classLimit).contains($0) }), levels.count == pairs.count,
      levels.allSatisfy({ (0...255).contains($0) }), levels.reduce(0, +) <= 255
    else { return nil }
    self.init(classes: classes, probabilities: levels.map { Float($0) / 255 })
  }
}

extension MemoryItem {
  /// The model's prediction when the image was last trained; `nil` without `--stored-predictions`.
  public var storedPrediction: StoredPrediction? { note.flatMap { StoredPrediction($0) } }
}

extension Collection<MemoryItem> {
  /// The number of items whose stored prediction has their label as its most likely class; `nil` without stored predictions.
  var recognised: Int? {
    let predictions = compactMap { item in item.storedPrediction.map { (item.label, $0) } }
    return predictions.isEmpty ? nil : predictions.count { $1.classes.first == $0 }
  }
}

extension MemoryFigures {
  /// A class of a stored prediction.
  public struct LikelyClass: Encodable {
    public let label: Int
    public let className: String
    /// 0 … 1, a multiple of 1/255.
    public let probability: Float
  }
}

extension StoredPrediction {
  /// The classes with their names, most likely first.
  func likelyClasses(_ card: ModelCard) -> [MemoryFigures.LikelyClass] {
    zip(classes, probabilities).map { label, probability in
      MemoryFigures.LikelyClass(label: label, className: card.className(label), probability: probability)
    }
  }
}
