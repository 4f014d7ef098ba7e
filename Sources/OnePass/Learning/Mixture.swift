import OnePassCore
import OnePassReplay
import OnePassTorch

/// How the images of a mini-batch are mixed, each with the one before it, and the first with the last.
///
/// It is what torchvision's `MixUp` and `CutMix` do (`torchvision.transforms.v2`): one λ for the whole mini-batch, and the
/// mini-batch rolled by one as the partners.
struct Mixture: Hashable {
  /// λ, the share of each image itself, 0 … 1; with a box, by its area.
  let share: Double
  /// The part of each image that is its partner's, in pixels; where `nil`, all of it is both.
  let box: Box?

  struct Box: Hashable {
    var x: Range<Int>
    var y: Range<Int>
  }

  /// Draws a mixture.
  /// - Parameters:
  ///   - kind: mixup or CutMix.
  ///   - alpha: λ is drawn from Beta(α, α).
  ///   - width: of the images, in pixels.
  ///   - height: of the images, in pixels.
  init(
    _ kind: Mixing, alpha: Double, width: Int, height: Int, using generator: inout SeededGenerator
  ) {
    let share = generator.nextBeta(alpha)
    if kind == .cutmix {
      let centre = (x: generator.next(below: width), y: generator.next(below: height))
      self.init(cutting: share, centre: centre, width: width, height: height)
    } else {
      self.init(averaging: share)
    }
  }

  init(averaging share: Double) {
    self.share = share
    box = nil
  }

  /// A box of the share 1 − λ of an image, as far as it lies within it, and the share that is then left of the rest.
  init(cutting share: Double, centre: (x: Int, y: Int), width: Int, height: Int) {
    let radius = 0.5 * (1 - share).squareRoot()
    func side(_ centre: Int, _ length: Int) -> Range<Int> {
      let half = Int(radius * Double(length))
      return max(0, centre - half)..<min(length, centre + half)
    }
    let box = Box(x: side(centre.x, width), y: side(centre.y, height))
    self.share = 1 - Double(box.x.count * box.y.count) / Double(width * height)
    self.box = box
  }

  /// The mixed images.
  /// - Parameter images: `[N, C, H, W]`.
  func callAsFunction(_ images: Tensor) throws -> Tensor {
    let count = images.shape[0]
    let partners = try concatenated([
      images.narrowed(from: count - 1, length: 1), images.narrowed(from: 0, length: count - 1),
    ])
    guard let box else { return try images * share + partners * (1 - share) }
    func part(_ tensor: Tensor) throws -> Tensor {
      try tensor.narrowed(dimension: 2, from: box.y.lowerBound, length: box.y.count)
        .narrowed(dimension: 3, from: box.x.lowerBound, length: box.x.count)
    }
    let mixed = try images.copied()
    try part(mixed).copy(from: part(partners))
    return mixed
  }

  /// λ·v_i + (1 − λ)·v_{i−1}: what images, or what was built of them row by row, have after mixing.
  func mixed(_ values: [Float], rowsOf width: Int = 1) -> [Float] {
    let share = Float(share)
    return values.indices.map { index in
      let partner = index >= width ? index - width : index + values.count - width
      return share * values[index] + (1 - share) * values[partner]
    }
  }
}

/// The targets of a run that are more than the label, and the mixtures of its images.
struct SoftTargets {
  private let smoothing: Double
  private let storedShare: Double
  private let mixing: Mixing
  private let alpha: Double
  private let seed: UInt64
  private let classes: Int

  /// `nil` where the label is all there is.
  init?(_ configuration: RunConfiguration, classes: Int) {
    guard
      configuration.recipe.labelSmoothing > 0 || configuration.recipe.mixing != .none
        || configuration.memory.storedPredictions > 0
    else { return nil }
    smoothing = configuration.recipe.labelSmoothing
    storedShare = configuration.memory.storedPredictions
    mixing = configuration.recipe.mixing
    alpha = configuration.recipe.mixingAlpha ?? configuration.recipe.mixing.standardAlpha
    seed = configuration.seed
    self.classes = classes
  }

  /// How a mini-batch of images that were trained before is mixed; `nil` if it is not.
  /// - Parameters:
  ///   - update: The updates before.
  ///   - part: The place of the mini-batch among those of one update.
  ///   - shape: That of its images, `[N, C, H, W]`.
  func mixture(update: Int, part: Int, shape: [Int]) -> Mixture? {
    guard mixing != .none else { return nil }
    var generator = SeededGenerator(seed: seed, .mixing, update, part)
    return Mixture(mixing, alpha: alpha, width: shape[3], height: shape[2], using: &generator)
  }

  /// Whether the memory is to keep what the model takes images for. What it takes a mixture for says nothing of one of them.
  /// - Parameter mixing: Whether they were trained before, and may be mixed.
  func stores(mixing: Bool) -> Bool { storedShare > 0 && (!mixing || self.mixing == .none) }

  /// Whether targets are needed: those of a mixture, of stored predictions, or smoothed ones.
  func isNeeded(_ stored: [StoredPrediction], _ mixture: Mixture?) -> Bool {
    smoothing > 0 || mixture != nil || !stored.isEmpty
  }

  /// q, `[N, classes]` row by row: t = (1 − ε)·[label] + ε / classes, then (1 − w)·t + w·stored, then mixed.
  /// - Parameters:
  ///   - labels: `[N]`.
  ///   - stored: What the model took each for before; where it is empty, q is t.
  ///   - mixture: That of the images.
  func targets(_ labels: [Int], _ stored: [StoredPrediction], _ mixture: Mixture?) -> [Float] {
    precondition(
      stored.isEmpty || stored.count == labels.count, "All of a mini-batch were trained before, or none.")
    let common = Float(smoothing / Double(classes))
    var targets = [Float](repeating: common, count: labels.count * classes)
    for (row, label) in labels.enumerated() {
      targets[row * classes + label] = Float(1 - smoothing + smoothing / Double(classes))
    }
    for (row, prediction) in stored.enumerated() {
      for (id, probability) in prediction.distribution(over: classes).enumerated() {
        let place = row * classes + id
        targets[place] = Float(1 - storedShare) * targets[place] + Float(storedShare) * probability
      }
    }
    return mixture?.mixed(targets, rowsOf: classes) ?? targets
  }
}
