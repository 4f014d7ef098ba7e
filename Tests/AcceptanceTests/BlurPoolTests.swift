import Foundation
import TestSupport
import TestTraits
import Testing

@Suite("A model with blur pooling is rebuilt with blur pooling", .waitsForPrograms) struct BlurPoolTests {
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

    // The weights have no trace of the pooling: without the field, as in older records, the model is another one.
    let card = "blurred/checkpoint/model.json"
    var older = jsonObject(Data(try folder.bytes(of: card)))
    #expect(older.removeValue(forKey: "blurPool") as? Bool == true)
    try folder.write(Array(try JSONSerialization.data(withJSONObject: older)), to: card)
    #expect(try evaluated() != trained)
  }

  @Test("Initial weights must come from a model with the same pooling")
  func initialWeightsMustHaveTheSamePooling() throws {
    try runs.train("blurred", ["--blur-pool"])
    try runs.train("plain")
    func begins(with weights: String, _ more: [String] = []) throws -> Program.Outcome {
      try? FileManager.default.removeItem(atPath: folder.file("next"))
      return try runs.attempt("next", ["--limit", "16", "--initialise", folder.file(weights)] + more)
    }
    let refused = try begins(with: "blurred")
    #expect(
      refused.status == 64 && refused.errors.contains("was trained with --blur-pool"), "\(refused.errors)")
    #expect(refused.errors.contains("pass --blur-pool."))
    let same = try begins(with: "blurred", ["--blur-pool"])
    #expect(same.status == 0 && !same.errors.contains("trained without"), "\(same.errors)")
    let new = try begins(with: "plain", ["--blur-pool"])
    #expect(
      new.status == 0 && new.errors.contains("The weights were trained without --blur-pool."), "\(new.errors)"
    )

    // A weight file alone has torchvision's names, and fits both models.
    try folder.write(try folder.bytes(of: "blurred/checkpoint/model.safetensors"), to: "alone.safetensors")
    for more in [[], ["--blur-pool"]] {
      let outcome = try begins(with: "alone.safetensors", more)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.errors.contains("pass --no-blur-pool") == !more.isEmpty, "\(outcome.errors)")
    }
  }
}
