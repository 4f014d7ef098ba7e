import Foundation
import OnePassModels
import OnePassTorch

// Predicts images in memory with the weights of a service: no HTTP, no decoding. Prints images a second by mini-batch size as JSON.
//
//   PredictionBenchmark MODEL SIDE WEIGHTS SECONDS

let arguments = CommandLine.arguments
guard arguments.count == 5, let side = Int(arguments[2]), let seconds = Double(arguments[4]) else {
  FileHandle.standardError.write(Data("usage: PredictionBenchmark MODEL SIDE WEIGHTS SECONDS\n".utf8))
  exit(64)
}
Engine.keepFreedMemory()
let model = try ModelRegistry.make(
  arguments[1], classes: 10, channels: 3, stem: .imageNet, seed: 1, device: .cpu)
try model.stateDictionary.load(from: StateDictionary(safetensors: arguments[3]))
var rates: [String: Double] = [:]
for batch in [1, 16] {
  let values = (0..<batch * 3 * side * side).map { Float($0 % 255) / 127 - 1 }
  let images = try Tensor(values, shape: [batch, 3, side, side]).channelsLast()
  let prepared = PreparedWeights()
  func predict() throws -> [Float] {
    try withoutGradient(reusing: prepared) { try model(images, .evaluation).floats() }
  }
  _ = try predict()
  let start = ContinuousClock.now
  var count = 0
  while (ContinuousClock.now - start) / .seconds(1) < seconds {
    _ = try predict()
    count += batch
  }
  rates["\(batch)"] = Double(count) / ((ContinuousClock.now - start) / .seconds(1))
}
print(String(decoding: try JSONEncoder().encode(rates), as: UTF8.self))
