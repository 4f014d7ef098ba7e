import OnePassCore
import OnePassModels
import OnePassTorch
import Testing

@Suite("The model registry") struct ModelRegistryTests {
  @Test("An unknown model is rejected with the list of models")
  func unknownName() {
    #expect {
      try ModelRegistry.make("resnet7", classes: 10, channels: 3, stem: .small, seed: 1, device: .cpu)
    } throws: { error in
      let error = error as? OnePassError
      return error?.code == .usage && error?.message.contains("resnet20, resnet32") == true
    }
  }

  @Test("A model is recognised by the names of its tensors", arguments: ModelRegistry.names)
  func recognition(name: String) throws {
    let model = try ModelRegistry.make(
      name, classes: 2, channels: 3, stem: .imageNet, seed: 1, device: .cpu)
    let names = model.stateDictionary.names
    #expect(ModelRegistry.model(withTensors: names) == name)
    #expect(ModelRegistry.model(withTensors: names.filter { !$0.hasPrefix("layer2.0.") }) == nil)
    #expect(ModelRegistry.model(withTensors: names.map { "module.\($0)" }) == nil)
  }

  @Test("The seed determines the weights")
  func seeds() throws {
    func weights(seed: UInt64) throws -> [Float] {
      let model = try ModelRegistry.make(
        "resnet8", classes: 3, channels: 1, stem: .small, seed: seed, device: .cpu)
      return try model.parameters.flatMap { try $0.tensor.floats() }
    }
    let first = try weights(seed: 5)
    #expect(try weights(seed: 5) == first)
    #expect(try weights(seed: 6) != first)
  }
}
