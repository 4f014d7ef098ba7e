import OnePass
import OnePassCore
import OnePassData
import OnePassReplay

extension Claim {
  /// The paper's claims about accuracy, in its order.
  package static func all(in setting: Setting) -> [Claim] {
    [ofSection2(setting)] + ofTheResults(setting) + [ofSection31(setting)] + ofTheDiscussion(setting)
  }

  private static func ofSection2(_ setting: Setting) -> Claim {
    Claim(
      section: "2", sentence: "One naive pass loses much against 90 passes.", assertion: .gain,
      evidence: [.init("90 passes - naive", setting.multiEpochEstimate(90) - setting.naiveEstimate)])
  }

  /// Section 4.2.
  private static func ofTheResults(_ setting: Setting) -> [Claim] {
    let ks = PaperFigures.replaySteps
    let naive = setting.naiveEstimate
    func replay(_ k: Int, _ storage: Double) -> Estimate { setting.estimate(k: k, storage: storage) }
    /// What more storage gains with each k, and whether it gains more with a larger k.
    func gains(from low: Double, to high: Double) -> [Evidence] {
      let labels = "\(percent(high)) - \(percent(low))"
      return ks.map { .init("k = \($0): \(labels)", replay($0, high) - replay($0, low)) }
        + [
          .init(
            "the gain at k = 8 - the gain at k = 1",
            (replay(8, high) - replay(8, low)) - (replay(1, high) - replay(1, low)))
        ]
    }
    return [
      Claim(
        section: "1, 4.2", sentence: "Prioritised replay with 10 % improves much on naive training.",
        assertion: .gain, evidence: ks.map { .init("k = \($0), 10 % - naive", replay($0, 0.1) - naive) }),
      Claim(
        section: "4.2, 1",
        sentence: "With 10 % it comes very close to multi-epoch training of the same compute.",
        assertion: .smallLoss,
        evidence: ks.map {
          .init("k = \($0), 10 % - \($0 + 1) passes", replay($0, 0.1) - setting.multiEpochEstimate($0 + 1))
        }),
      Claim(
        section: "4.2, 2", sentence: "1 % storage already improves much on naive training.", assertion: .gain,
        evidence: ks.map { .init("k = \($0), 1 % - naive", replay($0, 0.01) - naive) }),
      Claim(
        section: "4.2, 2", sentence: "From 1 % to 10 % storage the accuracy rises, and more so for larger k.",
        assertion: .gain, evidence: gains(from: 0.01, to: 0.1)),
      Claim(
        section: "4.2, 3", sentence: "So it does from 5 % to 10 %.", assertion: .gain,
        evidence: gains(from: 0.05, to: 0.1)),
      Claim(
        section: "4.2, 3", sentence: "More replay steps help more when the storage is larger.",
        assertion: .gain,
        evidence: [
          .init(
            "k = 8 - k = 3 at 10 %, minus the same at 1 %",
            (replay(8, 0.1) - replay(3, 0.1)) - (replay(8, 0.01) - replay(3, 0.01)))
        ]),
    ]
  }

  private static func ofSection31(_ setting: Setting) -> Claim {
    let variants = setting.variants.filter { $0.configuration.memory.encoding == .pixels }
    return Claim(
      section: "3.1", sentence: "Encoded images are worth more than pixels in the same memory.",
      assertion: .gain,
      evidence: variants.map { pixels in
        let encoded = setting.baseline(of: pixels)
        let items = [encoded, pixels].map { $0.map { "\(Int($0.peakItems)) items" } ?? "not run" }
        return .init(
          "encoded (\(items[0])) - pixels (\(items[1])), \(pixels.shortTitle)",
          Estimate(paper: nil, bySeed: encoded?.accuracyBySeed)
            - Estimate(paper: nil, bySeed: pixels.accuracyBySeed))
      })
  }

  /// Section 4.3. Where the paper gives only a difference, its figure for the change follows from it.
  private static func ofTheDiscussion(_ setting: Setting) -> [Claim] {
    func changed(
      _ k: Int, _ storage: Double, paper: Double, _ change: (inout RunConfiguration) -> Void
    ) -> Estimate {
      Estimate(paper: paper, bySeed: setting.replay(k: k, storage: storage, change)?.accuracyBySeed)
    }
    func replay(_ k: Int, _ storage: Double) -> Estimate { setting.estimate(k: k, storage: storage) }
    return [
      Claim(
        section: "4.3", sentence: "Prioritised replay is slightly better than uniform replay.",
        assertion: .gain,
        evidence: [
          .init(
            "prioritised - uniform, k = 8, 10 %",
            replay(8, 0.1) - changed(8, 0.1, paper: PaperFigures.uniform) { $0.replay.priority = .uniform })
        ]),
      Claim(
        section: "4.3", sentence: "Importance weights help.", assertion: .gain,
        evidence: [(5, 58.0), (8, 58.3)].map { k, paper in
          .init(
            "with - without, k = \(k), 1 %",
            replay(k, 0.01) - changed(k, 0.01, paper: paper) { $0.replay.importanceWeights = false })
        }),
      Claim(
        section: "4.3", sentence: "Updating the priorities of replayed examples does not help.",
        assertion: .noGain,
        evidence: [
          .init(
            "updated - not updated, k = 5, 1 %",
            changed(5, 0.01, paper: 58.8) { $0.replay.priorityTiming = .refreshed } - replay(5, 0.01))
        ]),
    ]
  }

  private static func percent(_ share: Double) -> String { Figures.percent(share, decimals: 0) }
}
