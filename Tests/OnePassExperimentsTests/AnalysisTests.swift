import OnePassCore
import OnePassData
import OnePassModels
import OnePassReplay
import TestSupport
import Testing

@testable import OnePass
@testable import OnePassExperiments

@Suite("Analysis of records") struct AnalysisTests {
  let folder: TemporaryFolder
  let setting: Setting

  init() throws {
    folder = try TemporaryFolder()
    try SampleRuns.writeTables(to: folder)
    setting = try #require(Setting.settings(of: RecordSet(reading: [folder.path]).records).first)
  }

  @Test("Runs are grouped by everything but their seed")
  func runsAreGroupedByAllButTheirSeed() throws {
    #expect(
      setting.variants.map(\.title) == [
        "naive one-pass", "prioritised replay, k = 1, 10% storage", "prioritised replay, k = 8, 1% storage",
        "prioritised replay, k = 8, 10% storage", "uniform replay, k = 8, 10% storage",
        "multi-epoch, 9 passes",
      ])
    #expect(setting.variants.allSatisfy { $0.seeds == [1, 2, 3] })
    let naive = try #require(setting.naive)
    let accuracy = try #require(naive.accuracy)
    #expect(abs(accuracy.mean - 40) < 1e-9)
    // 30, 40, 50: deviation 10, error 10/√3.
    #expect(abs((accuracy.standardError ?? 0) - 10 / 3.0.squareRoot()) < 1e-9)
    #expect(naive.storage == 0 && abs(naive.compute - 100.0 / 90) < 1e-9)
  }

  /// Options that a method does not use, and options that do not affect the result, do not separate runs.
  @Test("Options without effect do not separate runs")
  func optionsWithoutEffectDoNotSeparateRuns() throws {
    let other = try TemporaryFolder()
    try SampleRuns.write(
      SampleRuns.result(seed: 1, top1: 0.5) {
        ($0.method, $0.replay.steps, $0.machine.device) = (.naive, 3, "cpu")
      }, to: other, "a")
    try SampleRuns.write(
      SampleRuns.result(seed: 2, top1: 0.5) {
        ($0.method, $0.machine.threads, $0.data.limit) = (.naive, 2, nil)
      }, to: other, "b")
    try SampleRuns.write(
      SampleRuns.result(seed: 2, top1: 0.5) {
        ($0.method, $0.recipe.learningRate) = (.naive, 0.2)
      }, to: other, "c")
    let settings = Setting.settings(of: try RecordSet(reading: [other.path]).records)
    #expect(settings.map { $0.variants.map(\.records.count) } == [[2], [1]])
  }

  /// A run that cooled down early forms its own setting. With a shuffle buffer it can have stored more than it has seen.
  @Test("A run that ended early is not grouped with complete ones")
  func aRunThatEndedEarlyIsItsOwnSetting() throws {
    let other = try TemporaryFolder()
    for seed in UInt64(1)...3 {
      var result = try SampleRuns.result(seed: seed, top1: 0.5) { $0.data.shuffleBuffer = .examples(300) }
      if seed > 1 {
        result.coolDown = CoolDown(stepsBefore: 2, steps: 1, updatesBefore: 10, updates: 9)
        result.stream = .init(examples: 384, skipped: 0, bytes: 38_400)
        result.storage.exampleFraction = 1.7
      }
      try SampleRuns.write(result, to: other, "\(seed)")
    }
    let settings = Setting.settings(of: try RecordSet(reading: [other.path]).records)
    #expect(settings.map(\.examplesOfStream) == [384, 1_000])
    #expect(settings.map { $0.variants.map(\.seeds) } == [[[2, 3]], [[1]]])
  }

  @Test("A variant is compared with its method")
  func aVariantIsComparedWithItsBaseline() throws {
    let uniform = try #require(setting.variants.first { $0.configuration.replay.priority == .uniform })
    let baseline = try #require(setting.baseline(of: uniform))
    #expect(baseline.title == "prioritised replay, k = 8, 10% storage")
    let comparison = try #require(uniform.comparison(with: baseline))
    // 0.1, 0.2 and 0.3 points.
    #expect(abs(comparison.mean - 0.2) < 1e-9 && comparison.n == 3 && comparison.test == .paired)
    let naive = try #require(setting.naive)
    #expect(setting.baseline(of: baseline) == nil && setting.baseline(of: naive) == nil)
  }

  /// Accuracies 40, 39, 43, 46, 46.2, 60 with their storage and compute, by hand.
  @Test("The Pareto front has the variants that no other dominates")
  func theParetoFrontIsNotDominated() {
    #expect(
      setting.paretoFront.map(\.title) == [
        // k = 1 is worse than naive in all three metrics; prioritised is worse than uniform at the same cost.
        "naive one-pass", "prioritised replay, k = 8, 1% storage", "uniform replay, k = 8, 10% storage",
        "multi-epoch, 9 passes",
      ])
  }

  /// Fewer but larger items save nothing: at equal bytes, encoded images dominate less accurate pixels.
  @Test("The Pareto front counts bytes")
  func theParetoFrontCountsBytes() throws {
    let other = try TemporaryFolder()
    for (name, top1, pixels) in [("encoded", 0.5, false), ("pixels", 0.45, true)] {
      var result = try SampleRuns.result(seed: 1, top1: top1) {
        ($0.memory.storage, $0.memory.encoding) = (.bytes(ByteCount(50_000)), pixels ? .pixels : .original)
      }
      (result.storage.exampleFraction, result.storage.byteFraction) = (pixels ? 0.016 : 0.05, 0.054)
      try SampleRuns.write(result, to: other, name)
    }
    let setting = try #require(Setting.settings(of: RecordSet(reading: [other.path]).records).first)
    #expect(setting.paretoFront.map(\.configuration.memory.encoding) == [.original])
  }

  /// The cheaper of two variants stays on the front although it is less accurate.
  @Test("The Pareto front counts compute")
  func theParetoFrontCountsCompute() throws {
    let other = try TemporaryFolder()
    for k in [1, 8] {
      try SampleRuns.write(
        SampleRuns.result(seed: 1, top1: 0.4 + 0.01 * Double(k)) { $0.replay.steps = k }, to: other, "k\(k)")
    }
    let setting = try #require(Setting.settings(of: RecordSet(reading: [other.path]).records).first)
    #expect(setting.paretoFront.map(\.configuration.replay.steps) == [1, 8])
  }

  /// Options left to the program, and options that do not affect the result, do not make a different run.
  @Test("A record is compared with the requested options")
  func aRecordIsComparedWithTheRequestedOptions() {
    var requested = RunConfiguration(data: "d")
    var made = requested
    (made.model.stem, made.model.imageSize, made.model.channels) = (.small, 32, 3)
    (made.data.classCount, made.data.classNames) = (10, ["a", "b"])
    (made.machine.device, made.machine.threads, made.machine.decodeThreads) = ("cpu", 2, 2)
    made.epochs = 7  // Replay makes no passes.
    #expect(requested.difference(fromRecord: made) == nil)
    requested.model.imageSize = 64
    #expect(requested.difference(fromRecord: made) == "image-size 32, not 64")
    requested.model.imageSize = 32
    made.seed = 9
    #expect(requested.difference(fromRecord: made) == "seed 9, not 1")
    made.seed = 1
    made.data.evaluationSource = "e"
    #expect(requested.difference(fromRecord: made) == "eval-data e, not none")
  }

  /// Settings that differ in an option have it in their titles.
  @Test("Settings are named by the options in which they differ")
  func settingsAreNamedByTheirDifferences() throws {
    let other = try TemporaryFolder()
    for (name, rate, decay) in [("a", 0.1, 0.0), ("b", 0.2, 0), ("c", 0.2, 5e-4)] {
      try SampleRuns.write(
        SampleRuns.result(seed: 1, top1: 0.5) {
          ($0.recipe.learningRate, $0.recipe.weightDecay) = (rate, decay)
        },
        to: other, name)
    }
    let settings = Setting.settings(of: try RecordSet(reading: [other.path]).records)
    #expect(
      settings.map(\.title) == [
        "resnet20 on 1,000 examples of wds:cifar.tar (learning-rate 0.1, weight-decay 0.0)",
        "resnet20 on 1,000 examples of wds:cifar.tar (learning-rate 0.2, weight-decay 0.0)",
        "resnet20 on 1,000 examples of wds:cifar.tar (learning-rate 0.2, weight-decay 0.0005)",
      ])
    #expect(setting.title == "resnet20 on 1,000 examples of wds:cifar.tar")
  }

  /// Table 1 shows the paper's cell if it was run, and not the largest one.
  @Test("Table 1 shows the paper's cell")
  func table1ShowsThePapersCell() throws {
    let other = try TemporaryFolder()
    for (k, storage, name) in [(8, 0.1, "paper"), (12, 0.1, "more"), (8, 0.3, "larger")] {
      try SampleRuns.write(
        SampleRuns.result(seed: 1, top1: 0.5) {
          ($0.replay.steps, $0.memory.storage) = (k, .fraction(storage))
        },
        to: other,
        name)
    }
    let setting = try #require(Setting.settings(of: RecordSet(reading: [other.path]).records).first)
    #expect(setting.bestPrioritised?.title == "prioritised replay, k = 8, 10% storage")
  }

  @Test("Claims are judged by their confidence intervals")
  func claimsAreJudgedByTheirIntervals() throws {
    let claims = Claim.all(in: setting)
    let replay = try #require(claims.first { $0.sentence.hasPrefix("Prioritised replay with 10 %") })
    let verdicts = replay.evidence.map { replay.verdict(on: $0) }
    // k = 1 loses a point with every seed, k = 3 and 5 were not run, k = 8 gains 5, 6 and 7.
    // The interval of the gain, 3.5 to 8.5, is below the paper's 34.4.
    #expect(
      verdicts == [
        "contradicted; excludes the paper's figure (lower)", "not run", "not run",
        "sign confirmed; excludes the paper's figure (lower)",
      ])
    #expect(abs(try #require(replay.evidence[3].paper) - 34.4) < 1e-9)
    let gain = try #require(replay.evidence[3].measured)
    #expect(abs(gain.mean - 6) < 1e-9 && gain.test == .paired)
    // The smallest p is doubled, the other one is the largest of the two.
    #expect(replay.evidence[3].corrected == gain.pValue && replay.evidence[1].corrected == nil)
    let close = try #require(claims.first { $0.sentence.contains("very close to multi-epoch") })
    // -14 (-37.9 to 9.9), SciPy's Welch: the gaps of every seed are alike, but passes are reshuffled.
    #expect(close.verdict(on: close.evidence[3]) == "no significant difference")
    let gap = try #require(close.evidence[3].measured)
    #expect(abs(gap.mean + 14) < 1e-9 && gap.test == .welch)
    #expect(abs(try #require(gap.interval).lowerBound + 37.91512913643483) < 1e-8)
    #expect(close.evidence.last?.measured == nil)
    let uniform = try #require(claims.first { $0.sentence.hasPrefix("Prioritised replay is slightly") })
    // −0.1, −0.2, −0.3: the interval is −0.2 ± 0.248, and the paper has +0.3.
    #expect(
      uniform.verdict(on: uniform.evidence[0]) == "not significant; excludes the paper's figure (lower)")
  }

  @Test("Verdicts hold for all differences of a claim together")
  func verdictsHoldForTheWholeClaim() throws {
    func evidence(_ differences: [Double], paper: Double?) -> Claim.Evidence {
      let pairing = Pairing(RunConfiguration(data: "d"))
      func group(_ values: [Double]) -> [Estimate.Term] {
        let values = values.enumerated().map { (Replicate(seed: UInt64($0)), $1) }
        return [(1, .init(pairing: pairing, values: Dictionary(uniqueKeysWithValues: values)))]
      }
      let zero = Estimate(paper: 0, terms: group(differences.map { _ in 0 }))
      return .init("", Estimate(paper: paper, terms: group(differences)) - zero)
    }
    // p = 0.0224, 0.0236, 0.0742 (SciPy): each of the first two is significant alone.
    let claim = Claim(
      section: "", sentence: "", assertion: .gain,
      evidence: [
        evidence([2, 2.6, 3.4], paper: 2), evidence([3, 4, 5.2], paper: 9), evidence([1, 2, 3], paper: -1),
      ])
    #expect(
      claim.evidence.map { claim.verdict(on: $0) } == [
        "not significant after Holm's correction",
        "not significant after Holm's correction; excludes the paper's figure (lower)",
        "not significant; excludes the paper's figure (higher)",
      ])
    let alone = Claim(
      section: "", sentence: "", assertion: .noGain, evidence: [evidence([-2, -2.6, -3.4], paper: nil)])
    #expect(alone.verdict(on: alone.evidence[0]) == "confirmed: significantly lower")
  }

  /// Naive training and any replay of one stream with one recipe; the same passes with other augmentation; nothing else.
  @Test("Runs are paired that differ only in what they replay")
  func runsArePairedThatDifferOnlyInWhatTheyReplay() {
    func pairing(_ change: (inout RunConfiguration) -> Void) -> Pairing {
      var configuration = RunConfiguration(data: "wds:a.tar")
      (configuration.method, configuration.model.name) = (.replay, "resnet20")
      change(&configuration)
      return Pairing(configuration.essence)
    }
    let replay = pairing { $0.replay.steps = 8 }
    #expect(replay == pairing { $0.method = .naive })
    #expect(replay == pairing { ($0.memory.storage, $0.replay.priority) = (.fraction(0.01), .uniform) })
    #expect(replay == pairing { ($0.step.updates, $0.memory.evicting) = (.joint, .oldest) })
    #expect(replay == pairing { $0.augmentation.choice = .init(policy: .rand) })
    let passes = pairing { ($0.method, $0.epochs) = (.multiEpoch, 9) }
    #expect(passes != pairing { ($0.method, $0.epochs) = (.multiEpoch, 2) } && replay != passes)
    #expect(
      passes
        == pairing {
          ($0.method, $0.epochs, $0.augmentation.choice) = (.multiEpoch, 9, .init(policy: .rand))
        })
    let changes: [(inout RunConfiguration) -> Void] = [
      { $0.recipe.optimiser = .muon }, { $0.recipe.learningRate = 0.2 }, { $0.model.name = "resnet8" },
      { $0.recipe.blurPool = true }, { $0.data.source = "wds:b.tar" }, { $0.data.limit = 100 },
      { $0.data.shuffleBuffer = .examples(300) }, { $0.recipe.batchSize = 64 },
    ]
    for change in changes { #expect(replay != pairing(change)) }
  }

  typealias SeededRun = (seed: UInt64, order: UInt64?, top1: Double, change: (inout RunConfiguration) -> Void)

  /// The setting of runs with seeds, seeds of the order, and accuracies.
  func setting(
    _ runs: [SeededRun]
  ) throws -> Setting {
    let folder = try TemporaryFolder()
    for (number, run) in runs.enumerated() {
      let result = try SampleRuns.result(seed: run.seed, top1: run.top1) {
        $0.data.source = "folder:photos"
        run.change(&$0)
        $0.orderSeed = run.order
      }
      try SampleRuns.write(result, to: folder, "\(number)")
    }
    return try #require(Setting.settings(of: RecordSet(reading: [folder.path]).records).first)
  }

  @Test("Orders of one initialisation are pooled, and paired by both seeds")
  func ordersArePooled() throws {
    let naive: (inout RunConfiguration) -> Void = { $0.method = .naive }
    let replay: (inout RunConfiguration) -> Void = { $0.replay.steps = 8 }
    let orders = try setting(
      (1...3).flatMap { (order: UInt64) -> [SeededRun] in
        let base = 0.2 + 0.1 * Double(order)
        return [(7, order, base, naive), (7, order, base + 0.05, replay)]
      })
    #expect(orders.variants.map(\.n) == [3, 3] && orders.variants.map(\.seeds) == [[7, 7, 7], [7, 7, 7]])
    let comparison = try #require(orders.variants[1].comparison(with: orders.variants[0]))
    #expect(comparison.test == .paired && comparison.n == 3 && abs(comparison.mean - 5) < 1e-9)
    let table = try #require(TableLayout.table1.table(of: orders))
    #expect(
      table.notes[0].hasPrefix("Top-1 in percent, mean ± standard error over 3 runs. The seed determines"))
    #expect(
      table.notes[0].contains(
        "the seed of the order determines the order of the stream. The runs have 1 seed and 3 seeds of the order. "
          + "The errors cover the order alone."))
    // The same seeds with other orders are not the same runs.
    let other = try setting(
      (1...3).flatMap { (seed: UInt64) -> [SeededRun] in
        [(seed, nil, 0.3, naive), (seed, 9, 0.4, replay)]
      })
    let unpaired = try #require(other.variants[1].comparison(with: other.variants[0]))
    #expect(unpaired.test == .welch && unpaired.sizes == [3, 3])
  }

  @Test("A seed of the order that equals the seed changes nothing")
  func anOrderOfTheSeedIsTheDefault() throws {
    let folder = try TemporaryFolder()
    for (name, order) in [("a", nil), ("b", 1)] as [(String, UInt64?)] {
      try SampleRuns.write(SampleRuns.result(seed: 1, top1: 0.5) { $0.orderSeed = order }, to: folder, name)
    }
    let records = try RecordSet(reading: [folder.path])
    #expect(records.records.count == 1 && records.problems.count == 1)
  }

  @Test("A table states what a seed determines, as far as it is known")
  func tablesStateWhatASeedDetermines() throws {
    let choices = "the initial weights, the augmentation and the sampling of the memory"
    func note(_ source: String, passes: Bool, recorded: Bool? = nil) throws -> String {
      let folder = try TemporaryFolder()
      for method in [Method.naive] + (passes ? [.multiEpoch] : []) {
        var result = try SampleRuns.result(seed: 1, top1: 0.5) {
          ($0.data.source, $0.method, $0.epochs) = (source, method, 9)
        }
        if method == .naive { result.stream.orderedBySeed = recorded }
        try SampleRuns.write(result, to: folder, method.rawValue)
      }
      return try #require(Setting.settings(of: RecordSet(reading: [folder.path]).records).first).seedNote
    }
    let all = "The seed determines the order of the stream, \(choices)."
    let some = "The seed determines \(choices)."
    let same = "One pass has the same order of the stream for all seeds."
    let passes = "The seed determines the order of multi-epoch training."
    #expect(try note("folder:photos", passes: true) == all)
    #expect(try note("hf:a.parquet", passes: false) == "\(some) \(same)")
    #expect(try note("wds:a.tar", passes: true) == "\(some) \(same) \(passes)")
    // A record states it, as with a shuffle buffer; a custom source of an older record is unknown.
    #expect(try note("wds:a.tar", passes: true, recorded: true) == all)
    #expect(try note("camera", passes: false) == some)
    #expect(try note("camera", passes: true) == "\(some) \(passes)")
    #expect(try note("camera", passes: false, recorded: false) == "\(some) \(same)")
  }

  @Test("Each value of the paper is found by its cell")
  func valuesOfThePaperAreFoundByTheirCells() {
    #expect(
      PaperFigures.replay(k: 8, storage: 0.1) == 65.0 && PaperFigures.replay(k: 1, storage: 0.01) == 44.7)
    #expect(
      PaperFigures.replay(k: 5, storage: 0.05) == 61.3 && PaperFigures.replay(k: 2, storage: 0.1) == nil)
    #expect(PaperFigures.multiEpoch(4) == 59.0 && PaperFigures.multiEpoch(90) == 76.9)
    #expect(PaperFigures.multiEpoch(5) == nil)
  }
}
