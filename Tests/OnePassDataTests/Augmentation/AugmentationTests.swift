import OnePassCore
import TestSupport
import Testing

@testable import OnePassData

@Suite("Random augmentation of each visit")
struct AugmentationTests {
  static let pipelines = [
    ImagePipeline(size: 24, channels: 3, geometry: .padAndCrop(padding: 4)),
    ImagePipeline(size: 24, channels: 1, geometry: .resizeAndCrop(resize: 27)),
  ]
  static let choices = ["rand", "trivial", "cut-out", "rand,cut-out", "trivial,cut-out"]

  func levels(
    _ image: EncodedImage, _ pipeline: ImagePipeline, _ augmentation: Augmentation, _ view: ImagePipeline.View
  ) throws -> [UInt8] {
    var levels = [UInt8](repeating: 0, count: pipeline.elementsPerImage)
    let renderer = ImageRenderer(pipeline: pipeline, augmentation: augmentation)
    try levels.withUnsafeMutableBufferPointer { try renderer.render(image, view, into: $0) }
    return levels
  }

  @Test("Names are parsed in any order and written in a fixed order")
  func names() throws {
    for name in Self.choices + ["standard"] {
      let choice = try AugmentationChoice(name)
      #expect(choice.rawValue == name && AugmentationChoice(rawValue: name) == choice)
    }
    #expect(try AugmentationChoice("cut-out,rand").rawValue == "rand,cut-out")
    #expect(try AugmentationChoice("standard") == .standard)
    for (name, words) in [
      ("blur", "must be standard, or one or more of rand, trivial, cut-out"), ("", "must be standard"),
      ("rand,", "must be standard"), ("rand,trivial", "rand and trivial exclude each other"),
      ("rand,rand", "a name is repeated"), ("standard,rand", "standard is crop and flip only"),
    ] {
      let error = #expect(throws: OnePassError.self) { try AugmentationChoice(name) }
      #expect(error?.code == .usage && error?.message.contains(words) == true, "\(error?.message ?? "")")
      #expect(AugmentationChoice(rawValue: name) == nil)
    }
  }

  @Test("Strength is min(1, visit / growth)")
  func strength() throws {
    let choice = try AugmentationChoice("rand")
    func strengths(_ growth: Double) -> [Double] {
      [0, 1, 2, 3, 4, 9].map { Augmentation(choice, growth: growth).strength(visit: $0) }
    }
    #expect(strengths(0) == [1, 1, 1, 1, 1, 1])
    #expect(strengths(1) == [0, 1, 1, 1, 1, 1])
    #expect(strengths(4) == [0, 0.25, 0.5, 0.75, 1, 1])
    #expect(Augmentation.standard.strength(visit: 9) == 0)
    #expect(Augmentation(choice).magnitude == 0.3)
    #expect(Augmentation(try AugmentationChoice("trivial")).magnitude == 1)
  }

