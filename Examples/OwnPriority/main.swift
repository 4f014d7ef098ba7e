// Trains on a custom stream with a custom priority function, and prints accuracy, storage and compute.
// Run it with: swift run OwnPriority
import Foundation
import OnePass

/// A noisy grey image of horizontal or vertical bars, determined by its position.
func bars(at position: Int) -> LabelledImage {
  var chance = SeededGenerator(seed: 7, .program, position)
  let label = chance.next(below: 2)
  let pixels = (0..<144).map { place in
    let bar = label == 0 ? place / 12 : place % 12
    return UInt8((bar % 4 < 2 ? 40 : 140) + chance.next(below: 80))
  }
  let image = EncodedImage(bytes: pixels, encoding: .pixels(width: 12, height: 12, channels: 1))
  return LabelledImage(image, label: label)
}

/// Replays examples with a high loss more often; a larger exponent increases the preference.
struct LossPower: PriorityFunction {
  var exponent: Double
  func priority(loss: Double, progress: RunProgress) -> Double { pow(loss, exponent) }
}

let classes = ["horizontal", "vertical"]
let stream = IndexedSource("bars", count: 1_024, classNames: classes, example: bars)
let later = IndexedSource("later bars", count: 256, classNames: classes) { bars(at: 1_024 + $0) }
var configuration = RunConfiguration(data: stream.specification)
(configuration.model.name, configuration.recipe.batchSize, configuration.replay.steps) = ("resnet8", 32, 2)
let result = try TrainingRun(
  configuration, source: stream, evaluationSource: later, priority: LossPower(exponent: 0.5)
).start()

print("method    \(result.configuration.title)")
print("accuracy  \(Int(100 * (result.accuracy?.top1 ?? 0))) %")
print("storage   \(result.storage.examples) of \(result.stream.examples) examples")
print("compute   \(result.compute.examples) examples in \(result.compute.updates) updates")
