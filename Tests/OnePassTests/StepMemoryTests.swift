import OnePassCore
import OnePassData
import TestSupport
import Testing

@testable import OnePass

@Suite("The memory of a step") struct StepMemoryTests {
  @Test("Mini-batches that exceed the memory of the machine are refused before they are made")
  func impossibleStepsAreRefused() throws {
    var configuration = RunConfiguration.small(on: "x", replaySteps: 8)
    configuration.recipe.batchSize = 1 << 20
    let pipeline = ImagePipeline(size: 224, channels: 3, geometry: .resizeAndCrop(resize: 250))
    // 10 mini-batches of 2^20 / 4 images of 224 x 224 x 3 values of 4 bytes.
    let most = StepMemory(configuration, pipeline, streamExamples: 1 << 30, ranks: 4, elementBytes: 4)
    #expect(most.batches == 10 && most.batchBytes == (1 << 18) * 224 * 224 * 3 * 4)
    #expect {
      try most.check(against: 1_000_000_000_000)
    } throws: {
      ($0 as? OnePassError)?.code == .usage && "\($0)".contains("10 mini-batches of a step take 158 GB each")
    }
    try most.check(against: 10 * most.batchBytes)
    // A stream of 100 images fills no mini-batch.
    let few = StepMemory(configuration, pipeline, streamExamples: 100, ranks: 1, elementBytes: 1)
    #expect(few.batchBytes == 100 * 224 * 224 * 3)
    configuration.method = .naive
    #expect(
      StepMemory(configuration, pipeline, streamExamples: 100, ranks: 1, elementBytes: 1).batches == 2)
  }

  @Test("An index that exceeds the memory of the machine is refused, and a share of a long stream is not")
  func impossibleIndicesAreRefused() throws {
    var configuration = RunConfiguration.small(on: "x", replaySteps: 1)
    configuration.memory.storage = .examples(1_000)
    // 47 bytes an item, as the change log states.
    let parts = try MethodParts(
      &configuration, priority: nil, drawing: nil, evicting: nil, model: nil)
    try configuration.checkIndex(parts, against: 47_000)
    #expect {
      try configuration.checkIndex(parts, against: 46_999)
    } throws: {
      ($0 as? OnePassError)?.code == .usage && "\($0)".contains("--storage 1000: the index")
    }
    configuration.memory.storage = .examples(.max)
    #expect(throws: OnePassError.self) { try configuration.checkIndex(parts) }
    configuration.memory.storage = .fraction(1)
    try configuration.checkIndex(parts, against: 1)
  }

  @Test("A run whose step exceeds the memory ends with its message")
  func aRunEndsWithTheMessage() throws {
    var configuration = RunConfiguration.small(on: "synthetic:200:8:2", replaySteps: 10_000)
    (configuration.model.imageSize, configuration.recipe.batchSize) = (4_096, 200)
    #expect {
      try TrainingRun(configuration).start()
    } throws: {
      ($0 as? OnePassError)?.code == .usage && "\($0)".contains("the 10002 mini-batches of a step take")
    }
  }
}