  @Test("Arriving images and centre crops are unchanged; replayed images are augmented", arguments: choices)
  func onlyVisitsAreAugmented(name: String) throws {
    let augmentation = Augmentation(try AugmentationChoice(name))
    let image = try ImageFixtures.file("444.jpg")
    for pipeline in Self.pipelines {
      var changed = 0
      for id in 0..<40 {
        let arrival = ImagePipeline.View.augmented(seed: 3, id: id, visit: 0)
        #expect(
          try levels(image, pipeline, augmentation, arrival) == levels(image, pipeline, .standard, arrival))
        let replay = ImagePipeline.View.augmented(seed: 3, id: id, visit: 1)
        let made = try levels(image, pipeline, augmentation, replay)
        changed += made == (try levels(image, pipeline, .standard, replay)) ? 0 : 1
        #expect(try made == levels(image, pipeline, augmentation, replay))
      }
      // The identity alone is drawn once in 14 times.
      #expect(changed > 25)
      #expect(
        try levels(image, pipeline, augmentation, .centre) == levels(image, pipeline, .standard, .centre))
    }
  }

  @Test("Floats are exactly the normalised levels", arguments: choices + ["standard"])
  func floatsAreLevels(name: String) throws {
    let augmentation = Augmentation(try AugmentationChoice(name), growth: 0)
    for pipeline in Self.pipelines {
      let renderer = ImageRenderer(pipeline: pipeline, augmentation: augmentation)
      let (mean, deviation) = (pipeline.normalisation.mean, pipeline.normalisation.deviation)
      for id in 0..<20 {
        let view = ImagePipeline.View.augmented(seed: 3, id: id, visit: 5)
        var floats = [Float](repeating: .nan, count: pipeline.elementsPerImage)
        try floats.withUnsafeMutableBufferPointer {
          try renderer.render(ImageFixtures.file("rgb.png"), view, into: $0)
        }
        let expected = try levels(ImageFixtures.file("rgb.png"), pipeline, augmentation, view)
        for (index, level) in expected.enumerated() {
          let channel = index % pipeline.channels
          #expect(
            floats[index] == Float(level) * (1 / (255 * deviation[channel])) - mean[channel]
              / deviation[channel])
        }
      }
    }
  }

  /// With 27 degrees of freedom, five sigmas are a false alarm once in three million runs.
  @Test("Operations and their signs are drawn uniformly", arguments: AugmentationPolicy.allCases)
  func operationsAreUniform(policy: AugmentationPolicy) {
    var counts: [String: Int] = [:]
    let draws = 28_000
    for id in 0..<draws {
      var generator = SeededGenerator(seed: 5, .imageOperations, id, 3)
      let operation = policy.operation(side: 331, magnitude: 1, strength: 1, using: &generator)
      counts[name(of: operation), default: 0] += 1
    }
    let signed = ["shearX", "shearY", "translateX", "translateY", "rotate"]
      .flatMap { ["\($0)+", "\($0)-"] }
    let enhanced = ["brightness", "colour", "contrast", "sharpness"].flatMap { ["\($0)+", "\($0)-"] }
    let others = ["identity", "posterise", "solarise", "autoContrast", "equalise"]
    // Magnitudes go down to 0, and a shift of 0 has no sign.
    #expect(policy == .trivial || Set(counts.keys) == Set(signed + enhanced + others))
    let names = signed + enhanced + others
    let observed =
      policy == .rand
      ? names.map { counts[$0] ?? 0 }
      : [
        "shearX", "shearY", "translateX", "translateY", "rotate", "brightness", "colour", "contrast",
        "sharpness",
      ]
      .map { name in counts.filter { $0.key.hasPrefix(name) }.values.reduce(0, +) }
        + others.map { counts[$0] ?? 0 }
    let probabilities =
      policy == .rand
      ? names.map { others.contains($0) ? 1.0 / 14 : 1.0 / 28 } : observed.map { _ in 1.0 / 14 }
    let statistic = Statistics.chiSquared(observed: observed, probabilities: probabilities)
    #expect(
      statistic < Statistics.chiSquaredBound(degreesOfFreedom: observed.count - 1, sigmas: 5), "\(counts)")
  }

  private func name(of operation: ImageOperation?) -> String {
    func signed(_ name: String, _ value: Double) -> String {
      value == 0 ? name : name + (value > 0 ? "+" : "-")
    }
    return switch operation {
    case nil: "identity"
    case .shearX(let shear): signed("shearX", shear)
    case .shearY(let shear): signed("shearY", shear)
    case .translateX(let shift): signed("translateX", Double(shift))
    case .translateY(let shift): signed("translateY", Double(shift))
    case .rotate(let degrees): signed("rotate", degrees)
    case .brightness(let factor): signed("brightness", factor - 1)
    case .colour(let factor): signed("colour", factor - 1)
    case .contrast(let factor): signed("contrast", factor - 1)
    case .sharpness(let factor): signed("sharpness", factor - 1)
    case .posterise: "posterise"
    case .solarise: "solarise"
    case .autoContrast: "autoContrast"
    case .equalise: "equalise"
    }
  }

  @Test("TrivialAugment draws torchvision's 31 magnitudes uniformly, up to the given maximum")
  func magnitudesAreUniform() {
    var counts = [Int](repeating: 0, count: 31)
    for id in 0..<200_000 {
      var generator = SeededGenerator(seed: 5, .imageOperations, id, 3)
      let operation = AugmentationPolicy.trivial.operation(
        side: 32, magnitude: 0.8, strength: 0.5, using: &generator)
      guard case .rotate(let degrees) = operation else { continue }
      // Of 135 degrees 0.8 · 0.5 in thirty parts.
      counts[Int((abs(degrees) / (135 * 0.4) * 30).rounded())] += 1
    }
    let statistic = Statistics.chiSquared(
      observed: counts, probabilities: counts.map { _ in 1.0 / Double(counts.count) })
    #expect(statistic < Statistics.chiSquaredBound(degreesOfFreedom: 30, sigmas: 5), "\(counts)")
  }

  @Test("RandAugment applies two operations of one magnitude, scaled by the strength")
  func strengthWeakens() {
    #expect(AugmentationPolicy.rand.count == 2 && AugmentationPolicy.trivial.count == 1)
    var (degrees, equalised, draws) = (Set<Double>(), 0, 0)
    for id in 0..<60_000 {
      var generator = SeededGenerator(seed: 5, .imageOperations, id, 3)
      switch AugmentationPolicy.rand.operation(side: 32, magnitude: 0.5, strength: 0.25, using: &generator) {
      case .rotate(let angle): degrees.insert(abs(angle))
      case .equalise: equalised += 1
      default: break
      }
      draws += 1
    }
    #expect(degrees == [30 * 0.5 * 0.25])
    // One in 14, and a quarter of those is applied.
    let tolerance = Statistics.binomialTolerance(probability: 0.25 / 14, trials: draws, sigmas: 5)
    #expect(abs(Double(equalised) / Double(draws) - 0.25 / 14) < tolerance)
  }

  @Test(
    "The centre of the cut-out square is uniform over the image, and its side is half of the image's times the strength"
  )
  func cutOutIsUniform() throws {
    let pipeline = ImagePipeline(
      size: 8, channels: 1, geometry: .padAndCrop(padding: 0),
      normalisation: Normalisation(mean: [1], deviation: [1]))
    let black = EncodedImage(
      bytes: [UInt8](repeating: 0, count: 64), encoding: .pixels(width: 8, height: 8, channels: 1))
    let augmentation = Augmentation(try AugmentationChoice("cut-out"), growth: 4)
    var counts = [Int](repeating: 0, count: 64)
    for id in 0..<6_400 {
      // At a quarter of the strength, the centre pixel.
      let small = try levels(black, pipeline, augmentation, .augmented(seed: 1, id: id, visit: 1))
      let cut = small.indices.filter { small[$0] == 255 }
      #expect(cut.count == 1)
      if let place = cut.first { counts[place] += 1 }
      guard id < 100 else { continue }
      let whole = try levels(black, pipeline, augmentation, .augmented(seed: 1, id: id, visit: 4))
      // Four by four, without the part outside the image.
      #expect([4, 6, 8, 9, 12, 16].contains(whole.count { $0 == 255 }))
    }
    let statistic = Statistics.chiSquared(observed: counts, probabilities: counts.map { _ in 1.0 / 64 })
    #expect(statistic < Statistics.chiSquaredBound(degreesOfFreedom: 63, sigmas: 5), "\(counts)")
  }

  @Test("Any number of threads, in any order, gives the same images", arguments: [PixelType.float32, .uint8])
  func anyThreads(pixelType: PixelType) throws {
    let files = try ["420.jpg", "rgb.png", "cmyk.jpg"].map(ImageFixtures.file)
    let examples = (0..<60).map { Example(id: $0, label: 0, image: files[$0 % 3]) }
    func batch(threads: Int, _ order: [Int]) throws -> [Int: [UInt8]] {
      let pool = DecodePool(
        pipeline: Self.pipelines[0], threads: threads, pixelType: pixelType,
        augmentation: Augmentation(try AugmentationChoice("rand,cut-out"), growth: 2))
      defer { pool.shutdown() }
      let batch = try pool.submit(
        order.map { examples[$0] }, views: order.map { .augmented(seed: 2, id: $0, visit: $0 % 4) }
      ).wait()
      let bytes = Self.pipelines[0].elementsPerImage * pixelType.size
      let raw = UnsafeRawBufferPointer(start: batch.baseAddress, count: bytes * batch.count)
      return Dictionary(
        uniqueKeysWithValues: order.enumerated().map { place, id in
          (id, Array(raw[place * bytes..<(place + 1) * bytes]))
        })
    }
    let one = try batch(threads: 1, Array(0..<60))
    #expect(try batch(threads: 3, Array((0..<60).reversed())) == one)
    #expect(try batch(threads: 8, Array(0..<60)) == one)
    #expect(Set(one.values.map { $0 }).count == 60)
  }
}
