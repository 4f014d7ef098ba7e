import OnePass
import OnePassCore
import OnePassReplay

/// `1.54 MB`
func byteText(_ bytes: Int) -> String { ByteCount(bytes).description }

/// The result of a run as text.
struct ResultText {
  let result: RunResult

  /// The three metrics and the speed, one line each.
  var summary: String {
    var lines: [String] = []
    if let accuracy = result.accuracy {
      let top5 = accuracy.top5.map { ", top-5 \(Figures.percent($0, decimals: 2))" } ?? ""
      let skipped = accuracy.skipped > 0 ? ", \(Figures.count(accuracy.skipped, "broken image")) skipped" : ""
      lines.append(
        "accuracy   top-1 \(Figures.percent(accuracy.top1, decimals: 2))\(top5) "
          + "on \(Figures.count(accuracy.examples, "example"))\(skipped)")
    }
    if let groups = result.groups { lines.append(text(of: groups)) }
    lines.append(
      "storage    \(Figures.percent(result.storage.exampleFraction)) of the stream's examples "
        + "(\(Figures.count(result.storage.examples))), \(Figures.percent(result.storage.byteFraction)) of its bytes "
        + "(\(byteText(result.storage.bytes)))")
    if let pictures = result.storage.pictures {
      lines.append(
        "pictures   \(Figures.count(pictures.examples, "image")) of the memory kept in the checkpoint "
          + "(\(byteText(pictures.bytes)))")
    }
    if let pictures = result.storage.loggedPictures {
      lines.append(
        "logged     \(Figures.count(pictures.count, "picture")) of the memory in tensorboard/ "
          + "(\(byteText(pictures.bytes)), not counted as storage)")
    }
    lines.append(
      "compute    \(Figures.percent(result.compute.fraction, decimals: 2)) of 90 epochs "
        + "(\(Figures.count(result.compute.examples, "example")) trained, "
        + "\(Figures.count(result.compute.updates, "update")))")
    let waiting = (result.throughput.imageWaitSeconds ?? 0) / max(result.trainingSeconds, 1e-9)
    let waits = waiting < 0.01 ? "" : ", \(Figures.percent(waiting)) of the training time waiting for images"
    let processor = result.threads?.waitShare ?? 0
    let shares =
      processor < 0.1
      ? "" : ", threads waited for a processor for \(Figures.percent(processor, decimals: 0)) of the time"
    lines.append(
      "speed      \(Figures.count(Int(result.throughput.imagesPerSecond))) images/s, "
        + "\(Figures.duration(result.wallSeconds)) in total\(waits)\(shares)")
    if result.stream.skipped > 0 {
      lines.append(
        "skipped    \(Figures.count(result.stream.skipped, "broken image")) of \(Figures.count(result.stream.examples))"
      )
    }
    return lines.joined(separator: "\n")
  }

  /// `groups     5 of 5: average 41.20 %, worst case 10.05 %, forgetting 35.10 %, backward transfer -35.10 %`
  private func text(of groups: GroupAccuracies) -> String {
    let values: [(String, Double?)] = [
      ("average", groups.averageAccuracy), ("worst case", groups.worstCaseAccuracy),
      ("forgetting", groups.forgetting), ("backward transfer", groups.backwardTransfer),
    ]
    let texts = values.compactMap { name, value in
      value.map { "\(name) \(Figures.percent($0, decimals: 2))" }
    }
    return "groups     \(groups.accuracy.count) of \(groups.classes.count): \(texts.joined(separator: ", "))"
  }
}
