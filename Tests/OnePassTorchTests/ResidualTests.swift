import OnePassCore
import OnePassTorch
import Testing

/// Compares the operators of residual blocks, and max pooling, with their definitions, with several numbers of threads.
@Suite("Operators of residual blocks", .serialized) struct ResidualTests {
  /// Whole numbers, whose sums are exact in every order.
  private func numbers(_ shape: [Int], _ seed: Int) throws -> (tensor: Tensor, values: [Float]) {
    var chance = SeededGenerator(seed: 9, .test, seed)
    let values = (0..<shape.reduce(1, *)).map { _ in Float(chance.next(below: 201) - 100) }
    return (try Tensor(values, shape: shape).channelsLast(), values)
  }

  private func withThreads(_ counts: [Int], _ body: () throws -> Void) throws {
    let before = Engine.threadCount
    defer { try? Engine.setThreadCount(before) }
    for count in counts {
      try Engine.setThreadCount(count)
      try body()
    }
  }

  @Test("The gradient of a forked tensor is the sum of the gradients of both uses")
  func fork() throws {
    let shape = [6, 16, 20, 19]
    let (x, _) = try numbers(shape, 1)
    let (first, a) = try numbers(shape, 2)
    let (second, b) = try numbers(shape, 3)
    try x.setRequiresGradient(true)
    try withThreads([1, 2, 3, 7]) {
      try x.clearGradient()
      let (left, right) = try x.forked()
      try ((left * first).sum() + (right * second).sum()).backward()
      #expect(try x.grad?.floats() == zip(a, b).map { $0 + $1 })
    }
  }

  @Test("A fork of which one use has no gradient has the gradient of the other")
  func unusedFork() throws {
    let (x, _) = try numbers([2, 16, 3, 3], 1)
    let (factor, values) = try numbers([2, 16, 3, 3], 2)
    try x.setRequiresGradient(true)
    try (x.forked().1 * factor).sum().backward()
    #expect(try x.grad?.floats() == values)
  }

  @Test(
    "Subsampling keeps the pixels of a grid between channels of zeros, forward and backward",
    arguments: [(1, 0, 0), (2, 8, 8), (2, 3, 0), (3, 0, 5)])
  func subsampling(stride: Int, before: Int, after: Int) throws {
    let (images, channels, height, width) = (5, 16, 9, 12)
    let (down, across) = ((height + stride - 1) / stride, (width + stride - 1) / stride)
    let all = before + channels + after
    let (x, values) = try numbers([images, channels, height, width], 1)
    let (factor, factors) = try numbers([images, all, down, across], 2)
    try x.setRequiresGradient(true)
    var (expected, gradient) = (
      [Float](repeating: 0, count: factors.count), [Float](repeating: 0, count: values.count)
    )
    for image in 0..<images {
      for channel in 0..<channels {
        for row in 0..<down {
          for column in 0..<across {
            let from = ((image * channels + channel) * height + row * stride) * width + column * stride
            let to = ((image * all + before + channel) * down + row) * across + column
            expected[to] = values[from]
            gradient[from] = factors[to]
          }
        }
      }
    }
    try withThreads([1, 2, 3]) {
      try x.clearGradient()
      let made = try x.subsampled(stride: stride, channelsBefore: before, after: after)
      #expect(made.shape == [images, all, down, across])
      #expect(try made.detached().floats() == expected)
      try (made * factor).sum().backward()
      #expect(try x.grad?.floats() == gradient)
    }
  }

  @Test("Subsampling of another layout is the same")
  func otherLayout() throws {
    let (x, values) = try numbers([2, 4, 6, 6], 1)
    let plain = try Tensor(values, shape: [2, 4, 6, 6])
    let expected = try x.subsampled(stride: 2, channelsBefore: 1, after: 1).floats()
    #expect(try plain.subsampled(stride: 2, channelsBefore: 1, after: 1).floats() == expected)
  }

  @Test("Max pooling takes the largest value of a window, which receives the gradient")
  func pooling() throws {
    let (images, channels, side) = (5, 3, 8)
    // All values differ, so each window has one place of the largest value.
    var chance = SeededGenerator(seed: 9, .test, 1)
    var values = (0..<images * channels * side * side).map(Float.init)
    values.shuffle(using: &chance)
    let x = try Tensor(values, shape: [images, channels, side, side]).channelsLast()
    let (factor, factors) = try numbers([images, channels, 4, 4], 2)
    try x.setRequiresGradient(true)
    var (expected, gradient) = ([Float](), [Float](repeating: 0, count: values.count))
    for plane in 0..<images * channels {
      for row in 0..<4 {
        for column in 0..<4 {
          // A window of 3x3 with stride 2 and padding 1.
          let window = (max(0, 2 * row - 1)...2 * row + 1).flatMap { y in
            (max(0, 2 * column - 1)...2 * column + 1).map { (plane * side + y) * side + $0 }
          }
          let best = try #require(window.max { values[$0] < values[$1] })
          gradient[best] += factors[expected.count]
          expected.append(values[best])
        }
      }
    }
    try withThreads([1, 2, 3, 7]) {
      try x.clearGradient()
      let made = try x.maxPool2d(size: 3, stride: 2, padding: 1)
      #expect(try made.detached().floats() == expected)
      try (made * factor).sum().backward()
      #expect(try x.grad?.floats() == gradient)
    }
  }

  @Test("An error within a loop of the team is thrown")
  func failure() throws {
    let (x, _) = try numbers([4, 3, 2, 2], 1)
    try withThreads([1, 2]) {
      let error = #expect(throws: OnePassError.self) { try x.maxPool2d(size: 9, stride: 1) }
      #expect(error?.code == .engine)
    }
    // The team works after it.
    #expect(try x.maxPool2d(size: 2, stride: 1).shape == [4, 3, 1, 1])
  }
}
