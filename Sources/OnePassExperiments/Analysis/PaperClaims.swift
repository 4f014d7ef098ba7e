import OnePass
import OnePassCore
import OnePassData
import OnePassReplay

extension Claim {
  /// The paper's claims about accuracy, in the order of the paper.
  package static func all(in setting: Setting) -> [Claim] {
    [ofSection2(setting)] + ofTheResults(setting) + [ofSection31(setting)] + ofTheDiscussion(setting)
  }

  private static func ofSection2(_ setting: Setting) -> Claim {
    Claim(
      section: "2", sentence: "One naive pass is far less accurate than 90 passes.", assertion: .gain,
      evidence: [.init("90 passes - naive", setting.multiEpochEstimate(90) - setting.naiveEstimate)])
  }

  /// Section 4.2.
  private static func ofTheResults(_ setting: Setting) -> [Claim] {
    let ks = PaperFigures.replaySteps
    let naive = setting.naiveEstimate
    func replay(_ k: Int, _ storage: Double) -> Estimate { setting.estimate(k: k, storage: storage) }
    func gap(_ k: Int) -> Estimate { replay(k, 0.1) - setting.multiEpochEstimate(k + 1) }
    /// The gain from more storage for each k, and the difference of the gains at k = 8 and k = 1.
    func gains(from low: Double, to high: Double) -> [Evidence] {
      let labels = "\(percent(high)) - \(percent(low))"
      return ks.map { .init("k = \($0): \(labels)", replay($0, high) - replay($0, low)) }
        + [
          .init(
            "gain at k = 8 - gain at k = 1",
            (replay(8, high) - replay(8, low)) - (replay(1, high) - replay(1, low)))
        ]
    }
    return [
      Claim(
        section: "1, 4.2",
        sentence: "Prioritised replay with 10 % storage is far more accurate than naive training.",
        assertion: .gain, evidence: ks.map { .init("k = \($0), 10 % - naive", replay($0, 0.1) - naive) }),
      Claim(
        section: "4.2, 1",
        sentence:
          "Prioritised replay with 10 % storage comes very close to multi-epoch training at the same compute.",
        assertion: .smallLoss,
        evidence: ks.map { .init("k = \($0), 10 % - \($0 + 1) passes", gap($0)) }
          + [.init("gap at k = 8 - gap at k = 1", gap(8) - gap(1))]),
      Claim(
        section: "4.2, 2",
        sentence: "Prioritised replay with 1 % storage is already far more accurate than naive training.",
        assertion: .gain,
        evidence: ks.map { .init("k = \($0), 1 % - naive", replay($0, 0.01) - naive) }),
      Claim(
        section: "4.2, 2", sentence: "Accuracy rises from 1 % to 10 % storage, more so for larger k.",
        assertion: .gain, evidence: gains(from: 0.01, to: 0.1)),
      Claim(
        section: "4.2, 3", sentence: "Accuracy rises from 5 % to 10 % storage, more so for larger k.",
        assertion: .gain,
        evidence: gains(from: 0.05, to: 0.1)),
      Claim(
        section: "4.2, 3", sentence: "Additional replay steps gain more with larger storage.",
        assertion: .gain,
        evidence: [
          .init(
            "(k = 8 - k = 3) at 10 % - (k = 8 - k = 3) at 1 %",
            (replay(8, 0.1) - replay(3, 0.1)) - (replay(8, 0.01) - replay(3, 0.01)))
        ]),
    ]
  }

  private static func ofSection31(_ setting: Setting) -> Claim {
    let variants = setting.variants.filter { $0.configuration.memory.encoding == .pixels }
    return Claim(
      section: "3.1",
      sentence: "A memory of encoded images beats one of pixels with the same number of bytes.",
      assertion: .gain,
      evidence: variants.map { pixels in
        let encoded = setting.baseline(of: pixels)
        let items = [encoded, pixels].map { $0.map { "\(Int($0.peakItems)) items" } ?? "not run" }
        return .init(
          "encoded (\(items[0])) - pixels (\(items[1])), \(pixels.shortTitle)",
          Estimate(paper: nil, encoded) - Estimate(paper: nil, pixels))
      })
  }

  /// Section 4.3. If the paper gives only a difference, its accuracy with the change is derived from it.
  private static func ofTheDiscussion(_ setting: Setting) -> [Claim] {
    func changed(
      _ k: Int, _ storage: Double, paper: Double, _ change: (inout RunConfiguration) -> Void
    ) -> Estimate {
      Estimate(paper: paper, setting.replay(k: k, storage: storage, change))
    }
    func replay(_ k: Int, _ storage: Double) -> Estimate { setting.estimate(k: k, storage: storage) }
    return [
      Claim(
        section: "4.3", sentence: "Prioritised replay is slightly more accurate than uniform replay.",
        assertion: .gain,
        evidence: [
          .init(
            "prioritised - uniform, k = 8, 10 %",
            replay(8, 0.1) - changed(8, 0.1, paper: PaperFigures.uniform) { $0.replay.priority = .uniform })
        ]),
      Claim(
        section: "4.3", sentence: "Importance weights improve the accuracy.", assertion: .gain,
        evidence: [(5, 58.0), (8, 58.3)].map { k, paper in
          .init(
            "with - without, k = \(k), 1 %",
            replay(k, 0.01) - changed(k, 0.01, paper: paper) { $0.replay.importanceWeights = false })
        }),
      Claim(
        section: "4.3",
        sentence: "Updating the priorities of replayed examples does not improve the accuracy.",
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
