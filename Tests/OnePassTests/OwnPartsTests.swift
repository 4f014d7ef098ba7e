import Foundation
import OnePassCore
import OnePassData
import OnePassModels
import OnePassReplay
import OnePassTorch
import TestSupport
import Testing

@testable import OnePass

/// Custom priority functions, selectors, models and metrics.
@Suite("Custom parts", .serialized) struct OwnPartsTests {
  /// The same priority for all items.
  struct Constant: PriorityFunction {
    var value = 3.25
    func priority(loss: Double, progress: RunProgress) -> Double { value }
  }

  /// A built-in selector with another name.
  struct Wrapped<Base: ItemSelector>: ItemSelector {
    static var bytesPerItem: Int { Base.bytesPerItem }
    static var dependsOnDraws: Bool { Base.dependsOnDraws }
    var base: Base
    var name: String { "Wrapped(\(base.name))" }
    var count: Int { base.count }
    mutating func append(_ item: ItemFacts) { base.append(item) }
    mutating func update(_ slot: Int, to item: ItemFacts) { base.update(slot, to: item) }
    mutating func remove(_ slot: Int) { base.remove(slot) }
    mutating func select(using generator: inout SeededGenerator) -> Selection {
      base.select(using: &generator)
    }
    var arrangement: [UInt32] { base.arrangement }
    mutating func restore(arrangement: [UInt32]) throws { try base.restore(arrangement: arrangement) }
  }

  /// Evicts from the class with the largest label.
  struct LargestLabelFirst: SelectionOrder {
    static let dependsOnDraws = false
    static func precedes(_ a: ItemFacts, _ b: ItemFacts) -> Bool {
      (-a.label, a.arrival) < (-b.label, b.arrival)
    }
  }

  static let tiny = ModelKind("tiny") {
    try CIFARResNet(.resnet8, classes: $0.classes, channels: $0.channels, from: $0.initialiser)
  }

  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  static let images = StripedImages(count: 192)

  func source(_ count: Int = 96, from first: Int = 0) -> IndexedSource {
    IndexedSource("stripes", count: count, classCount: 4) { position in
      Self.images.labelled(first + position)
    }
  }

  var configuration: RunConfiguration {
    var configuration = RunConfiguration.small(on: "stripes", replaySteps: 1)
    configuration.memory.storage = .examples(24)
    return configuration
  }

  func text(_ name: String) throws -> String { String(decoding: try folder.bytes(of: name), as: UTF8.self) }

  func priorities(of run: String) throws -> Set<String> {
    Set(
      try text("\(run)/checkpoint/memory.csv").split(separator: "\n").dropFirst().map {
        String($0.split(separator: ",")[3])
      })
  }

  @Test("A custom priority function is used and recorded")
  func aProgramsPriorityIsWhatTheMemoryHoldsAndTheRecordNames() throws {
    let result = try TrainingRun(configuration, source: source(), priority: Constant())
      .start(output: folder.file("run"))
    #expect(try priorities(of: "run") == ["3.25"])
    #expect(result.configuration.replay.priority == .own("Constant(value: 3.25)"))
    #expect(result.configuration.title == "replay by Constant(value: 3.25), k = 1, 24 storage")
    let record = try RunFiles.result(in: folder.file("run"))
    #expect(record.configuration == result.configuration)
    #expect(try text("run/result.json").contains(#""priority" : "own:Constant(value: 3.25)""#))
  }

  @Test(
    "A custom priority that is negative or not finite is rejected with an error message",
    arguments: [PriorityTiming.insertion, .current, .refreshed], [Double.nan, -1, 1e300])
  func aPriorityThatIsNoneIsASentence(timing: PriorityTiming, value: Double) throws {
    var configuration = configuration
    configuration.replay.priorityTiming = timing
    do {
      _ = try TrainingRun(configuration, source: source(), priority: Constant(value: value)).start()
      Issue.record("no error")
    } catch let error as OnePassError {
      #expect(error.code == .usage)
      #expect(error.message.contains("Constant(value: \(value)) returned \(value) for the loss"))
    }
  }

