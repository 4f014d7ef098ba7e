import OnePassCore
import OnePassTorch
import Testing

/// Counts that belong to the whole process, so nothing else of this target runs beside them.
extension EngineTests {
  @Suite struct Memory {
    @Test("A training loop leaves no tensor behind")
    func trainingLoopFreesItsTensors() throws {
      let before = Engine.liveTensorCount
      try {
        let initialiser = try Initialiser(seed: 1)
        let conv = try Conv2d(3, 4, size: 3, padding: 1, from: initialiser)
        let norm = try BatchNorm2d(4, from: initialiser)
        let head = try Linear(4, 5, from: initialiser)
        let optimiser = try SGD(
          parameters: namedParameters([("conv", conv), ("norm", norm), ("head", head)]))
        let started = Engine.liveTensorCount
        for _ in 0..<3 {
          let images = try Tensor.full(0.5, shape: [2, 3, 8, 8]).channelsLast()
          let features = try norm(conv(images), .training).reluInPlace().adaptiveAveragePool2d().flattened()
          let losses = try crossEntropy(head(features), labels: Tensor([0, 4] as [Int64], shape: [2]))
          try weightedMean(losses, weights: Tensor([0.5, 1.5], shape: [2])).backward()
          try optimiser.step(learningRate: 0.1)
          try optimiser.zeroGradients()
        }
        #expect(Engine.liveTensorCount == started)
        #expect(started > before)
      }()
      #expect(Engine.liveTensorCount == before)
    }

    @Test("A borrowed batch keeps its owner until the last tensor that uses it has gone")
    func borrowedMemoryKeepsItsOwner() throws {
      final class Batch {
        let memory = UnsafeMutablePointer<Float>.allocate(capacity: 12)
        init() { for i in 0..<12 { memory[i] = Float(i) } }
        deinit { memory.deallocate() }
      }
      weak var watched: Batch?
      var view: Tensor?
      try {
        let batch = Batch()
        watched = batch
        let images = try Tensor(borrowing: batch.memory, shape: [1, 3, 2, 2], owner: batch)
        #expect(images.isChannelsLast)
        // Memory is [N, H, W, C], so channel 1 is every third number from 1 on.
        view = try images.narrowed(dimension: 1, from: 1, length: 1)
      }()
      #expect(watched != nil)
      #expect(try view?.floats() == [1, 4, 7, 10])
      view = nil
      #expect(watched == nil)
    }

    private func namedParameters(_ parts: [(name: String, module: any Module)]) -> [(
      name: String, tensor: Tensor
    )] {
      namedTensors(of: parts).filter { $0.role == .parameter }.map { ($0.name, $0.tensor) }
    }
  }
}

/// One after the other, because some tests count the tensors of the whole process.
@Suite(.serialized) struct EngineTests {}
