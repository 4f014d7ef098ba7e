import OnePassCore
import OnePassTorch
import Testing

@Suite("State dictionaries") struct StateDictionaryTests {
  @Test("Loading copies the values into the tensors of the dictionary")
  func loads() throws {
    let weight = try Tensor.zeros(shape: [2])
    try weight.setRequiresGradient(true)
    try StateDictionary([("w", weight)]).load(from: StateDictionary([("w", Tensor([3, 4], shape: [2]))]))
    #expect(try weight.floats() == [3, 4])
    #expect(weight.requiresGradient)
  }

  @Test("Tensors that do not fit are named in the error, and nothing is loaded")
  func misfit() throws {
    let mine = StateDictionary([
      ("fits", try .zeros(shape: [1])), ("shape", try .zeros(shape: [2])),
      ("missing", try .zeros(shape: [1])),
      ("type", try .zeros(shape: [])),
    ])
    let other = StateDictionary([
      ("fits", try .full(1, shape: [1])), ("shape", try .zeros(shape: [3])),
      ("extra", try .zeros(shape: [1])),
      ("type", try .zeros(shape: [], type: .int64)),
    ])
    #expect {
      try mine.load(from: other)
    } throws: { error in
      (error as? OnePassError)?.message
        == "The saved weights do not fit this model: they lack missing, have the unexpected extra, "
        + "differ in shape or type in shape ([3] instead of [2]), type (int64 instead of float32); "
        + "use the model, classes and channels with which they were saved."
    }
    #expect(try mine["fits"]?.item == 0)
  }

  @Test("Names keep their order when tensors are set and removed")
  func order() throws {
    var dictionary = StateDictionary()
    for name in ["b", "a", "c"] { dictionary[name] = try .zeros(shape: []) }
    dictionary["a"] = nil
    dictionary["b"] = try .full(2, shape: [])
    #expect(dictionary.names == ["b", "c"])
    #expect(try dictionary["b"]?.item == 2)
    #expect(dictionary["a"] == nil)
    #expect(try dictionary["c"]?.item == 0)
  }
}
