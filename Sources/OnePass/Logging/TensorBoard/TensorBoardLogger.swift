import Foundation
import OnePassCore
import SwiftProtobuf

/// Writes event files for TensorBoard: scalars, histograms, pictures, and the options of the run as text.
///
/// A resumed run writes a new file, which starts with its first step. TensorBoard then ignores that step and later ones in
/// earlier files.
final class TensorBoardLogger: RunLogger {
  let name = EventFolder.name
  let takesPictures: Bool
  private let folder: EventFolder
  private var file: AppendedFile?

  init(in folder: EventFolder, takesPictures: Bool) {
    self.folder = folder
    self.takesPictures = takesPictures
  }

  func begin(_ run: LoggedRun) throws {
    file = AppendedFile(path: try folder.nextFile())
    try write(step: 0, .fileVersion("brain.Event:2"))
    if run.stepsDone > 0 {
      var start = ProtoSessionLog()
      start.status = .start
      try write(step: run.stepsDone + 1, .sessionLog(start))
    } else {
      var summary = ProtoSummary()
      summary.value = [Self.text(Self.table(of: run.configuration), tag: "options")]
      try write(step: 0, .summary(summary))
    }
  }

  func log(_ point: LogPoint) throws {
    var summary = ProtoSummary()
    for (name, value) in point.scalars {
      summary.value.append(Self.value(name) { $0.simpleValue = Float(value) })
    }
    for (name, histogram) in point.histograms {
      summary.value.append(Self.value(name) { $0.histo = Self.message(of: histogram) })
    }
    if takesPictures {
      for (name, picture) in point.pictures {
        var image = ProtoSummary.Image()
        (image.width, image.height) = (Int32(picture.width), Int32(picture.height))
        image.colorspace = Int32(picture.channels)
        image.encodedImageString = Data(try picture.png())
        summary.value.append(Self.value(name) { $0.image = image })
      }
    }
    guard !summary.value.isEmpty else { return }
    try write(step: point.step, time: point.time, .summary(summary))
  }

  func makeDurable() throws {
    try file?.makeDurable()
    try? DurableFile.synchronise(folder.path)
  }

  private func write(step: Int, time: Date = Date(), _ what: ProtoEvent.OneOf_What) throws {
    var event = ProtoEvent()
    event.wallTime = time.timeIntervalSince1970
    event.step = Int64(step)
    event.what = what
    try file?.append(RecordFile.framed(try event.serializedData()))
    try file?.writeOut()
  }

  private static func value(
    _ tag: String, _ fill: (inout ProtoSummary.Value) -> Void
  ) -> ProtoSummary.Value {
    var value = ProtoSummary.Value()
    value.tag = tag
    fill(&value)
    return value
  }

  private static func message(of histogram: Histogram) -> ProtoHistogramProto {
    var message = ProtoHistogramProto()
    (message.min, message.max) = (histogram.lower, histogram.upper)
    message.num = Double(histogram.counts.reduce(0, +))
    (message.sum, message.sumSquares) = (histogram.sum, histogram.sumOfSquares)
    message.bucketLimit = histogram.limits
    message.bucket = histogram.counts.map(Double.init)
    return message
  }

  /// A value with Markdown, for TensorBoard's text plugin.
  private static func text(_ text: String, tag: String) -> ProtoSummary.Value {
    value(tag) { value in
      value.metadata.pluginData.pluginName = "text"
      var tensor = ProtoTensorProto()
      tensor.dtype = 7  // DT_STRING
      tensor.stringVal = [Data(text.utf8)]
      value.tensor = tensor
    }
  }

  private static func table(of configuration: RunConfiguration) -> String {
    let rows = configuration.options.map { option in
      "| \(option.name) | \(option.value.replacing("|", with: "\\|").replacing("\n", with: " ")) |"
    }
    return (["onepass \(onePassVersion)", "", "| option | value |", "|---|---|"] + rows).joined(
      separator: "\n")
  }
}
