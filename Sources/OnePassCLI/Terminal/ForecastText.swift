import OnePass
import OnePassCore

/// A forecast as text.
struct ForecastText {
  let forecast: RunForecast

  /// The forecast, one line per quantity.
  var text: String {
    var lines = ["run        \(configuration.title), \(configuration.model.name)", stream, work]
    if let storage { lines.append(storage) }
    lines += [time, memory, "measured   \(warmUp)"]
    return lines.joined(separator: "\n")
  }

  private var configuration: RunConfiguration { forecast.configuration }

  private var stream: String {
    let (stream, side) = (forecast.stream, configuration.model.imageSize ?? 0)
    let bytes = byteText(Int(stream.imageBytes))
    let isOne = stream.imagesSeen == 1
    let images =
      isOne
      ? "the first image has \(bytes)" : "the first \(stream.imagesSeen) images have \(bytes) on average"
    let consumed = isOne ? " (consumed from the stream)" : " (all consumed from the stream)"
    return "stream     \(Figures.count(stream.examples, "example")) of \(stream.classes) classes, "
      + "input \(side) x \(side); \(images)" + (stream.isConsumed ? consumed : "")
  }

  private var work: String {
    let compute = forecast.compute
    return "compute    \(Figures.percent(compute.fraction, decimals: 2)) of 90 epochs "
      + "(\(Figures.count(compute.examples, "example")) trained, \(Figures.count(compute.steps, "step")), "
      + "\(Figures.count(compute.updates, "update"))), \(Figures.count(compute.effectiveEpochs, "effective epoch"))"
  }

  private var storage: String? {
    guard let storage = forecast.storage else { return nil }
    let (examples, bytes) = (Figures.count(storage.examples, "example"), byteText(storage.bytes))
    var text = "storage    at most "
    text += storage.isBudgetInBytes ? "\(bytes), about \(examples)" : "\(examples), about \(bytes)"
    if storage.isOnDisk { text += ", images on disk" }
    if storage.shuffleBufferBytes > 0 {
      text += "; \(byteText(storage.shuffleBufferBytes)) of it in the shuffle buffer"
    }
    return text
  }

  private var time: String {
    let time = forecast.time
    let duration = time.seconds < 1 ? "less than a second" : "about \(Figures.duration(time.seconds))"
    var text =
      "time       \(duration) at \(Figures.count(Int(time.imagesPerSecond))) images/s"
    if let seconds = time.evaluationSeconds {
      text += ", including \(Figures.duration(seconds)) of evaluation"
    } else if configuration.data.evaluationSource != nil {
      text += ", without the evaluation (unknown length)"
    }
    if let step = forecast.resumesAfterStep { text += ", resuming after step \(Figures.count(step))" }
    return text
  }

  private var memory: String {
    let device = configuration.machine.device.hasPrefix("cuda") ? ", GPU memory not included" : ""
    return
      "memory     peak of about \(byteText(forecast.peakResidentBytes)) RAM\(device); "
      + "at most \(byteText(forecast.decodeBudgetBytes)) of it for waiting images and decoding"
  }

  private var warmUp: String {
    let warmUp = forecast.warmUp
    let replays = warmUp.replaySteps > 0 ? " and \(Figures.count(warmUp.replaySteps, "replay step"))" : ""
    let waits = warmUp.waitShare.flatMap { share in
      share < 0.1
        ? nil
        : " (threads waited for a processor for \(Figures.percent(share, decimals: 0)) of the time; a quiet machine is faster)"
    }
    return
      "\(Figures.count(warmUp.steps, "step")) with \(Figures.count(warmUp.batchSize, "example"))\(replays) each "
      + "in \(Figures.duration(warmUp.seconds)), under the present load of the machine\(waits ?? ""); nothing was written"
  }
}
