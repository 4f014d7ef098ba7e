import OnePassModels
import OnePassTorch
import Testing

/// With the same weights, logits, gradients and losses equal those of PyTorch and torchvision.
@Suite("Models match PyTorch", .serialized) struct ReferenceTests {
  /// The required bound; the script prints the difference between float32 and float64 in PyTorch.
  static let tolerance = 1e-4

  @Test("Logits, every gradient and ten losses match PyTorch in float64", arguments: try ReferenceCase.all())
  func agrees(_ reference: ReferenceCase) throws {
    let model = try reference.makeModel()
    let labels = try reference.labels()

    let evaluation = try withoutGradient { try model(reference.images(0), .evaluation) }
    #expect(evaluation.shape == [reference.batch, reference.classes])
    #expect(relativeDistance(try evaluation.floats(), reference.evaluationLogits) < Self.tolerance)

    let optimiser = try SGD(parameters: model.parameters, weightDecay: reference.weightDecay)
    for (step, expected) in reference.losses.enumerated() {
      try optimiser.zeroGradients()
      let logits = try model(reference.images(step), .training)
      let loss = try crossEntropy(logits, labels: labels).mean()
      try loss.backward()
      if step == 0 {
        #expect(relativeDistance(try logits.floats(), reference.trainingLogits) < Self.tolerance)
        try expectGradients(of: model, reference)
      }
      #expect(abs(try Double(loss.item) - expected) < Self.tolerance * expected, "the loss of step \(step)")
      try optimiser.step(learningRate: reference.learningRate)
    }
    let running = try model.buffers.filter { $0.name.contains("running") }.map {
      try norm($0.tensor.floats())
    }
    #expect(relativeDistance(running.map(Float.init), reference.runningNorms) < Self.tolerance)
    #expect(try model.stateDictionary["bn1.num_batches_tracked"]?.integers() == [10])
  }

  /// Checks the norm of each gradient, and its products with two fixed vectors of numbers in -1 ..< 1.
  ///
  /// A relative error ε in a random direction changes such a product by about ε · norm / √3.
  private func expectGradients(of model: any ImageClassifier, _ reference: ReferenceCase) throws {
    #expect(model.parameters.map(\.name) == reference.gradients.map(\.name))
    var scale = 0.0
    for (parameter, expected) in zip(model.parameters, reference.gradients) {
      let gradient = try #require(try parameter.tensor.grad).floats()
      // If the next batch normalisation removes the effect of a bias, its gradient cancels to zero. Its error is therefore
      // compared with the gradient of the weight in the same layer.
      scale = parameter.name.hasSuffix("bias") ? max(scale, expected.norm) : expected.norm
      let bound = Self.tolerance * scale
      #expect(abs(norm(gradient) - expected.norm) < bound, "\(parameter.name)")
      for (probe, dot) in zip([2000, 2001], expected.dots) {
        let direction = ReferenceNumbers(probe, scale: 1).floats(gradient.count)
        #expect(abs(product(gradient, direction) - dot) < bound, "\(parameter.name)")
      }
    }
  }
}

func product(_ a: [Float], _ b: [Float]) -> Double {
  a.withUnsafeBufferPointer { a in
    b.withUnsafeBufferPointer { b in
      var sum = 0.0
      var i = 0
      while i < a.count {
        sum += Double(a[i]) * Double(b[i])
        i += 1
      }
      return sum
    }
  }
}

func norm(_ values: [Float]) -> Double { product(values, values).squareRoot() }

/// ‖values − expected‖ / ‖expected‖.
func relativeDistance(_ values: [Float], _ expected: [Double]) -> Double {
  guard values.count == expected.count else { return .infinity }
  let difference = zip(values, expected).reduce(0) { $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1) }
  return (difference / expected.reduce(0) { $0 + $1 * $1 }).squareRoot()
}
