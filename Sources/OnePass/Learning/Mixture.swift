import OnePassCore
import OnePassReplay
import OnePassTorch

/// How the images of a mini-batch are mixed: each with its predecessor, the first with the last.
///
/// The same as torchvision's `MixUp` and `CutMix` (`torchvision.transforms.v2`): one λ for the whole mini-batch, and the
/// mini-batch rolled by one as partners.
struct Mixture: Hashable {
  /// λ, the weight of each image itself, 0 … 1; with a box, its area outside the box.
  let share: Double
  /// The region that is replaced by the partner's, in pixels (CutMix); `nil` for mixup.
  let box: Box?

  struct Box: Hashable {
    var x: Range<Int>
    var y: Range<Int>
  }

  /// Draws a mixture.
  /// - Parameters:
  ///   - kind: `mixup` or `cutmix`.
  ///   - alpha: λ is drawn from Beta(α, α).
  ///   - width: The width of the images, in pixels.
  ///   - height: The height of the images, in pixels.
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

  /// A box of area 1 − λ around a centre, clipped to the image. λ is then recomputed from the clipped box.
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

  /// λ·v_i + (1 − λ)·v_{i−1}: values of images, or rows of values, after mixing.
  func mixed(_ values: [Float], rowsOf width: Int = 1) -> [Float] {
    let share = Float(share)
    return values.indices.map { index in
      let partner = index >= width ? index - width : index + values.count - width
      return share * values[index] + (1 - share) * values[partner]
    }
  }
}

/// Targets other than one-hot labels, and the mixtures of replayed images.
struct SoftTargets {
  private let smoothing: Double
  private let mixing: Mixing
  private let alpha: Double
  private let seed: UInt64
  private let classes: Int
  private let notes: (any ReplayNotes)?

  /// `nil` if the run trains on labels only.
  init?(_ configuration: RunConfiguration, classes: Int) {
    notes = configuration.noteKind?.init(configuration, classes: classes)
    guard
      configuration.recipe.labelSmoothing > 0 || configuration.recipe.mixing != .none
        || notes != nil
    else { return nil }
    smoothing = configuration.recipe.labelSmoothing
    mixing = configuration.recipe.mixing
    alpha = configuration.recipe.mixingAlpha ?? configuration.recipe.mixing.standardAlpha
    seed = configuration.seed
    self.classes = classes
  }

  /// Draws the mixture of a mini-batch that was trained before; `nil` without mixing.
  /// - Parameters:
  ///   - update: The number of updates made before.
  ///   - part: The index of the mini-batch within the update.
  ///   - shape: The shape of its images, `[N, C, H, W]`.
  func mixture(update: Int, part: Int, shape: [Int]) -> Mixture? {
    guard mixing != .none else { return nil }
    var generator = SeededGenerator(seed: seed, .mixing, update, part)
    return Mixture(mixing, alpha: alpha, width: shape[3], height: shape[2], using: &generator)
  }

  /// Makes the notes of a mini-batch; `nil` if none are stored. Mixed images get none, since their logits are of two images.
  /// - Parameter isReplayed: Whether the images were trained before. Only such images are mixed.
  func noteMaker(isReplayed: Bool) -> (any ReplayNotes)? { isReplayed && mixing != .none ? nil : notes }

  /// Whether a mini-batch needs soft targets: it is mixed, has notes, or labels are smoothed.
  func isNeeded(_ notes: [ItemNote], _ mixture: Mixture?) -> Bool {
    smoothing > 0 || mixture != nil || !notes.isEmpty
  }

  /// q, `[N, classes]`, row-major: (1 − ε)·[label] + ε / classes, then changed by the notes, then mixed.
  /// - Parameters:
  ///   - labels: `[N]`.
  ///   - notes: The notes of the images, `[N]`, or empty.
  ///   - mixture: The mixture of the images.
  /// - Throws: `OnePassError` (`badData`) if a note is damaged.
  func targets(_ labels: [Int], _ notes: [ItemNote], _ mixture: Mixture?) throws -> [Float] {
    precondition(
      notes.isEmpty || notes.count == labels.count, "All images of a mini-batch have notes, or none.")
    let common = Float(smoothing / Double(classes))
    var targets = [Float](repeating: common, count: labels.count * classes)
    for (row, label) in labels.enumerated() {
      targets[row * classes + label] = Float(1 - smoothing + smoothing / Double(classes))
    }
    if !notes.isEmpty { try self.notes?.change(&targets, by: notes) }
    return mixture?.mixed(targets, rowsOf: classes) ?? targets
  }
}
