import OnePass

extension Tables {
  /// All variants with accuracy, storage, compute and throughput, and whether each is on the Pareto front.
  static func variants(_ setting: Setting) -> ResultTable? {
    let front = Set(setting.paretoFront.map(\.configuration))
    var table = ResultTable(
      "All variants", of: setting,
      columns: [
        "variant", "#top-1", "#n", "#storage", "#bytes", "#compute", "#images/s", "#minutes", "Pareto front",
      ])
    for variant in setting.variants {
      let rate = variant.sample { $0.throughput.imagesPerSecond }
      let minutes = variant.sample { $0.wallSeconds / 60 }
      let isOnFront = front.contains(variant.configuration)
      table.add([
        variant.title, ResultFigures.accuracy(variant.accuracy), "\(variant.n)",
        ResultFigures.percent(variant.storage), ResultFigures.percent(variant.storageBytes),
        ResultFigures.percent(variant.compute), Figures.count(Int(rate?.mean ?? 0)),
        ResultFigures.percent(minutes?.mean ?? 0), isOnFront ? "yes" : "",
      ])
      table.add(
        data: variant.fields + [
          ("images_per_second_mean", .init(rate?.mean)), ("minutes_mean", .init(minutes?.mean)),
          ("pareto_front", .text(isOnFront ? "yes" : "no")),
        ])
    }
    table.notes = [
      errorNote(setting.variants, of: setting)
        + " Storage: peak, in percent of the stream's examples and of its bytes. Compute: in percent of 90 passes. "
        + "Pareto front: by mean accuracy, bytes and compute."
    ]
    return table
  }
}
