// Observes a run while it trains, stops it half-way, resumes it, and evaluates the trained model with a custom metric.
// Run it with: swift run WatchedRun [FOLDER]
import Foundation
import OnePass

/// The recall of one class: a custom metric.
struct Recall: Metric {
  let label: Int
  private var correct = 0.0
  private var count = 0.0

  init(label: Int) { self.label = label }

  var name: String { "recall \(label)" }

  mutating func update(logits: Tensor, labels: Tensor) throws {
    for (predicted, label) in zip(try logits.argmax().integers(), try labels.integers())
    where label == self.label {
      count += 1
      if predicted == label { correct += 1 }
    }
  }

  var sums: [Double] {
    get { [correct, count] }
    set { (correct, count) = (newValue[0], newValue[1]) }
  }

  var value: Double? { count == 0 ? nil : correct / count }
}

/// Images of noise around one of three grey levels: dark, medium, bright.
func image(at position: Int) -> LabelledImage {
  var chance = SeededGenerator(seed: 3, .program, position)
  let label = chance.next(below: 3)
  let pixels = (0..<256).map { _ in UInt8(80 * label + chance.next(below: 90)) }
  let pixelImage = EncodedImage(bytes: pixels, encoding: .pixels(width: 16, height: 16, channels: 1))
  return LabelledImage(pixelImage, label: label)
}

/// Starts or resumes the run. A stream is read once, so each start opens it again.
func train(in folder: String, stopping stop: StopRequest?) throws -> RunResult {
  var configuration = RunConfiguration(data: "levels")
  (configuration.model.name, configuration.recipe.batchSize, configuration.replay.steps) = ("resnet8", 32, 1)
  let stream = IndexedSource("levels", count: 640, classCount: 3, example: image)
  return try TrainingRun(configuration, source: stream).start(output: folder, resuming: true, stop: stop) {
    event in
    switch event {
    case .notice(let text): print(text)
    case .step(let report) where report.step.isMultiple(of: 5):
      let loss = String(format: "%.3f", report.loss)
      print(
        "step \(report.step): \(report.examplesSeen) examples seen, \(report.memoryItems) kept, loss \(loss)"
      )
      if report.step == 10 { stop?.stop() }
    default: break
    }
  }
}

let folder =
  CommandLine.arguments.dropFirst().first
  ?? FileManager.default.temporaryDirectory.appendingPathComponent("watched-run-\(UUID())").path
do {
  _ = try train(in: folder, stopping: StopRequest())
} catch let stopped as RunStopped {
  print("stopped after step \(stopped.step)\(stopped.steps.map { " of \($0)" } ?? "")")
}
let result = try train(in: folder, stopping: nil)
print("trained on \(result.compute.examples) examples")

let model = try TrainedModel(checkpoint: folder)
let later = IndexedSource("later levels", count: 300, classCount: 3) { image(at: 640 + $0) }
let measured = try model.measure((0..<3).map { Recall(label: $0) }, on: later)
for label in 0..<3 { print("recall of class \(label): \(measured["recall \(label)"] ?? 0)") }

let bright = EncodedImage(
  bytes: [UInt8](repeating: 205, count: 256), encoding: .pixels(width: 16, height: 16, channels: 1))
print("predicted class of a bright image: \(try model.predict([bright])[0][0].label)")