  /// Another function, another parameter or none is rejected. The same function gives the result of an uninterrupted run.
  @Test("A run resumes only with the same custom priority function")
  func aRunGoesOnWithTheSameFunctionOnly() throws {
    func train(_ priority: (any PriorityFunction)?, _ run: String, stoppingAfter last: Int? = nil) throws {
      let stop = StopRequest()
      _ = try TrainingRun(configuration, source: source(), priority: priority)
        .start(output: folder.file(run), resuming: true, stop: stop) { event in
          if case .step(let report) = event, report.step == last { stop.stop() }
        }
    }
    func expectRefusal(_ priority: (any PriorityFunction)?) {
      do {
        try train(priority, "broken")
        Issue.record("no error")
      } catch {
        #expect("\(error)".contains("was started with other options (priority own:Constant(value: 3.25)"))
      }
    }
    #expect(throws: RunStopped.self) { try train(Constant(), "broken", stoppingAfter: 3) }
    expectRefusal(Constant(value: 3.5))
    expectRefusal(nil)
    try train(Constant(), "broken")
    try train(Constant(), "whole")
    for name in ["model.safetensors", "memory.csv"] {
      #expect(
        try folder.bytes(of: "broken/checkpoint/\(name)") == folder.bytes(of: "whole/checkpoint/\(name)"),
        "\(name)")
    }
  }

  /// A wrapped built-in selector makes the same selections as without the wrapper.
  @Test("Custom selectors draw and evict")
  func aProgramsSelectorsAreThoseThatChoose() throws {
    let plain = try TrainingRun(configuration, source: source()).start(output: folder.file("plain"))
    let wrapped = try TrainingRun(
      configuration, source: source(), drawing: Wrapped(base: PrioritisedSelector()),
      evicting: Wrapped(base: UniformSelector())
    ).start(output: folder.file("wrapped"))
    #expect(wrapped.configuration.memory.drawing == .own("Wrapped(PrioritisedSelector)"))
    #expect(wrapped.configuration.memory.evicting == .own("Wrapped(UniformSelector)"))
    #expect(plain.memory?.distinctDrawn == wrapped.memory?.distinctDrawn)
    for name in ["model.safetensors", "memory.csv"] {
      #expect(
        try folder.bytes(of: "plain/checkpoint/\(name)") == folder.bytes(of: "wrapped/checkpoint/\(name)"),
        "\(name)")
    }
  }

  /// Custom selectors are not available when forgetting. They are needed only if an unfinished run has a saved order.
  @Test("Items of custom selectors can be forgotten")
  func whatAProgramsSelectorsHoldIsForgotten() throws {
    func train(_ drawing: any ItemSelector, _ run: String, stoppingAfter last: Int? = nil) throws {
      let stop = StopRequest()
      var configuration = configuration
      // A finished run has an index only if it keeps images.
      configuration.memory.keepPictures = 24
      _ = try TrainingRun(
        configuration, source: source(), drawing: drawing, evicting: Wrapped(base: UniformSelector())
      ).start(output: folder.file(run), resuming: true, stop: stop) { event in
        if case .step(let report) = event, report.step == last { stop.stop() }
      }
    }
    func forget(_ positions: Set<Int>, _ run: String) throws -> [Int] {
      try Forgetting(ForgetRequest(positions: positions), in: folder.file(run)).positions
    }
    let (uniform, prioritised) = (Wrapped(base: UniformSelector()), Wrapped(base: PrioritisedSelector()))
    try train(prioritised, "finished")
    let rows = try text("finished/checkpoint/memory.csv").split(separator: "\n").dropFirst()
    let first = try #require(rows.first?.split(separator: ",").first.flatMap { Int($0) })
    #expect(try forget([first], "finished") == [first])
    #expect(
      try text("finished/checkpoint/memory.csv").split(separator: "\n").dropFirst() == rows.dropFirst())

    // After one step, the memory contains all of its examples.
    #expect(throws: RunStopped.self) { try train(uniform, "plain", stoppingAfter: 1) }
    #expect(try forget([3, 5], "plain") == [3, 5])
    try train(uniform, "plain")
    #expect(throws: RunStopped.self) { try train(prioritised, "ordered", stoppingAfter: 1) }
    do {
      _ = try forget([3], "ordered")
      Issue.record("no error")
    } catch let error as OnePassError {
      #expect(error.code == .usage && error.message.contains("its custom selector keeps an order"))
    }
    try train(prioritised, "ordered")
  }

  /// If the last class is evicted first, it soon has no items.
  @Test("A selector receives the classes of items")
  func aSelectorKnowsTheClasses() throws {
    let result = try TrainingRun(
      configuration, source: source(192), evicting: OrderedSelector<LargestLabelFirst>()
    ).start(output: folder.file("run"))
    let labels = try text("run/checkpoint/memory.csv").split(separator: "\n").dropFirst()
      .map { $0.split(separator: ",")[1] }
    let evictions = try #require(result.memory).evictions
    // With four classes, 24 items are about 6 per class. More evictions than two classes had items leave none of the last, except
    // for one that was just inserted.
    #expect(evictions > 24 && labels.count { $0 == "3" } <= 1, "\(evictions) evictions, \(labels)")
    #expect(result.configuration.memory.evicting == .own("OrderedSelector<LargestLabelFirst>"))
  }

  /// A custom source with random access is read from its start each time; any other can be read once only.
  @Test("Custom evaluation data is evaluated along the stream if it has random access")
  func customEvaluationDataIsReadRepeatedly() throws {
    var evaluated = configuration
    evaluated.data.evaluationInterval = 2
    let plain = try TrainingRun(configuration, source: source(), evaluationSource: source(64, from: 96))
      .start()
    let result = try TrainingRun(evaluated, source: source(), evaluationSource: source(64, from: 96)).start()
    let points = try #require(result.accuracyCurve)
    #expect(points.count > 1 && points.allSatisfy { $0.examples == 64 })
    #expect(result.accuracy == plain.accuracy && plain.accuracyCurve == nil)
    #expect(points.last?.loss == plain.accuracy?.loss && points[0].loss != points.last?.loss)
    let once = SequenceSource(
      "frames", (0..<64).map { Self.images.labelled(96 + $0) }, count: 64, classCount: 4)
    #expect {
      _ = try TrainingRun(evaluated, source: source(), evaluationSource: once)
    } throws: {
      "\($0)".contains("--eval-every reads the evaluation data repeatedly, and frames can be read only once;")
    }
  }

  @Test("A custom model is trained, saved and loaded")
  func aProgramsModelIsTrainedSavedAndReadBack() throws {
    let plain = try TrainingRun(configuration, source: source(), evaluationSource: source(64, from: 96))
      .start(output: folder.file("plain"))
    let own = try TrainingRun(
      configuration, source: source(), evaluationSource: source(64, from: 96), model: Self.tiny
    ).start(output: folder.file("own"))
    #expect(
      own.configuration.model.name == "own:tiny" && own.configuration.data.evaluationSource == "stripes")
    #expect(own.accuracy?.examples == 64 && own.accuracy == plain.accuracy)
    #expect(
      try folder.bytes(of: "own/checkpoint/model.safetensors")
        == folder.bytes(of: "plain/checkpoint/model.safetensors"))

    let model = try TrainedModel(checkpoint: folder.file("own"), device: "cpu", own: Self.tiny)
    #expect(try model.evaluate(source(64, from: 96)) == own.accuracy)
    for other in [
      nil,
      ModelKind("other") {
        try CIFARResNet(.resnet20, classes: $0.classes, channels: 1, from: $0.initialiser)
      },
    ] {
      do {
        _ = try TrainedModel(checkpoint: folder.file("own"), device: "cpu", own: other)
        Issue.record("no error")
      } catch let error as OnePassError {
        #expect(error.code == .usage && error.message.contains("The model tiny is a custom kind"))
      }
    }
  }

  /// The check comes before any file is opened.
  @Test("A recorded custom part that is missing is rejected with an error message")
  func aPartThatIsNotThereIsASentence() throws {
    for (name, change) in [
      ("--priority own:x", { $0.replay.priority = .own("x") }),
      ("--drawing own:y", { $0.memory.drawing = .own("y") }),
      ("--evicting own:z", { $0.memory.evicting = .own("z") }),
      ("--model own:m", { $0.model.name = "own:m" }),
    ] as [(String, (inout RunConfiguration) -> Void)] {
      var configuration = RunConfiguration(data: "folder:nowhere")
      change(&configuration)
      do {
        _ = try TrainingRun(configuration)
        Issue.record("no error")
      } catch let error as OnePassError {
        #expect(error.code == .usage && error.message.contains(name), "\(error)")
      }
    }
  }

  /// Custom names never collide with built-in names.
  @Test("Names of custom parts are the same after writing and reading a record")
  func namesComeBackFromARecord() throws {
    for kind in PriorityKind.allCases + [.own("loss"), .own(""), .own("own:x")] {
      #expect(PriorityKind(rawValue: kind.rawValue) == kind)
    }
    for kind in SelectorKind.allCases + [.own("oldest"), .own("a b")] {
      #expect(SelectorKind(rawValue: kind.rawValue) == kind)
    }
    #expect(PriorityKind(rawValue: "los") == nil && SelectorKind(rawValue: "") == nil)
  }

  /// A custom metric receives each example once, including those of the smaller last mini-batch.
  @Test("A custom metric is computed")
  func aProgramsMetricIsTaken() throws {
    struct LabelCount: Metric {
      var counts = [Double](repeating: 0, count: 4)
      let name = "labels"
      mutating func update(logits: Tensor, labels: Tensor) throws {
        for label in try labels.integers() { counts[Int(label)] += 1 }
      }
      var sums: [Double] {
        get { counts }
        set { counts = newValue }
      }
      var value: Double? { counts.reduce(0, +) }
    }
    _ = try TrainingRun(configuration, source: source(32)).start(output: folder.file("run"))
    let model = try TrainedModel(checkpoint: folder.file("run"), device: "cpu")
    let measured = try model.measure([LabelCount(), TopKAccuracy(k: 1)], on: source(150))
    let expected = (0..<4).map { label in Double((0..<150).count { Self.images.label($0) == label }) }
    #expect(measured.metrics[0].sums == expected && measured.examples == 150 && measured.skipped == 0)
    #expect(measured["labels"] == 150 && measured["nothing"] == nil)
    #expect(try measured["top1"] == model.evaluate(source(150)).top1)
    let images = try (0..<3).map { try source().example(at: $0).image }
    let predictions = try model.predict(images, top: 4)
    #expect(predictions.map(\.count) == [4, 4, 4])
    #expect(predictions.allSatisfy { abs($0.reduce(0) { $0 + $1.probability } - 1) < 1e-5 })
  }

  /// The result equals that of a run on the same images. Cancelling the task stops the run.
  @Test("A live stream trains on a separate thread, and can be cancelled")
  func aLiveStreamIsTrainedOnAThreadOfItsOwn() async throws {
    let configuration = configuration
    let plain = try TrainingRun(configuration, source: source()).start()
    let images = try (0..<96).map { position in
      let example = try source().example(at: position)
      return LabelledImage(example.image, label: example.label)
    }
    @Sendable func frames() -> AsyncStream<LabelledImage> {
      AsyncStream { continuation in
        for image in images { continuation.yield(image) }
        continuation.finish()
      }
    }
    let live = try await onTrainingThread { stop in
      let source = AsyncSource("live", frames(), buffering: 20, count: 96, classCount: 4)
      return try TrainingRun(configuration, source: source).start(stop: stop)
    }
    #expect(live.online?.top1 == plain.online?.top1 && live.compute == plain.compute)

    let task = Task {
      try await onTrainingThread { stop in
        let source = AsyncSource("live", frames(), count: 96, classCount: 4)
        return try TrainingRun(configuration, source: source).start(stop: stop) { event in
          if case .step(let report) = event, report.step == 2 {
            while !stop.isStopping { Thread.sleep(forTimeInterval: 0.001) }
          }
        }
      }
    }
    task.cancel()
    await #expect(throws: RunStopped.self) { try await task.value }
  }
}
