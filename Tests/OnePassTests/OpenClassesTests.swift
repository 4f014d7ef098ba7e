import Foundation
import OnePassCore
import OnePassData
import OnePassTorch
import TestSupport
import Testing

@testable import OnePass

@Suite("Open classes") struct OpenClassesTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  static let images = StripedImages(count: 320)
  static let names = ["d, with \"quotes\"", "c", "7", "a"]

  /// The first 96 images have two classes, the next a third, and the last 64 all four.
  static let order =
    (0..<320).filter { images.label($0) < 2 }.prefix(96)
    + (0..<320).filter { images.label($0) < 3 }.suffix(64) + (0..<64)

  /// A stream whose messages name their class.
  static func stream(broken: Set<Int> = []) -> SequenceSource {
    let stream = order.lazy.enumerated().map { place, index in
      var labelled = images.labelled(index)
      if broken.contains(place) { labelled.image = EncodedImage(bytes: [1, 2, 3]) }
      (labelled.label, labelled.className) = (0, names[labelled.label])
      return labelled
    }
    return SequenceSource("named", stream)
  }

  static func configuration(_ change: (inout RunConfiguration) -> Void = { _ in }) throws -> RunConfiguration
  {
    var configuration = RunConfiguration.small(on: "named", replaySteps: 1)
    (configuration.memory.storage, configuration.data.limit) = (.examples(24), order.count)
    configuration.data.openClasses = try OpenClasses("open")
    configuration.data.brokenLimit = 0.5
    change(&configuration)
    return configuration
  }

  /// Trains, and stops after some steps, if any, to resume.
  @discardableResult
  func train(
    _ run: String, broken: Set<Int> = [], stopping: [Int] = [], evaluation: SequenceSource? = nil,
    _ change: (inout RunConfiguration) -> Void = { _ in }
  ) throws -> (result: RunResult, notices: [String]) {
    var notices: [String] = []
    var stops = stopping[...]
    while true {
      let stop = StopRequest()
      let next = stops.popFirst()
      do {
        let result = try TrainingRun(
          Self.configuration(change), source: Self.stream(broken: broken), evaluationSource: evaluation
        ).start(output: folder.file(run), resuming: true, stop: stop) { event in
          switch event {
          case .notice(let text): notices.append(text)
          case .step(let report) where report.step == next: stop.stop()
          default: break
          }
        }
        return (result, notices)
      } catch is RunStopped { #expect(next != nil) }
    }
  }

  @Test("They are numbered by their first images, and recorded by name")
  func order() throws {
    let (result, notices) = try train("run")
    let labels = Self.order.map { Self.images.label($0) }
    let first = (0..<4).map { labels.firstIndex(of: $0) ?? -1 }
    let expected = (0..<4).sorted { first[$0] < first[$1] }
    #expect(result.plan.classNames == expected.map { Self.names[$0] })
    #expect(result.plan.classes == 4 && result.plan.classLimit == 1_000)
    let card = try RunFiles(folder.file("run")).modelCard()
    #expect(card.classes == 4 && card.classNames == result.plan.classNames)
    let rows = expected.enumerated().map { label, index in
      CSV.row(["\(label)", Self.names[index], "\(first[index])"]) + "\n"
    }
    #expect(
      String(decoding: try folder.bytes(of: "run/found-classes.csv"), as: UTF8.self)
        == "label,name,first_position\n" + rows.joined())
    #expect(notices.contains { $0.hasPrefix("New classes at step 1: ") && $0.hasSuffix("; 2 so far.") })
    #expect(notices.contains { $0.hasPrefix("New class at step ") && $0.hasSuffix("; 4 so far.") })
    #expect(result.configuration.data.openClasses == (try OpenClasses("open:1000")))
  }

  @Test(
    "A run that is stopped before and after each growth has the same weights",
    arguments: [
      { _ in },
      { run in
        (run.recipe.weightAverage, run.recipe.optimiser, run.recipe.labelSmoothing) = (0.9, .muon, 0.1)
      },
      { run in run.data.shuffleBuffer = .examples(40) },
      { run in (run.memory.storedPredictions, run.recipe.weightDecay) = (0.5, 1e-3) },
    ] as [@Sendable (inout RunConfiguration) -> Void])
  func resumption(change: @Sendable (inout RunConfiguration) -> Void) throws {
    let whole = try train("whole", change).result
    let stopped = try train("stopped", stopping: [1, 6, 7, 10, 11], change).result
    #expect(whole.plan == stopped.plan && whole.plan.classes == 4)
    for name in ["model.safetensors", "optimiser.safetensors", "memory.csv", "model.json"] {
      #expect(
        try folder.bytes(of: "whole/checkpoint/\(name)") == folder.bytes(of: "stopped/checkpoint/\(name)"),
        "\(name)")
    }
    #expect(
      try folder.bytes(of: "whole/found-classes.csv") == folder.bytes(of: "stopped/found-classes.csv"))
  }

  private func learner(classes: Int, _ configuration: RunConfiguration) throws -> Learner {
    let pipeline = LearnerTests.pipeline
    let card = ModelCard(
      name: "resnet8", stem: .small, classes: classes, classNames: nil, pipeline: pipeline, blurPool: false)
    return try Learner(
      model: card.makeModel(seed: 1, device: .cpu), device: .cpu, normalisation: pipeline.normalisation,
      configuration: configuration,
      plan: TrainingPlan(configuration, streamExamples: 800, classes: classes, classNames: nil))
  }

  private func losses(of learner: Learner, labels: Range<Int>, update: Int) throws -> [Float] {
    let pool = DecodePool(pipeline: LearnerTests.pipeline, threads: 1)
    defer { pool.shutdown() }
    let examples = (0..<8).map { index in
      Example(
        id: index, label: labels.lowerBound + index % labels.count,
        image: EncodedImage(
          bytes: noise(update * 8 + index, count: 256), encoding: .pixels(width: 16, height: 16, channels: 1))
      )
    }
    let batch = try pool.submit(examples, views: examples.map { _ in .centre }).wait()
    return try learner.train(WeightedBatch(images: batch)).losses()
  }

  /// The truth is a model that is made with all outputs, into which the state of the grown one is loaded.
  @Test("A grown layer trains as one that was made with its size")
  func training() throws {
    var configuration = RunConfiguration.small(on: "noise", replaySteps: 0)
    (configuration.recipe.weightAverage, configuration.recipe.labelSmoothing) = (0.9, 0.1)
    let grown = try learner(classes: 0, configuration)
    try grown.grow(to: 2)
    for update in 0..<3 { _ = try losses(of: grown, labels: 0..<2, update: update) }
    let before = try grown.model.head.map { try $0.weight.floats() }
    try grown.grow(to: 5)
    // The known classes and their momentum stay; the new ones have none.
    let head = try #require(grown.model.head)
    #expect(try head.weight.shape == [5, 64] && Array(head.weight.floats().prefix(128)) == before)
    let momentum = try #require(grown.optimiser.stateDictionary["fc.weight"])
    #expect(try momentum.floats().dropFirst(128).allSatisfy { $0 == 0 })
    #expect(try momentum.floats().prefix(128).contains { $0 != 0 })
    let average = try #require(grown.evaluatedState["fc.weight"])
    #expect(try average.floats().dropFirst(128) == head.weight.floats().dropFirst(128))
    let bound = 1 / Float(64).squareRoot()
    #expect(try head.weight.floats().dropFirst(128).allSatisfy { abs($0) <= bound })
    #expect(try Set(head.weight.floats().dropFirst(128)).count > 180)

    let whole = try learner(classes: 5, configuration)
    try whole.restore(
      grown.state, weights: grown.model.stateDictionary, optimiser: grown.optimiserState)
    for update in 3..<6 {
      #expect(
        try losses(of: grown, labels: 0..<5, update: update)
          == losses(of: whole, labels: 0..<5, update: update))
    }
    for (mine, other) in zip(
      grown.model.stateDictionary.entries + grown.optimiserState.entries,
      whole.model.stateDictionary.entries + whole.optimiserState.entries)
    where mine.tensor.elementType == .float32 {
      #expect(try mine.tensor.floats() == other.tensor.floats(), "\(mine.name)")
    }
  }

  @Test("The weights of a class depend on the seed and its label only")
  func initialWeights() throws {
    let configuration = RunConfiguration.small(on: "noise", replaySteps: 0)
    let (at, once) = (try learner(classes: 0, configuration), try learner(classes: 0, configuration))
    for count in 1...3 {
      try at.grow(to: count)
      if count > 1 { _ = try losses(of: at, labels: 0..<count, update: count) }
    }
    try once.grow(to: 3)
    let rows = try [at, once].map { try Array(#require($0.model.head).weight.floats().suffix(64)) }
    #expect(rows[0].count == 64 && rows[1].count == 64)
    // Those of the last class before its first update.
    let fresh = try learner(classes: 0, configuration)
    for count in 1...3 { try fresh.grow(to: count) }
    #expect(try #require(fresh.model.head).weight.floats() == #require(once.model.head).weight.floats())
    var other = configuration
    other.seed = 2
    let another = try learner(classes: 0, other)
    try another.grow(to: 3)
    #expect(try #require(another.model.head).weight.floats() != #require(once.model.head).weight.floats())
  }

  @Test("More classes than the limit end the run, and name the example")
  func limit() throws {
    #expect {
      try train("run") { $0.data.openClasses = try? OpenClasses("open:2") }
    } throws: { error in
      guard let error = error as? OnePassError else { return false }
      return error.code == .badData && error.message.contains("there are 2 others already")
        && error.message.contains("--classes open:LIMIT")
    }
    for text in ["open:0", "open:1000001", "open:", "open:x", "opened"] {
      #expect(throws: OnePassError.self) { try OpenClasses(text) }
    }
    #expect(try OpenClasses("open:50").limit == 50)
  }

  @Test("An image that cannot be decoded makes no class")
  func brokenImages() throws {
    let labels = Self.order.map { Self.images.label($0) }
    let gone = Set(labels.indices.filter { labels[$0] == 3 })
    let result = try train("run", broken: gone).result
    #expect(result.plan.classes == 3 && result.stream.skipped == gone.count)
    #expect(result.plan.classNames?.contains(Self.names[3]) == false)
  }

  @Test("Evaluation examples of classes that were not trained are left out and counted")
  func evaluation() throws {
    let evaluated = StripedImages(count: 60, classes: 6, seed: 3)
    let stream = (0..<60).lazy.map { index in
      var labelled = evaluated.labelled(index)
      let label = labelled.label
      (labelled.label, labelled.className) = (0, label < 4 ? Self.names[label] : "new \(label)")
      return labelled
    }
    let (result, notices) = try train("run", evaluation: SequenceSource("evaluated", stream))
    let known = (0..<60).count { evaluated.label($0) < 4 }
    #expect(result.accuracy?.examples == known && known < 60)
    #expect(
      result.accuracy?.leftOut?.values.reduce(0, +) == 60 - known)
    #expect(notices.contains { $0.contains("example of a class that was not trained") })
  }

  @Test("Numbered classes are named by their numbers, and graphs are refused")
  func numbers() throws {
    var configuration = try Self.configuration()
    let stream = Self.order.lazy.map { Self.images.labelled($0) }
    let result = try TrainingRun(configuration, source: SequenceSource("numbers", stream)).start()
    #expect(Set(result.plan.classNames ?? []) == ["0", "1", "2", "3"])
    configuration.machine.cudaGraphs = true
    #expect { try configuration.validate() } throws: {
      ($0 as? OnePassError)?.message.contains("--cuda-graphs") == true
    }
  }
}
