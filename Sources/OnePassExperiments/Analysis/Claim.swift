import OnePass
import OnePassCore
import OnePassData
import OnePassReplay

/// A sentence of the paper that can be measured, and what was measured here.
package struct Claim: Sendable {
  /// A difference of two methods: the paper's, and ours seed by seed.
  package struct Evidence: Sendable {
    package let label: String
    /// In points of top-1.
    package let paper: Double?
    /// In points of top-1; `nil` where a run is missing.
    package let measured: PairedComparison?
  }

  /// What a claim says of its differences.
  enum Assertion: Sendable {
    /// They are above 0.
    case gain
    /// They are below 0, if only by little.
    case smallLoss
    /// They are not above 0.
    case noGain
  }

  /// Where the paper says it.
  package let section: String
  package let sentence: String
  let assertion: Assertion
  package let evidence: [Evidence]

  /// What the intervals say about each difference.
  package func verdict(on evidence: Evidence) -> String {
    guard let measured = evidence.measured else { return "not run" }
    guard let interval = measured.interval else { return "one seed" }
    let isBelowPaper = evidence.paper.map { interval.upperBound < $0 } ?? false
    switch (assertion, measured.verdict) {
    case (_, .singleSeed): return "one seed"
    case (.gain, .higher): return isBelowPaper ? "holds, smaller" : "holds"
    case (.gain, .lower): return "the opposite"
    case (.gain, .notShown): return "not shown"
    case (.smallLoss, .higher): return "better than claimed"
    case (.smallLoss, .lower): return isBelowPaper ? "further apart" : "as close"
    case (.smallLoss, .notShown): return "no difference shown"
    case (.noGain, .higher): return "the opposite"
    case (.noGain, .lower): return "holds"
    case (.noGain, .notShown): return "no gain shown"
    }
  }

  /// The paper's claims about accuracy, in its order.
  package static func all(in setting: Setting) -> [Claim] {
    func compare(_ first: Variant?, _ second: Variant?) -> PairedComparison? {
      guard let first, let second else { return nil }
      return first.comparison(with: second)
    }
    func epr(_ k: Int, _ storage: Double) -> Variant? { setting.prioritised(k: k, storage: storage) }
    func paper(_ k: Int, _ storage: Double) -> Double { PaperFigures.replay(k: k, storage: storage) ?? .nan }
    func gain(_ k: Int, from low: Double, to high: Double) -> Evidence {
      Evidence(
        label: "k = \(k): \(percent(high)) - \(percent(low))", paper: paper(k, high) - paper(k, low),
        measured: compare(epr(k, high), epr(k, low)))
    }
    func growth(from low: Double, to high: Double) -> Evidence {
      let gains = [8, 1].map { epr($0, high)?.gains(over: epr($0, low)) }
      let measured = gains[0].flatMap { first in gains[1].flatMap { PairedComparison(first, minus: $0) } }
      return Evidence(
        label: "the gain at k = 8 - the gain at k = 1",
        paper: (paper(8, high) - paper(8, low)) - (paper(1, high) - paper(1, low)), measured: measured)
    }
    let ks = PaperFigures.replaySteps
    let saturation = {
      let steps = [0.1, 0.01].map { epr(8, $0)?.gains(over: epr(3, $0)) }
      let measured = steps[0].flatMap { first in steps[1].flatMap { PairedComparison(first, minus: $0) } }
      return Evidence(
        label: "k = 8 - k = 3 at 10 %, minus the same at 1 %",
        paper: (paper(8, 0.1) - paper(3, 0.1)) - (paper(8, 0.01) - paper(3, 0.01)), measured: measured)
    }()
    return [
      Claim(
        section: "2", sentence: "One naive pass loses much against 90 passes.", assertion: .gain,
        evidence: [
          Evidence(
            label: "90 passes - naive", paper: PaperFigures.multiEpoch90 - PaperFigures.naive,
            measured: compare(setting.multiEpoch(90), setting.naive))
        ]),
      Claim(
        section: "1, 4.2", sentence: "Prioritised replay with 10 % improves much on naive training.",
        assertion: .gain,
        evidence: ks.map {
          Evidence(
            label: "k = \($0), 10 % - naive", paper: paper($0, 0.1) - PaperFigures.naive,
            measured: compare(epr($0, 0.1), setting.naive))
        }),
      Claim(
        section: "4.2, 1",
        sentence: "With 10 % it comes very close to multi-epoch training of the same compute.",
        assertion: .smallLoss,
        evidence: ks.map {
          Evidence(
            label: "k = \($0), 10 % - \($0 + 1) passes",
            paper: paper($0, 0.1) - (PaperFigures.multiEpoch($0 + 1) ?? .nan),
            measured: compare(epr($0, 0.1), setting.multiEpoch($0 + 1)))
        }),
      Claim(
        section: "4.2, 2", sentence: "1 % storage already improves much on naive training.", assertion: .gain,
        evidence: ks.map {
          Evidence(
            label: "k = \($0), 1 % - naive", paper: paper($0, 0.01) - PaperFigures.naive,
            measured: compare(epr($0, 0.01), setting.naive))
        }),
      Claim(
        section: "4.2, 2", sentence: "From 1 % to 10 % storage the accuracy rises, and more so for larger k.",
        assertion: .gain, evidence: ks.map { gain($0, from: 0.01, to: 0.1) } + [growth(from: 0.01, to: 0.1)]),
      Claim(
        section: "4.2, 3", sentence: "So it does from 5 % to 10 %.", assertion: .gain,
        evidence: ks.map { gain($0, from: 0.05, to: 0.1) } + [growth(from: 0.05, to: 0.1)]),
      Claim(
        section: "4.2, 3", sentence: "More replay steps help more when the storage is larger.",
        assertion: .gain,
        evidence: [saturation]),
      Claim(
        section: "3.1", sentence: "Encoded images are worth more than pixels in the same memory.",
        assertion: .gain,
        evidence: setting.variants.filter { $0.configuration.memoryEncoding == .pixels }.map { pixels in
          let encoded = setting.baseline(of: pixels)
          let items = [encoded, pixels].map { $0.map { "\(Int($0.peakItems)) items" } ?? "not run" }
          return Evidence(
            label: "encoded (\(items[0])) - pixels (\(items[1])), \(pixels.shortTitle)", paper: nil,
            measured: compare(encoded, pixels))
        }),
      Claim(
        section: "4.3", sentence: "Prioritised replay is slightly better than uniform replay.",
        assertion: .gain,
        evidence: [
          Evidence(
            label: "prioritised - uniform, k = 8, 10 %", paper: paper(8, 0.1) - PaperFigures.uniform,
            measured: compare(
              epr(8, 0.1), setting.replay(k: 8, storage: 0.1) { $0.priority = .uniform }))
        ]),
      Claim(
        section: "4.3", sentence: "Importance weights help.", assertion: .gain,
        evidence: [(5, 0.9), (8, 1.0)].map { k, difference in
          Evidence(
            label: "with - without, k = \(k), 1 %", paper: difference,
            measured: compare(
              epr(k, 0.01), setting.replay(k: k, storage: 0.01) { $0.importanceWeights = false }))
        }),
      Claim(
        section: "4.3", sentence: "Updating the priorities of replayed examples does not help.",
        assertion: .noGain,
        evidence: [
          Evidence(
            label: "updated - not updated, k = 5, 1 %", paper: -0.1,
            measured: compare(
              setting.replay(k: 5, storage: 0.01) { $0.priorityTiming = .refreshed }, epr(5, 0.01)))
        ]),
    ]
  }

  private static func percent(_ share: Double) -> String { Figures.percent(share, decimals: 0) }
}

extension Variant {
  /// This one's top-1 minus the other's for each seed that both have, in points.
  fileprivate func gains(over other: Variant?) -> [UInt64: Double]? {
    guard let other = other?.accuracyBySeed else { return nil }
    return accuracyBySeed.reduce(into: [:]) { gains, entry in
      if let theirs = other[entry.key] { gains[entry.key] = entry.value - theirs }
    }
  }
}
