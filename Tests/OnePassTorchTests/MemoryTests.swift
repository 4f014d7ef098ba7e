import OnePassCore
import OnePassTorch
import Testing

@Suite("Tensor memory") struct MemoryTests {
  // The count is process-wide, and other tests run at the same time. An exit test (Swift 6.2) runs in a separate process.
  #if compiler(>=6.2)
    @Test("A training loop leaks no tensors")
    func trainingLoopFreesItsTensors() async {
      await #expect(processExitsWith: .success) {
        let before = Engine.liveTensorCount
        try {
          let problem = try TrainingProblem()
          try problem.step()
          try problem.optimiser.zeroGradients()
          let started = Engine.liveTensorCount
          #expect(started > before)
          for _ in 0..<3 {
            try problem.step()
            #expect(throws: OnePassError.self) { try problem.head(problem.conv.weight) }
          }
          try problem.optimiser.zeroGradients()
          #expect(Engine.liveTensorCount == started)
        }()
        #expect(Engine.liveTensorCount == before)
      }
    }
  #endif

  @Test("The owner of a borrowed batch is released with the last tensor that uses it")
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
      // The memory is [N, H, W, C], so channel 1 is every third number, starting at 1.
      view = try images.narrowed(dimension: 1, from: 1, length: 1)
    }()
    #expect(watched != nil)
    #expect(try view?.floats() == [1, 4, 7, 10])
    view = nil
    #expect(watched == nil)
  }
}

/// A small problem with every layer and an optimiser.
struct TrainingProblem {
  let conv: Conv2d
  let norm: BatchNorm2d
  let head: Linear
  let optimiser: SGD

  init() throws {
    let initialiser = try Initialiser(seed: 1)
    conv = try Conv2d(3, 4, size: 3, padding: 1, from: initialiser)
    norm = try BatchNorm2d(4, from: initialiser)
    head = try Linear(4, 5, from: initialiser)
    let tensors = namedTensors(of: [("conv", conv), ("norm", norm), ("head", head)])
    optimiser = try SGD(parameters: tensors.filter { $0.role == .parameter }.map { ($0.name, $0.tensor) })
  }

  func step() throws {
    try optimiser.zeroGradients()
    let images = try Tensor.full(0.5, shape: [2, 3, 8, 8]).channelsLast()
    let features = try norm(conv(images), .training).reluInPlace().adaptiveAveragePool2d().flattened()
    let losses = try crossEntropy(head(features), labels: Tensor([0, 4] as [Int64], shape: [2]))
    try weightedMean(losses, weights: Tensor([0.5, 1.5], shape: [2])).backward()
    try optimiser.step(learningRate: 0.1)
  }
}
