import Foundation
import TestSupport
import Testing

/// A model that blurs before strides is the same model wherever it is built again.
@Suite("A model with blur pooling is the same model wherever it is built again") struct BlurPoolTests {
  let runs: RunFixture
  var folder: TemporaryFolder { runs.folder }

  init() throws {
    runs = try RunFixture(
      StripedImages(count: 200), evaluation: StripedImages(count: 60, seed: 2),
      options: small + ["--replay-steps", "2"])
  }

  func loss(_ result: [String: Any]) -> Double? { result.number("accuracy.loss") ?? result.number("loss") }

  @Test("An evaluation builds the model that was trained")
  func anEvaluationBuildsTheSameModel() throws {
    try runs.train("blurred", ["--blur-pool"])
    let result = try runs.result("blurred")
    func evaluated() throws -> Double? {
      let outcome = try onepass.run([
        "evaluate", "--checkpoint", folder.file("blurred"), "--data", "idx:\(folder.path):test", "--threads",
        "1",
        "--json",
      ])
      #expect(outcome.status == 0, "\(outcome.errors)")
      return loss(outcome.json)
    }
    let trained = try #require(loss(result))
    #expect(try evaluated() == trained)

    // The weights alone do not tell: as a record of an older program would be read, they make another model.
    let card = "blurred/checkpoint/model.json"
    var older = jsonObject(Data(try folder.bytes(of: card)))
    #expect(older.removeValue(forKey: "blurPool") as? Bool == true)
    try folder.write(Array(try JSONSerialization.data(withJSONObject: older)), to: card)
    #expect(try evaluated() != trained)
  }

  @Test("Initial weights must come from a model with the same pooling")
  func aRunBeginsWithWeightsOfItsKind() throws {
    try runs.train("blurred", ["--blur-pool"])
    try runs.train("plain")
    func begins(with weights: String, _ more: [String] = []) throws -> Program.Outcome {
      try? FileManager.default.removeItem(atPath: folder.file("next"))
      return try runs.attempt("next", ["--limit", "16", "--initialise", folder.file(weights)] + more)
    }
    let refused = try begins(with: "blurred")
    #expect(refused.status == 64 && refused.errors.contains("of a run with --blur-pool"), "\(refused.errors)")
    #expect(refused.errors.contains("say --blur-pool."))
    let same = try begins(with: "blurred", ["--blur-pool"])
    #expect(same.status == 0 && !same.errors.contains("trained without"), "\(same.errors)")
    let new = try begins(with: "plain", ["--blur-pool"])
    #expect(new.status == 0 && new.errors.contains("They were trained without --blur-pool."), "\(new.errors)")

    // A file by itself has torchvision's names, and fits either way.
    try folder.write(try folder.bytes(of: "blurred/checkpoint/model.safetensors"), to: "alone.safetensors")
    for more in [[], ["--blur-pool"]] {
      let outcome = try begins(with: "alone.safetensors", more)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("say --no-blur-pool") == !more.isEmpty, "\(outcome.errors)")
    }
  }
}
