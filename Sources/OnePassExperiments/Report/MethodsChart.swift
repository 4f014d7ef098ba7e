import OnePass
import OnePassCore

extension Setting {
  /// Accuracy by storage, a line for each method, at the largest k of a method other than the paper's.
  ///
  /// Multi-epoch training at the same compute is at 100 %. If this setting has another recipe, the paper's method with
  /// the paper's recipe is included.
  var methodsChart: Chart? {
    let own = variants.filter { $0.configuration.method == .replay && $0.accuracy != nil }
    let changed = own.filter { baseline(of: $0) != nil || !paperRecipe.isEmpty }
    guard let k = changed.map(\.configuration.replay.steps).max() else { return nil }
    let paper = paperRecipe.filter {
      $0.configuration.method == .replay && $0.configuration == $0.configuration.asInThePaper
    }
    let families = Dictionary(grouping: (own + paper).filter { $0.configuration.replay.steps == k }) {
      $0.configuration.withoutStorage
    }.values.sorted {
      // Ties are ordered by title, so that the same records make the same chart.
      (Self.height($1), $0[0].title) < (Self.height($0), $1[0].title)
    }.prefix(Chart.colours - 1)
    guard families.count > 1 else { return nil }
    let kept = variants.filter { $0.isMultiEpoch(k + 1) }
    let paperKept = paperRecipe.filter {
      $0.isMultiEpoch(k + 1) && $0.configuration == $0.configuration.asInThePaper
    }
    let shown = families.flatMap { $0 } + kept + paperKept
    var chart = Chart(
      title: "Accuracy by storage and method, k = \(k)",
      horizontal: .logarithmic(
        "storage, % of the stream's examples", families.joined().map(\.storage) + [100]),
      vertical: .linear("top-1, %", shown.flatMap(\.accuracyRange)))
    for (colour, family) in families.enumerated() {
      let points = family.sorted { $0.storage < $1.storage }.compactMap { $0.point(at: $0.storage) }
      chart.series.append(.init(name: Self.name(of: family[0]), colour: colour, points: points))
    }
    for (index, variant) in (kept + paperKept).enumerated() {
      guard let point = variant.point(at: 100) else { continue }
      chart.series.append(
        .init(
          name: Self.name(of: variant), colour: index < kept.count ? index % 6 : 6, points: [point],
          style: .points, isHollow: true))
    }
    return chart
  }

  /// The order of the methods: their best mean accuracy.
  private static func height(_ family: [Variant]) -> Double {
    family.compactMap { $0.accuracy?.mean }.max() ?? 0
  }

  /// The title without the parts that all series share.
  private static func name(of variant: Variant) -> String {
    let configuration = variant.configuration
    return variant.title.replacing(
      ", k = \(configuration.replay.steps), \(configuration.storageTitle) storage", with: ""
    ).replacing("multi-epoch, ", with: "")
  }
}

extension Variant {
  fileprivate func isMultiEpoch(_ passes: Int) -> Bool {
    configuration.method == .multiEpoch && configuration.epochs == passes && accuracy != nil
  }
}

extension RunConfiguration {
  /// The configuration with the storage removed, which identifies a method.
  fileprivate var withoutStorage: RunConfiguration {
    var method = self
    method.memory.storage = .fraction(1)
    return method
  }
}
