import Foundation
import OnePassModels
import OnePassTorch
import Testing

/// The requirements on every model of the registry; new models are tested automatically.
@Suite("Conformance of every registered model", .serialized) struct ConformanceTests {
  struct Layout: Decodable, CustomTestStringConvertible {
    let model: String
    let channels: Int
    let stem: Stem
    let tensors: Int
    let digest: String
    var testDescription: String { "\(model), \(stem.rawValue) stem, \(channels) channels" }

    static func all() throws -> [Layout] {
      try JSONDecoder().decode([Layout].self, from: Data(contentsOf: fixture("names.json")))
    }
  }

  @Test("Every registered model has a reference layout")
  func allNamesAreCovered() throws {
    #expect(Set(try Layout.all().map(\.model)) == Set(ModelRegistry.names))
  }

  @Test(
    "Names and shapes match torchvision, and a batch yields one logit per class", arguments: try Layout.all())
  func conforms(_ layout: Layout) throws {
    let model = try ModelRegistry.make(
      layout.model, classes: 11, channels: layout.channels, stem: layout.stem, seed: 3, device: .cpu)
    let state = model.stateDictionary
    let text = state.entries.map { "\($0.name) \($0.tensor.shape.map(String.init).joined(separator: ","))\n" }
    #expect(state.count == layout.tensors)
    #expect(fnv1a(text.joined()) == layout.digest)
    #expect(model.parameters.allSatisfy { $0.tensor.requiresGradient })
    #expect(model.parameters.allSatisfy { $0.tensor.shape.count != 4 || $0.tensor.isChannelsLast })
    #expect(model.buffers.allSatisfy { !$0.tensor.requiresGradient })

    let blurred = try ModelRegistry.make(
      layout.model, classes: 11, channels: layout.channels, stem: layout.stem, seed: 3, device: .cpu,
      options: LayerOptions(blursBeforeStrides: true))
    #expect(blurred.stateDictionary.names == state.names)
    for (a, b) in zip(model.parameters, blurred.parameters).prefix(3) {
      #expect(try a.tensor.floats() == b.tensor.floats(), "\(a.name) is drawn differently")
    }

    // Large enough for one pixel in the deepest stage after the ImageNet stem.
    let images = try Tensor.full(0.5, shape: [2, layout.channels, 32, 32]).channelsLast()
    let logits = try withoutGradient { try model(images, .evaluation) }
    #expect(logits.shape == [2, 11])
    #expect(try logits.floats().allSatisfy(\.isFinite))
  }

  /// FNV-1a, 64 bits.
  private func fnv1a(_ text: String) -> String {
    var value: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in text.utf8 { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
