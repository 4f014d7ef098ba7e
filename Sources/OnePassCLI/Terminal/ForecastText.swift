import OnePass
import OnePassCore

/// A forecast as it is shown to people.
struct ForecastText {
  let forecast: RunForecast

  /// A line for each thing that the run would come to.
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
      isOne ? "the first image has \(bytes)" : "the first \(stream.imagesSeen) images have \(bytes) each"
    let gone = isOne ? "it is gone from the stream" : "they are gone from the stream"
    return "stream     \(Figures.count(stream.examples, "example")) of \(stream.classes) classes, "
      + "taken in at \(side) x \(side); \(images)" + (stream.isConsumed ? ", and \(gone)" : "")
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
    if storage.isOnDisk { text += ", the images on disk" }
    if storage.shuffleBufferBytes > 0 {
      text += "; of it \(byteText(storage.shuffleBufferBytes)) in the shuffle buffer"
    }
    return text
  }

  private var time: String {
    let time = forecast.time
    let duration = time.seconds < 1 ? "less than a second" : "about \(Figures.duration(time.seconds))"
    var text =
      "time       \(duration) at \(Figures.count(Int(time.imagesPerSecond))) images/s"
    if let seconds = time.evaluationSeconds {
      text += ", the evaluation of \(Figures.duration(seconds)) included"
    } else if configuration.data.evaluationSource != nil {
      text += ", and an evaluation of unknown length"
    }
    if let step = forecast.resumesAfterStep { text += ", going on after step \(Figures.count(step))" }
    return text
  }

  private var memory: String {
    let device = configuration.machine.device.hasPrefix("cuda") ? "; the GPU's memory is not in it" : ""
    return "memory     about \(byteText(forecast.peakResidentBytes)) of RAM at most\(device)"
  }

  private var warmUp: String {
    let warmUp = forecast.warmUp
    let replays = warmUp.replaySteps > 0 ? " with \(Figures.count(warmUp.replaySteps, "replay"))" : ""
    return
      "\(Figures.count(warmUp.steps, "step")) of \(Figures.count(warmUp.batchSize, "example"))\(replays), "
      + "a warm-up of \(Figures.duration(warmUp.seconds)); nothing was written"
  }
}
